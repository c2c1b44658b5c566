// Package plugin is the tree of the `docker stagebuild` commands.
//
// [Run] runs the process's command line as a Docker CLI plugin or standalone.
// The commands are in the packages build, inspect and matrix, and plugin/cli
// holds what they share. A build connects to a builder (connect, daemon) and
// runs the frontend on it in this process (inprocess); the other commands run
// the frontend's code without a builder (offline, draw).
package plugin
