package graph

import (
	"slices"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// Graph has the stages of a file and the references between them, for some platforms.
type Graph struct {
	// File is the name of the Dockerfile.
	File string `json:"file"`
	// Platforms are the target platforms, OS/ARCH[/VARIANT], in the requested order.
	Platforms []string `json:"platforms"`
	// Args are the global args that conditions use or that are declared under a
	// condition, sorted by name.
	Args []Arg `json:"args"`
	// Globals has the global ARGs with a condition, for each platform. It is empty if
	// the file has no such ARG.
	Globals []Globals `json:"globals"`
	// Targets are the IDs of the target stages.
	Targets []string `json:"targets"`
	// Nodes are the stages in file order, then the images and named contexts.
	Nodes []*Node `json:"nodes"`
	// Edges are the references in file order.
	Edges []*Edge `json:"edges"`
}

// Arg is a global arg that a condition uses, or that is declared under a condition.
type Arg struct {
	Name string `json:"name"`
	// Values are the arg's values by platform.
	Values map[string]string `json:"values"`
	// Given is set if the value comes from outside the file, as with --build-arg.
	Given bool `json:"given"`
}

// Globals are the outcomes of the global ARGs with a condition, for one platform.
type Globals struct {
	// Platform is the target platform.
	Platform string `json:"platform"`
	// Instructions are the ARGs with a guard or in a block, in file order.
	Instructions []Instruction `json:"instructions"`
}

// Kind is the kind of a node.
type Kind string

// The kinds of nodes.
const (
	Stage   Kind = "stage"
	Image   Kind = "image"
	Context Kind = "context" // a named context
	Scratch Kind = "scratch" // the empty base
)

// Node is a stage, or an image or named context that a stage refers to.
type Node struct {
	// ID identifies the node in the graph: "stage:3" or "image:alpine:3.22". It ends
	// with the Platform, if there is one: "stage:3@linux/amd64".
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Name is the stage's name, or "stage-3" if the fourth stage has none. Otherwise
	// it is the reference of the image, or the name of the named context.
	Name string `json:"name"`
	// Platform is the platform that a reference names for the stage or image. It is
	// "" if the node is for the target platform.
	Platform string `json:"platform,omitempty"`
	// Line and LastLine are the 1-based lines of a stage, and 0 for other nodes.
	Line     int `json:"line,omitempty"`
	LastLine int `json:"lastLine,omitempty"`
	// Variant is set for a stage that shares its name with others.
	Variant bool `json:"variant,omitempty"`
	// Base is the stage's base, as written.
	Base string `json:"base,omitempty"`
	// Guard is the stage's guard, in the form of the function [Guard].
	Guard string `json:"guard,omitempty"`
	// Description is the comment above the stage.
	Description string `json:"description,omitempty"`
	// Outcomes has the outcome for each platform of the graph, if there is one.
	Outcomes []Outcome `json:"outcomes"`
}

// State is the state of a node for one target platform.
type State string

// The states of nodes.
const (
	Reached   State = "reached"   // a target is built from it or needs it
	Unreached State = "unreached" // it is selected, but no target uses it
	Dropped   State = "dropped"   // its guard does not hold
)

// Outcome is the outcome of a node for one target platform.
type Outcome struct {
	// Platform is the target platform.
	Platform string `json:"platform"`
	State    State  `json:"state"`
	// ReachedAs are the IDs under which an unreached stage is reached after all:
	// "stage:3@linux/amd64" if references name that platform for it.
	ReachedAs []string `json:"reachedAs,omitempty"`
	// Reason is why the stage's guard holds or does not hold, with the values that
	// decided. It is "" without a guard.
	Reason string `json:"reason,omitempty"`
	// RunsOn is the platform that the stage's RUNs run on, or the image's platform.
	RunsOn string `json:"runsOn,omitempty"`
	// Replaced is set if a named context replaces the stage.
	Replaced bool `json:"replaced,omitempty"`
	// Instructions are the instructions with a guard or in a block, in file order.
	Instructions []Instruction `json:"instructions,omitempty"`
}

// Instruction is the outcome of an instruction that has a guard or is in a block.
type Instruction struct {
	// Span identifies the instruction. The JSON does not have it.
	Span source.Span `json:"-"`
	// Line and LastLine are 1-based.
	Line     int `json:"line"`
	LastLine int `json:"lastLine"`
	// Text is the instruction on one line, without its flags.
	Text string `json:"text"`
	// Guard is its guard, in the form of the function [Guard].
	Guard string `json:"guard"`
	// Dropped is set if the guard does not hold.
	Dropped bool   `json:"dropped"`
	Reason  string `json:"reason,omitempty"`
}

// Edge is a reference from a stage to another node.
type Edge struct {
	// Stage is the ID of the stage with the reference. Uses is the ID of the node
	// that it refers to.
	Stage string `json:"stage"`
	Uses  string `json:"uses"`
	// Kind is the kind of reference: "FROM", "COPY --from", "RUN --mount=from" or
	// "FROM --needs".
	Kind string `json:"kind"`
	// Span identifies the instruction with the reference. The JSON does not have it.
	Span source.Span `json:"-"`
	// Line is the first line of the instruction, 1-based.
	Line int `json:"line"`
	// Reference is the reference as written.
	Reference string `json:"reference"`
	// Platforms are the platforms of the graph that the edge applies to.
	Platforms []string `json:"platforms"`
}

// Node returns the node with an ID, or nil.
func (g *Graph) Node(id string) *Node {
	for _, n := range g.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// On returns the outcome of the node for a platform, and whether there is one.
func (n *Node) On(platform string) (Outcome, bool) {
	for _, o := range n.Outcomes {
		if o.Platform == platform {
			return o, true
		}
	}
	return Outcome{}, false
}

// ReachedOn returns the platforms for which the node is reached.
func (n *Node) ReachedOn() []string {
	var list []string
	for _, o := range n.Outcomes {
		if o.State == Reached {
			list = append(list, o.Platform)
		}
	}
	return list
}

// Reached returns the graph without the nodes and edges that no target reaches.
func (g *Graph) Reached() *Graph {
	part := *g
	part.Nodes, part.Edges = []*Node{}, []*Edge{}
	platforms := map[string][]string{} // by node ID
	for _, n := range g.Nodes {
		if platforms[n.ID] = n.ReachedOn(); len(platforms[n.ID]) > 0 {
			part.Nodes = append(part.Nodes, n)
		}
	}
	for _, e := range g.Edges {
		reached := *e
		reached.Platforms = slices.DeleteFunc(slices.Clone(e.Platforms), func(p string) bool {
			return !slices.Contains(platforms[e.Stage], p)
		})
		if len(reached.Platforms) > 0 {
			part.Edges = append(part.Edges, &reached)
		}
	}
	return &part
}
