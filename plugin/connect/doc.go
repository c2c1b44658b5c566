// Package connect finds the builder that a build runs on.
//
// [Choose] picks the builder's source from the command line and the environment.
// [Connect] loads that builder's nodes for buildx's pipeline, or returns an [Error]
// that lists the sources it tried and a command that sets a builder up. If no
// builder was chosen and no local Docker Engine runs, Connect uses the private
// daemon of package daemon. [Builder.Explain] names the node that a failed build
// lost its connection to.
package connect
