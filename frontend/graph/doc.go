// Package graph describes the stages of a file: the references between them, the variants
// that are selected or dropped, the instructions that are kept or dropped, and the reasons.
// It reads plans and makes no decisions.
//
// [Of] returns the [Graph] of one platform, and [Merge] combines the graphs of several.
// [Graph.Write] and [Explanation.Write] print them for people. The JSON is for programs, and
// later versions only add fields to it.
package graph
