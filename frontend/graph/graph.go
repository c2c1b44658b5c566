// Package graph says what stages are made of: which variants were chosen and why
// not others, what each takes files from, what it needs, which instructions are
// there. It reads plans, and decides nothing.
//
// [Of] makes a [Graph] from the plan of one platform, [Merge] one from those of
// several. [Graph.Write] and [Explanation.Write] print them for people; their JSON is
// for programs, and fields are only ever added to it.
package graph

import "slices"

// Graph is the stages of a file and what they are made of, for some platforms.
type Graph struct {
	// File is the name of the Dockerfile.
	File string `json:"file"`
	// Platforms are the target platforms, OS/ARCH[/VARIANT], in the order in which
	// they were asked for.
	Platforms []string `json:"platforms"`
	// Args are the build args outside of stages that conditions ask for, or that are
	// declared under one, in the order of their names.
	Args []Arg `json:"args"`
	// Globals are what becomes of the ARGs above the first FROM that have a guard or
	// stand in a block: one for each platform, or none if the file has no such ARG.
	Globals []Globals `json:"globals"`
	// Targets are the IDs of the stages that are built.
	Targets []string `json:"targets"`
	// Nodes are stages, in file order, then images and named contexts.
	Nodes []*Node `json:"nodes"`
	// Edges are what stages are made of and what they need, in file order.
	Edges []*Edge `json:"edges"`
}

// Arg is a build arg that decides, or is decided about.
type Arg struct {
	Name string `json:"name"`
	// Values are the values that it has, by platform.
	Values map[string]string `json:"values"`
	// Given is set when the value came from outside of the file.
	Given bool `json:"given"`
}

// Globals is what becomes of ARGs above the first FROM for one target platform.
type Globals struct {
	// Platform is the target platform.
	Platform string `json:"platform"`
	// Instructions are those that have a guard or stand in a block, in file order.
	Instructions []Instruction `json:"instructions"`
}

// Kind says what a node is.
type Kind string

// The kinds of nodes.
const (
	Stage   Kind = "stage"
	Image   Kind = "image"
	Context Kind = "context" // a named context
	Scratch Kind = "scratch" // the empty base
)

// Node is a stage, or what a stage is made of.
type Node struct {
	// ID names the node in the graph: "stage:3", "image:alpine:3.22". What is meant
	// for a platform of its own has that behind it: "stage:3@linux/amd64".
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Name is the stage's as it is written, "stage-3" for the fourth when it has
	// none, the image's reference or the named context's name.
	Name string `json:"name"`
	// Platform is the one that a reference names for the stage or image, or "" when
	// it is that which is built for.
	Platform string `json:"platform,omitempty"`
	// Line and LastLine are those of the stage in the file, 1-based, and otherwise 0.
	Line     int `json:"line,omitempty"`
	LastLine int `json:"lastLine,omitempty"`
	// Variant is set for a stage that shares its name with others.
	Variant bool `json:"variant,omitempty"`
	// Base is what a stage is FROM, and Guard what has to hold for it, both as
	// written: a condition of a block around it as "IF DEBUG".
	Base  string `json:"base,omitempty"`
	Guard string `json:"guard,omitempty"`
	// Description is what the comment above the stage says.
	Description string `json:"description,omitempty"`
	// Outcomes say what becomes of the node for each platform of the graph that has it.
	Outcomes []Outcome `json:"outcomes"`
}

// State says what becomes of a node.
type State string

// The states of nodes.
const (
	Reached   State = "reached"   // a target is made of it or needs it
	Unreached State = "unreached" // it is there, and not asked for
	Dropped   State = "dropped"   // its guard does not hold
)

// Outcome is what becomes of a node for one target platform.
type Outcome struct {
	// Platform is the target platform.
	Platform string `json:"platform"`
	State    State  `json:"state"`
	// ReachedAs are the IDs of the nodes of the same stage that are reached when this
	// one is not: "stage:3@linux/amd64" where only that is asked for.
	ReachedAs []string `json:"reachedAs,omitempty"`
	// Reason says why the stage's guard holds or does not, with the values that
	// decided, or is "" where it has none.
	Reason string `json:"reason,omitempty"`
	// RunsOn is the platform of the stage's RUNs, or that of the image.
	RunsOn string `json:"runsOn,omitempty"`
	// Replaced is set when a named context stands for the stage.
	Replaced bool `json:"replaced,omitempty"`
	// Instructions are those that have a guard or stand in a block.
	Instructions []Instruction `json:"instructions,omitempty"`
}

// Instruction is what becomes of an instruction that is not always there.
type Instruction struct {
	Line     int `json:"line"`
	LastLine int `json:"lastLine"`
	// Text is the instruction as one line, without its flags.
	Text string `json:"text"`
	// Guard is what has to hold for it, as that of a stage.
	Guard string `json:"guard"`
	// Dropped is set when the guard does not hold.
	Dropped bool   `json:"dropped"`
	Reason  string `json:"reason,omitempty"`
}

// Edge says that a stage is made of something, or needs it.
type Edge struct {
	// Stage is the ID of the stage, and Uses that of what it uses.
	Stage string `json:"stage"`
	Uses  string `json:"uses"`
	// Kind is where the reference stands: "FROM", "COPY --from", "RUN --mount=from"
	// or "FROM --needs".
	Kind string `json:"kind"`
	// Line is that of the instruction, and Reference its text as written.
	Line      int    `json:"line"`
	Reference string `json:"reference"`
	// Platforms are the graph's platforms for which it is so.
	Platforms []string `json:"platforms"`
}

// Node returns the node of an ID, or nil.
func (g *Graph) Node(id string) *Node {
	for _, n := range g.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// On returns what becomes of the node for a platform.
func (n *Node) On(platform string) (Outcome, bool) {
	for _, f := range n.Outcomes {
		if f.Platform == platform {
			return f, true
		}
	}
	return Outcome{}, false
}

// Reached returns the part of the graph that the targets are made of and need.
func (g *Graph) Reached() *Graph {
	part := *g
	part.Nodes, part.Edges = []*Node{}, []*Edge{}
	reached := map[string][]string{} // the platforms, by node
	for _, n := range g.Nodes {
		for _, f := range n.Outcomes {
			if f.State == Reached {
				reached[n.ID] = append(reached[n.ID], f.Platform)
			}
		}
		if reached[n.ID] != nil {
			part.Nodes = append(part.Nodes, n)
		}
	}
	for _, e := range g.Edges {
		there := *e
		there.Platforms = slices.DeleteFunc(slices.Clone(e.Platforms), func(p string) bool {
			return !slices.Contains(reached[e.Stage], p)
		})
		if len(there.Platforms) > 0 {
			part.Edges = append(part.Edges, &there)
		}
	}
	return &part
}
