// Package matrix lists the pairs of a stage and a platform that can be built, and the
// reason for each pair that cannot. Package selection decides which pairs those are.
//
// [New] returns an empty [Matrix], and [Matrix.Add] adds a stage to it. The JSON is for
// programs, and later versions only add fields to it. [Matrix.WriteTable] and
// [Matrix.Notes] are for people.
package matrix
