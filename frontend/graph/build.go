package graph

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// emptyImage is the name of the empty base (dockerui.EmptyImageName).
const emptyImage = "scratch"

// Of returns the graph of a target platform. It has all stages of the file, reached or not.
func Of(p *plan.Target) *Graph {
	platform := guard.FormatPlatform(p.Platform)
	b := &builder{
		graph: &Graph{
			File: p.File.Source.Name, Platforms: []string{platform}, Args: argsOf(p, platform),
			Globals: globalsOf(p, platform), Targets: []string{}, Nodes: []*Node{}, Edges: []*Edge{},
		},
		platform: platform,
		nodes:    map[string]*Node{},
		walk:     plan.Walk[occurrence]{Edges: occurrence.edges, Next: occurrence.next},
	}
	if p.Choice != nil {
		b.graph.Targets = []string{occurrence{p.Choice, ""}.id()}
		b.addFrom(p.Choice, Reached)
	}
	for _, c := range p.Stages {
		b.addFrom(c, Unreached)
	}
	b.graph.finish()
	return b.graph
}

// builder makes the graph of one target platform.
type builder struct {
	graph    *Graph
	platform string
	nodes    map[string]*Node
	walk     plan.Walk[occurrence]
}

// occurrence is a stage for the platform that a reference names, or "" for the target
// platform. Each occurrence of a stage is a node.
type occurrence struct {
	choice   *plan.Choice
	platform string
}

func (o occurrence) id() string {
	return identify(fmt.Sprintf("stage:%d", o.choice.Stage.Index), o.platform)
}

func (o occurrence) edges() []plan.Edge { return o.choice.Edges }

// next returns the occurrence of the stage that an edge leads to, or the zero value for an
// image. The references of a stage inherit its platform.
func (o occurrence) next(e *plan.Edge) occurrence {
	if e.Stage == nil {
		return occurrence{}
	}
	return occurrence{e.Stage, o.platformOf(e)}
}

func (o occurrence) platformOf(e *plan.Edge) string {
	if e.Platform != nil {
		return guard.FormatPlatform(*e.Platform)
	}
	return o.platform
}

// addFrom adds a stage, the nodes that it leads to, and their edges. New nodes get the
// state, unless they are dropped.
func (b *builder) addFrom(c *plan.Choice, state State) {
	for o, e := range b.walk.From(occurrence{c, ""}) {
		switch {
		case e == nil:
			b.addStage(o, state)
		case !e.IsInvalid():
			b.addEdge(o, e, state)
		}
	}
}

// addStage adds the node of a stage, and the nodes of its dropped variants.
func (b *builder) addStage(o occurrence, state State) {
	c, s, file := o.choice, o.choice.Stage, o.choice.Plan.File
	if b.nodes[o.id()] != nil {
		return
	}
	if !c.Decision.Holds {
		state = Dropped
	}
	n := &Node{
		ID: o.id(), Kind: Stage, Name: s.Name, Platform: o.platform,
		Line: s.From.First, LastLine: s.From.Last,
		Base: s.Base.Text, Guard: Guard(s.From), Description: file.Summary(s.From, s.Name),
	}
	if s.Name == "" {
		n.Name = fmt.Sprintf("stage-%d", s.Index)
	} else {
		n.Variant = len(file.Group(s.Name).Stages) > 1
	}
	if len(s.Body) > 0 {
		n.LastLine = s.Body[len(s.Body)-1].Last
	}
	outcome := Outcome{Platform: b.platform, State: state, Reason: c.Decision.Reason, Replaced: c.Replaced}
	if c.Decision.Holds {
		outcome.RunsOn = guard.FormatPlatform(c.RunsOn)
		outcome.Instructions = conditionalOf(c.Plan, s.Body)
	}
	n.Outcomes = []Outcome{outcome}
	b.add(n)
	if !n.Variant || state == Dropped {
		return
	}
	for _, other := range file.Group(s.Name).Stages {
		if v := c.Plan.Stages[other.Index]; !v.Decision.Holds {
			b.addStage(occurrence{v, o.platform}, Dropped)
		}
	}
}

// addEdge adds an edge, and the image or context that it leads to.
func (b *builder) addEdge(o occurrence, e *plan.Edge, state State) {
	var uses string
	if e.Stage != nil {
		uses = o.next(e).id()
	} else {
		uses = b.addImage(o, e, state)
	}
	b.graph.Edges = append(b.graph.Edges, &Edge{
		Stage: o.id(), Uses: uses, Kind: e.Reference.Kind.String(),
		Span: e.Reference.Instruction.Span(), Line: e.Reference.Instruction.First,
		Reference: e.Reference.Text, Platforms: []string{b.platform},
	})
}

// addImage adds the image, named context or empty base of an edge, and returns its ID.
func (b *builder) addImage(o occurrence, e *plan.Edge, state State) string {
	c, platform := o.choice, o.platformOf(e)
	n := &Node{Kind: Image, Name: e.Name, Platform: platform}
	runsOn := c.Plan.Platform
	if e.Platform != nil {
		runsOn = *e.Platform
	} else if e.Reference.Kind == syntax.FromBase {
		runsOn = c.RunsOn
		if platform != "" || c.Stage.Platform != "" && !strings.Contains(c.Stage.Platform, "TARGET") {
			n.Platform = guard.FormatPlatform(runsOn)
		}
	}
	outcome := Outcome{Platform: b.platform, State: state, RunsOn: guard.FormatPlatform(runsOn)}
	switch {
	case e.Context:
		n.Kind = Context
	case e.Name == emptyImage:
		n.Kind, n.Platform, outcome.RunsOn = Scratch, "", ""
	}
	n.ID = identify(string(n.Kind)+":"+n.Name, n.Platform)
	if known := b.nodes[n.ID]; known != nil {
		return known.ID
	}
	n.Outcomes = []Outcome{outcome}
	b.add(n)
	return n.ID
}

func (b *builder) add(n *Node) {
	b.nodes[n.ID] = n
	b.graph.Nodes = append(b.graph.Nodes, n)
}

func identify(subject, platform string) string {
	if platform == "" {
		return subject
	}
	return subject + "@" + platform
}

// Guard returns the guard of an instruction as written, after the conditions of the blocks
// around it: "IF DEBUG, --for=linux".
func Guard(in *syntax.Instruction) string {
	var parts []string
	for branch := in.Branch; branch != nil; branch = branch.Outer {
		parts = append(parts, keywordOf(branch))
	}
	slices.Reverse(parts)
	if own := in.Guard.String(); own != "" {
		parts = append(parts, own)
	}
	return strings.Join(parts, ", ")
}

// keywordOf returns the line that begins a branch: "IF DEBUG", "ELSE IF TEST" or "ELSE".
func keywordOf(branch *syntax.Branch) string {
	condition := branch.Keyword.Guard.If
	switch {
	case branch == branch.Block.Branches[0]:
		return "IF " + condition.String()
	case condition != nil:
		return "ELSE IF " + condition.String()
	}
	return "ELSE"
}

// isConditional reports whether an instruction has a guard or is in a block.
func isConditional(in *syntax.Instruction) bool {
	return !in.IsBlock() && (!in.Guard.IsZero() || in.Branch != nil)
}

// conditionalOf returns the outcomes of the conditional ones among some instructions.
func conditionalOf(p *plan.Plan, instructions []*syntax.Instruction) []Instruction {
	var list []Instruction
	for _, in := range instructions {
		if !isConditional(in) {
			continue
		}
		d := p.Decision(in)
		list = append(list, Instruction{
			Span: in.Span(), Line: in.First, LastLine: in.Last,
			Text:  strings.ToUpper(in.Keyword) + " " + oneSpace(in.Args()),
			Guard: Guard(in), Dropped: !d.Holds, Reason: d.Reason,
		})
	}
	return list
}

// quotedOrSpaces matches a quoted text, or spaces outside of quotes.
var quotedOrSpaces = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|\s+`)

// oneSpace replaces each run of spaces outside of quotes by one space.
func oneSpace(text string) string {
	return quotedOrSpaces.ReplaceAllStringFunc(strings.TrimSpace(text), func(found string) string {
		if found[0] == '"' || found[0] == '\'' {
			return found
		}
		return " "
	})
}

// globalsOf returns the outcomes of the conditional global ARGs.
func globalsOf(p *plan.Target, platform string) []Globals {
	list := conditionalOf(p.Plan, p.File.Globals)
	if len(list) == 0 {
		return []Globals{}
	}
	return []Globals{{Platform: platform, Instructions: list}}
}

// argsOf returns the global args that a condition of the file names or that are declared
// under one. An arg that the plan does not declare has no value, and is left out.
func argsOf(p *plan.Target, platform string) []Arg {
	declared, listed := map[string]bool{}, map[string]bool{}
	for _, in := range p.File.Globals {
		for _, d := range in.Declarations {
			declared[d.Name] = true
			listed[d.Name] = listed[d.Name] || isConditional(in)
		}
	}
	for _, in := range p.File.Instructions {
		if in.Guard.If == nil {
			continue
		}
		for _, name := range in.Guard.If.Names() {
			listed[name] = declared[name]
		}
	}
	args := []Arg{}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !listed[name] {
			continue
		}
		if arg, ok := p.Global(name); ok {
			value, given := p.Env.Args[name]
			given = given && value == arg.Value // a dropped ARG does not take the value
			args = append(args, Arg{Name: name, Values: map[string]string{platform: arg.Value}, Given: given})
		}
	}
	return args
}
