package inprocess

import (
	"github.com/distribution/reference"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

const (
	// repository is where this project's frontend image is published. Mirrors
	// keep the path and change the registry host.
	repository = "stagebuild/stagebuild"
	// upstream is BuildKit's own Dockerfile frontend, whose language is a
	// subset of ours.
	upstream = "docker.io/docker/dockerfile"
	// latestTag names the newest image that speaks version 1 of the language.
	latestTag = "1"
)

// Serves reports whether a `# syntax=` reference names a frontend that this
// program can stand in for: our own on any registry, or docker/dockerfile.
// A reference that is pinned by digest asks for exactly those bytes, so it is
// always run as an image.
func Serves(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return false
	}
	if _, pinned := named.(reference.Digested); pinned {
		return false
	}
	return reference.Path(named) == repository || named.Name() == upstream
}

// Image is the reference of the frontend image that belongs to a version of
// this program: the same release, or for a version that was never released the
// newest image of the language.
func Image(version string) string {
	if !semver.IsValid(version) || semver.Build(version) != "" || module.IsPseudoVersion(version) {
		return repository + ":" + latestTag
	}
	return repository + ":" + version[len("v"):]
}
