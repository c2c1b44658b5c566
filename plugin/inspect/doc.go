// Package inspect has the commands that show a Dockerfile without building it: ls,
// explain, graph, render and check. They need no builder. They use the frontend's
// plans, so that they show the decisions of a build.
package inspect
