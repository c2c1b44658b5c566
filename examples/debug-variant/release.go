//go:build !debug

package main

const build = "release"

// serveProfiles does nothing: a release has no profiles to serve.
func serveProfiles() {}
