// Package plugin is the tree of the `docker stagebuild` commands.
//
// [Run] runs the process's command line as a Docker CLI plugin or standalone.
// The commands are in the packages build, inspect and matrix. They share the
// packages cli, for flags, output and errors, and result, for stages with outputs
// of their own. A build connects to a builder (connect, daemon), and calls buildx
// (pipeline) with the frontend in this process (inprocess). The other commands run
// the frontend's code without a builder (offline, draw).
package plugin
