// Package result divides a build into results. A result is one stage for one or
// more platforms, with outputs of its own.
//
// [Flags] are the flags whose values can be templates. [Split] fills them in
// for each stage and platform, and makes a result of the platforms with equal
// values. [CheckPlaces] returns an error if two results write to the same place.
package result
