// Package offline answers subrequests about a Dockerfile without a builder.
//
// [Client] is a gateway client that has the files of one build context and no daemon.
// The plugin runs the frontend on it, so that the result is the same as a builder's.
package offline
