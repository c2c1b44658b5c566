package plan

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// UndeclaredPlatform is the name of the warning about a target platform that the
// file does not declare.
const UndeclaredPlatform = "UndeclaredPlatform"

// Set is the plans of one request: of the platforms that are built for, and of
// those that references name.
type Set struct {
	// Targets are what is built for the platforms that were asked for, in order.
	Targets []*Target
	// Requested has one Target for each requested platform, in order. [ResolvePossible]
	// leaves some of them out of Targets.
	Requested []*Target
	// Inputs are what is built for a platform of its own. Each refers only to
	// inputs before it.
	Inputs []*Input
	// Needs are the stages that have to be built for a result to be handed
	// over, each once.
	Needs []*Choice
	// Triggers reports whether an ONBUILD trigger names a stage that is reached.
	Triggers bool
	// UnknownBases are the base images of the stages that are reached, each once, if
	// the request does not have their triggers. Planning again with these can reach
	// more stages.
	UnknownBases []Base
	// Warnings are findings that stop no build.
	Warnings source.List

	reached map[*Choice]bool
	inputs  map[*Input]bool
	bases   map[string]bool // by Base.Key
}

// Request is a stage to build, and the platforms to build it for.
type Request struct {
	// Stage is the target stage's name, or "" for the file's default.
	Stage string
	// Platforms are the target platforms.
	Platforms []guard.Platform
	// Triggers are the ONBUILD triggers of base images, as far as they are known.
	Triggers Triggers
}

// Resolve plans a file that uses the language, for all platforms of a request. The
// error is a source.List of the diagnostics on any of them, those of the file
// included, but not those that follow from another. The set is nil then.
func Resolve(file *syntax.File, env Env, req Request) (*Set, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	return resolved(file, env, req).set(req.Stage, req.Platforms)
}

// ResolvePossible is [Resolve] for the platforms that the stage can be built for. The
// others are only left out of the set's Targets: an invalid guard is an error on every
// requested platform. When the stage can be built for none, the error tells why.
func ResolvePossible(file *syntax.File, env Env, req Request) (*Set, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	f := resolved(file, env, req)
	var possible []guard.Platform
	for _, platform := range req.Platforms {
		if len(f.obstacles(req.Stage, platform)) == 0 {
			possible = append(possible, platform)
		}
	}
	if len(possible) == 0 {
		return f.set(req.Stage, req.Platforms)
	}
	set, err := f.set(req.Stage, possible)
	if err != nil {
		return nil, err
	}
	set.Requested = nil
	for _, platform := range req.Platforms {
		r := f.member(platform)
		target, _ := r.target(req.Stage)
		_, target.Unreached = r.faults(set)
		set.Requested = append(set.Requested, target)
	}
	return set, nil
}

// family is the platforms of one request while they are resolved.
type family struct {
	file     *syntax.File
	env      Env
	stage    string // the target stage's name, or "" for the default
	members  map[string]*resolver
	order    []*resolver
	inputs   map[string]*Input
	triggers Triggers
	names    typos // made when it is first asked for
}

func newFamily(file *syntax.File, env Env, stage string) *family {
	return &family{file: file, env: env, stage: stage, members: map[string]*resolver{}, inputs: map[string]*Input{}}
}

// resolved returns the family of some target platforms, with all stages resolved for
// these.
func resolved(file *syntax.File, env Env, req Request) *family {
	f := newFamily(file, env, req.Stage)
	f.triggers = req.Triggers
	for _, platform := range req.Platforms {
		f.member(platform)
	}
	// Resolving stages can bring in another platform, of which those above matter.
	for _, platform := range req.Platforms {
		f.member(platform).upTo(len(file.Stages))
	}
	for linked := true; linked; {
		linked = false
		for _, r := range f.order {
			linked = r.upTo(r.read()) || linked
		}
	}
	return f
}

// set returns what is built when a stage is, for some of the target platforms. The
// family can be asked for others afterwards.
func (f *family) set(stage string, targets []guard.Platform) (*Set, error) {
	set := &Set{Warnings: slices.Clone(f.file.Warnings), reached: map[*Choice]bool{}, inputs: map[*Input]bool{}, bases: map[string]bool{}}
	faults := map[*resolver]source.List{}
	for _, platform := range targets {
		r := f.member(platform)
		target, missing := r.target(stage)
		faults[r] = missing
		set.Targets = append(set.Targets, target)
		set.Warnings = append(set.Warnings, undeclared(f.file, platform)...)
	}
	for _, t := range set.Targets {
		f.reach(set, t.Choice)
	}
	list := slices.Clone(f.file.Diagnostics)
	for _, r := range f.order {
		reached, _ := r.faults(set)
		list = slices.Concat(list, r.diagnostics, faults[r], reached)
	}
	for _, t := range set.Targets {
		_, t.Unreached = f.member(t.Platform).faults(set)
	}
	set.Requested = set.Targets
	if err := list.Err(); err != nil {
		return nil, err
	}
	return set, nil
}

// faults returns the problems of references: of those in stages that a set reaches, and
// of others.
func (r *resolver) faults(set *Set) (reached, others source.List) {
	for _, c := range r.plan.Stages {
		if set.reached[c] {
			reached = append(reached, r.problems[c]...)
		} else {
			others = append(others, r.problems[c]...)
		}
	}
	return reached, others
}

// WithAllInputs returns the set with the inputs of all selected stages of its targets'
// platforms, reached or not: BuildKit reads all of them when it checks a file.
func (s *Set) WithAllInputs() *Set {
	all := *s
	all.Inputs = s.allInputs()
	return &all
}

func (s *Set) allInputs() []*Input {
	var inputs []*Input
	read, known := map[*Choice]bool{}, map[*Input]bool{}
	var visit func(*Choice)
	visit = func(c *Choice) {
		if c == nil || read[c] {
			return
		}
		read[c] = true
		for _, e := range c.Edges {
			visit(e.Stage)
			if in := c.supplied(e); in != nil && !known[in] && e.Reference.Kind != syntax.Needs {
				known[in] = true
				inputs = append(inputs, in)
			}
		}
	}
	for _, t := range s.Targets {
		for _, c := range t.Stages {
			visit(c)
		}
	}
	return inputs
}

// typos returns the index of the file's stage names.
func (f *family) typos() typos {
	if f.names == nil {
		f.names = newTypos(f.file.StageNames())
	}
	return f.names
}

// member returns the resolver of a platform, with its stages chosen.
func (f *family) member(platform guard.Platform) *resolver {
	key := guard.FormatPlatform(platform)
	if r, ok := f.members[key]; ok {
		return r
	}
	r := &resolver{
		family:   f,
		plan:     &Plan{File: f.file, Env: f.env, Platform: platform, decisions: make([]guard.Decision, len(f.file.Instructions))},
		problems: map[*Choice]source.List{},
		blocks:   map[*syntax.Block]outcome{},
	}
	f.members[key] = r
	f.order = append(f.order, r)
	r.globals()
	r.choose()
	r.declared = r.scope.child(true)
	return r
}

// input returns the input for a stage, or else an image, on a platform.
func (f *family) input(ref *syntax.Reference, stage *Choice, image string, platform guard.Platform) *Input {
	subject := inputSubject(ref, image)
	if stage != nil {
		subject = fmt.Sprintf("stage%d", stage.Stage.Index)
	}
	// A domain that does not exist: nothing can be pulled by this name.
	name := "stagebuild.invalid/" + subject + "/" + guard.PlatformName(platform)
	in := f.inputs[name]
	if in == nil {
		in = &Input{Name: name, Stage: stage, Image: image, Platform: platform, Reference: ref}
		f.inputs[name] = in
	}
	return in
}

// inputSubject returns what the name of an image's input tells it from others by:
// its line, and the image itself where a line can name several.
func inputSubject(ref *syntax.Reference, image string) string {
	subject := fmt.Sprintf("image%d", ref.Instruction.First)
	if refs := ref.Instruction.References; ref.HasVariables() || len(refs) > 0 && ref != refs[0] {
		sum := sha256.Sum256([]byte(image))
		subject += fmt.Sprintf("-%x", sum[:4])
	}
	return subject
}

// reach marks what a stage is made from and what it needs, the stage included,
// and collects the inputs and needs among it: each behind those that it is made
// from itself.
func (f *family) reach(set *Set, c *Choice) {
	if c == nil || set.reached[c] {
		return
	}
	set.reached[c] = true
	set.addBase(c, f.triggers)
	for _, e := range c.Edges {
		set.Triggers = set.Triggers || e.triggered && e.Stage != nil
		f.reach(set, e.Stage)
		switch {
		case e.Reference.Kind == syntax.Needs:
			if e.Stage != nil && !slices.Contains(set.Needs, e.Stage) {
				set.Needs = append(set.Needs, e.Stage)
			}
		default:
			if in := c.supplied(e); in != nil && !set.inputs[in] {
				set.inputs[in] = true
				set.Inputs = append(set.Inputs, in)
			}
		}
	}
}

// undeclared warns of a target platform that the file does not declare.
func undeclared(file *syntax.File, platform guard.Platform) source.List {
	if file.Platforms == nil {
		return nil
	}
	match := platforms.OnlyStrict(platform)
	if slices.ContainsFunc(file.Platforms, match.Match) {
		return nil
	}
	var names []string
	for _, p := range file.Platforms {
		names = append(names, guard.FormatPlatform(p))
	}
	return source.List{{
		Name: UndeclaredPlatform, Span: file.PlatformsSpan,
		Message: "the file does not declare " + guard.FormatPlatform(platform) + ", only " + strings.Join(names, ", "),
		Hint:    "add it to # platforms=, or build for a declared one",
	}}
}
