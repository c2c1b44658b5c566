//go:build !debug

package main

const build = "release"

// serveProfiles does nothing in a release.
func serveProfiles() {}
