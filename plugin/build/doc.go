// Package build is the build command. Its flags ([NewCommand]) become results,
// one for each stage and each set of platforms with outputs of its own
// (plugin/result). Each result becomes a request to buildx's build pipeline,
// and all requests run at the same time on one builder.
package build
