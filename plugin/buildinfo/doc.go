// Package buildinfo describes the running build of the program: its version and commit,
// and the versions of BuildKit and Go.
package buildinfo
