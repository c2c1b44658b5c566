// Package cli has the code that the commands share: the flags for a Dockerfile,
// its stages and its platforms, and their completion; the formats of output and
// its files; and the exit status of the process.
//
// A command without a builder embeds [DockerfileOptions], or [QueryOptions] if
// it is about stages and platforms. [Report] prints the error of a command and
// returns the exit status of the process.
package cli
