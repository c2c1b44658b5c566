// Package cli holds what the commands share: the flags for a Dockerfile, its
// stages and its platforms, and their completion; the forms of output and the
// files that it is written to; and how the process ends.
//
// A command without a builder embeds [DockerfileOptions], or [QueryOptions] if
// it is about stages and platforms. [Report] prints the error of a command and
// returns the exit status of the process.
package cli
