// Package pipeline builds targets on one builder with buildx's build pipeline.
//
// [Pipeline.Build] builds all targets at the same time, if possible in one call
// of buildx. A target that fails does not stop the others. Each has an [Outcome]
// of its own. [Pipeline.Evaluate] runs a frontend function without building.
package pipeline
