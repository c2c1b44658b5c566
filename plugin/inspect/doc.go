// Package inspect holds the commands that show what a Dockerfile means without
// building it: ls, explain, graph, render and check. They need no builder, and
// use the plan code of the frontend, so that they show what a build does.
package inspect
