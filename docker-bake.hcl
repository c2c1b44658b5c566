# docker buildx bake           the frontend image, for this machine
# docker buildx bake plugin    bin/docker-stagebuild, for this machine
# docker buildx bake cross     the plugin for every platform, below bin/
# docker buildx bake release   what is published: the frontend image, and files
#                              in bin/release (with --push: the image is pushed);
#                              needs a builder for several platforms
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
  description = "The frontend image's tag where VERSION is not set"
  default     = "1"
}

variable "TAGS" {
  description = "The published image's tags, where they are not to be those of VERSION"
  type        = list(string)
  default     = []
}

variable "PLUGIN_PLATFORMS" {
  description = "What the plugin is published for"
  type        = list(string)
  default     = [
    "linux/amd64", "linux/arm64",
    "darwin/amd64", "darwin/arm64",
    "windows/amd64", "windows/arm64",
  ]
}

variable "SOURCE_DATE_EPOCH" {
  description = "The time of all that is published, in seconds since 1970"
  default     = "0"
}

# v1.2.3 gives 1.2.3, 1.2 and 1, and v1.2.3-rc.1, or what is no version, only itself.
function "tags" {
  params = [version]
  result = length(regexall("^[0-9]+[.][0-9]+[.][0-9]+$", version)) == 0 ? [replace(version, "+", "_")] : [
    for n in [3, 2, 1] : join(".", slice(split(".", version), 0, n))
  ]
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
  inherits  = ["_common"]
  target    = "plugin"
  platforms = ["local"]
  output    = ["type=local,dest=bin"]
}

target "cross" {
  inherits  = ["plugin"]
  platforms = PLUGIN_PLATFORMS
}

group "release" {
  targets = ["release-image", "release-plugin"]
}

target "_published" {
  args   = { SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH }
  attest = ["type=provenance,mode=max", "type=sbom"]
}

# For the platforms that BuildKit's own image is published for: it runs there.
target "release-image" {
  inherits  = ["image", "_published"]
  tags      = [
    for tag in length(TAGS) > 0 ? TAGS : VERSION == "" ? [TAG] : tags(trimprefix(VERSION, "v")) : "${IMAGE}:${tag}"
  ]
  platforms = [
    "linux/amd64", "linux/arm64", "linux/arm/v7",
    "linux/ppc64le", "linux/riscv64", "linux/s390x",
  ]
  output    = ["type=image,rewrite-timestamp=true"]
}

target "release-plugin" {
  inherits = ["_common", "_published"]
  target   = "release"
  args     = { PLATFORMS = join(" ", PLUGIN_PLATFORMS) }
  output   = ["type=local,dest=bin/release"]
}

target "lint" {
  dockerfile = "checks.Dockerfile"
  target     = "lint"
  output     = ["type=cacheonly"]
}

target "test" {
  dockerfile   = "checks.Dockerfile"
  target       = "test"
  output       = ["type=cacheonly"]
  entitlements = ["security.insecure"]
}
