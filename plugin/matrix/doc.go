// Package matrix is the matrix command, which lists the stages of a Dockerfile
// with their platforms, and writes them as a bake file or as a job matrix for
// GitHub Actions.
package matrix
