// Package build is the build command.
//
// runBuild calls its phases. It connects to a builder (builder.go) and chooses
// the results (choose.go), for which it may read the Dockerfile (dockerfile.go).
// A result is one stage for one or more platforms. Its flags become a request
// to buildx (request.go, outputs.go). plugin/pipeline builds all requests at the
// same time. Then the command writes files, and prints the results (finish.go)
// and a table of them (summary.go).
package build
