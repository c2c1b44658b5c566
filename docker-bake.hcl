# docker buildx bake           the frontend image, for this machine
# docker buildx bake plugin    bin/docker-stagebuild, for this machine
# docker buildx bake cross     the plugin for every platform, below bin/
# docker buildx bake lint
# docker buildx bake test      needs a builder that allows security.insecure

variable "VERSION" {
  description = "What the programs say of themselves"
  default     = ""
}

variable "REVISION" {
  description = "The commit that is built"
  default     = ""
}

variable "IMAGE" {
  description = "The frontend image's name, without a tag"
  default     = "stagebuild/stagebuild"
}

variable "TAG" {
  default = "1"
}

group "default" {
  targets = ["image"]
}

target "_common" {
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
}

target "image" {
  inherits = ["_common"]
  target   = "image"
  tags     = ["${IMAGE}:${TAG}"]
}

target "plugin" {
  inherits = ["_common"]
  target   = "plugin"
  output   = ["type=local,dest=bin"]
}

target "cross" {
  inherits  = ["plugin"]
  platforms = [
    "linux/amd64", "linux/arm64",
    "darwin/amd64", "darwin/arm64",
    "windows/amd64", "windows/arm64",
  ]
}

target "lint" {
  target = "lint"
  output = ["type=cacheonly"]
}

target "test" {
  target       = "test"
  output       = ["type=cacheonly"]
  entitlements = ["security.insecure"]
}
