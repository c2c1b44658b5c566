// Package inprocess runs a Dockerfile frontend in this process, as part of buildx's build
// pipeline.
//
// It needs two hooks of buildx. [Frontend.RegisterDrivers] removes the frontend from the
// pipeline's solve request, so that the daemon runs none. [Frontend.Handler] returns the
// handler that the pipeline then calls with the gateway client of every node: it runs the
// frontend and supplies its result. buildx does the rest: outputs, pushing and loading,
// secrets, SSH agents, contexts, caches, attestations, and distributing the build over
// nodes.
//
// [Frontend.Share] lets the targets of one command read their inputs together.
package inprocess
