package inprocess

import (
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/stagebuild/stagebuild/frontend"
)

// latestTag is the tag of the newest image for version 1 of the language.
const latestTag = "1"

// Image returns the reference of the frontend image for a version of this program: the
// image of the same release, or the newest image for a version without a release.
func Image(version string) string {
	if !semver.IsValid(version) || semver.Build(version) != "" || module.IsPseudoVersion(version) {
		return frontend.Repository + ":" + latestTag
	}
	return frontend.Repository + ":" + version[len("v"):]
}
