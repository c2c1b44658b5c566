// Package llb converts plain Dockerfiles to LLB with BuildKit's dockerfile2llb.
//
// A [Converter] takes the lowered text of a file together with the source map of the
// user's file. Both have the same lines, so that BuildKit's errors, warnings, progress
// and provenance point at the user's file. [Names] restores the user's names of stages
// in progress, and [Locals] merges the local sources of several definitions.
package llb
