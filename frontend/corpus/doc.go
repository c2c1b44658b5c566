// Package corpus provides test data for the packages of the language: txtar archives
// with expectations, the environments that name the expectations, BuildKit's own
// Dockerfiles, and files made of fragments. It imports none of the packages that it
// helps to test.
//
// An archive is a Dockerfile and any number of expectations. Run compares each of them
// with the output for its name, which usually is an environment: platforms, build args
// and options, read by ParseEnvironment.
package corpus
