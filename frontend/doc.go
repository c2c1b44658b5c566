// Package frontend serves one BuildKit gateway request for a Dockerfile. It is a strict
// superset of BuildKit's frontend/dockerfile/builder, whose flow it follows and whose
// parts it calls.
//
// [Build] runs a request in phases, each a function from one value to the next:
//
//	load → decide → lower → convert → solve
//
// load reads the request and its Dockerfile, decide plans the file for every target
// platform, lower turns the plans into plain Dockerfiles, convert turns these into LLB,
// and solve has the daemon build it. A request for another frontend, or a subrequest,
// ends earlier: the outcome type lists the ways to end.
//
// [Group] serves several requests for one file. They share the reads of the file, of base
// images and of the build context.
package frontend
