// Package subrequest serves subrequests: requests for information about a Dockerfile
// instead of a build ("docker buildx build --call").
//
// [Serve] serves those of BuildKit (outline, targets, lint, convertllb) with BuildKit's
// own code on the lowered file, and the frontend's own (explain, graph, matrix) from the
// plan. The frontend lowers the file, as for a build, through a [Lowerer].
package subrequest
