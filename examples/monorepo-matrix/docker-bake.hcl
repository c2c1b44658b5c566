# docker buildx bake          an image for each service, for all platforms
# docker buildx bake split    an image for each service and platform

variable "REGISTRY" {
  default = "registry.example.com"
}

variable "VERSION" {
  default = "1.0"
}

group "default" {
  targets = ["image"]
}

target "image" {
  name      = "image-${service}"
  matrix    = { service = ["catalog", "orders"] }
  target    = service
  platforms = ["linux/amd64", "linux/arm64"]
  tags      = ["${REGISTRY}/${service}:${VERSION}"]
}

target "split" {
  name = "split-${service}-${arch}"
  matrix = {
    service = ["catalog", "orders"]
    arch    = ["amd64", "arm64"]
  }
  target    = service
  platforms = ["linux/${arch}"]
  tags      = ["${REGISTRY}/${service}:${VERSION}-${arch}"]
}
