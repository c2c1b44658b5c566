// Package plan decides which stages and instructions of a staged Dockerfile are kept
// and which stage or image each reference means, for one target platform and one set of
// build args, and lowers the file to a plain Dockerfile with the same lines. The package
// is pure: the same input gives the same output on any machine.
//
// [Resolve] turns a file, an [Env] and a [Request] into a [Set] of plans. A [Plan] has a
// [Choice] for each stage of the file, and a Choice has an [Edge] for each of its
// references. [Lower] writes a Plan as a plain Dockerfile. [Available] plans every stage
// as the target, to find the platforms that each stage can be built for.
//
// During planning, a planner holds one draft for each plan. A draft goes through the file
// once: its chooser decides which instructions are kept, and its linker finds the stage
// or image that each of their references means. A linker can need another draft: in a
// plan for linux/amd64, tools::linux/arm64 means a stage of the plan for linux/arm64. A
// Plan does not change after Resolve returns, and is safe for concurrent use.
//
// Read request.go (the input), plan.go and set.go (the result) first, then planner.go,
// which calls choose.go (guards and blocks, with the args of scope.go) and link.go
// (references, with expand.go, cross.go, image.go and trigger.go). walk.go, lower.go and
// availability.go use the finished plans.
package plan
