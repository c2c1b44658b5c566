package inprocess

import (
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/stagebuild/stagebuild/frontend"
)

// latestTag names the newest image that speaks version 1 of the language.
const latestTag = "1"

// Image is the reference of the frontend image that belongs to a version of
// this program: the same release, or for a version that was never released the
// newest image of the language.
func Image(version string) string {
	if !semver.IsValid(version) || semver.Build(version) != "" || module.IsPseudoVersion(version) {
		return frontend.Repository + ":" + latestTag
	}
	return frontend.Repository + ":" + version[len("v"):]
}
