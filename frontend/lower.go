package frontend

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
)

// work is what a request has converted.
type work struct {
	// targets are the lowered files of the platforms that were asked for.
	targets []llb.Input
	// needs are the stages that have to be built beside them.
	needs []need
	// scanned are the stages to scan that a target is made from as they are for
	// platforms of their own.
	scanned map[*plan.Input][]scanned
	// set is nil for a file that does not use the language.
	set *plan.Set
	// violations are the rules that the user's text violates.
	violations violations
}

// warnings returns the findings of our own that stop no build.
func (w *work) warnings() source.List {
	if w.set == nil {
		return nil
	}
	return w.set.Warnings
}

// need is a stage that has to be built for the result to be handed over.
type need struct {
	llb.Input
	stage string // quoted, with its platform where that is not clear
}

// needed returns a needed stage's name as errors give it: with its platform, where
// several are there.
func needed(set *plan.Set, c *plan.Choice) string {
	name := strconv.Quote(c.Stage.Name)
	if len(set.Targets) == 1 && c.Plan == set.Targets[0].Plan {
		return name
	}
	return name + " for " + guard.FormatPlatform(c.Plan.Platform)
}

// lower decides and lowers the file for each platform, before anything is asked
// of the daemon, and supplies what references name for platforms of their own.
// Errors of all platforms come back together, as a source.List.
func (r *request) lower(ctx context.Context, file *syntax.File, targets []*ocispecs.Platform) (*work, error) {
	if !file.IsStaged {
		return r.plain(ctx, file, targets), nil
	}
	set, err := r.resolve(ctx, plan.Resolve, file, targets)
	if err != nil {
		return nil, err
	}
	return r.lowerSet(ctx, set, targets)
}

// lowerSet lowers what becomes of a file for the targets of a set.
func (r *request) lowerSet(ctx context.Context, set *plan.Set, targets []*ocispecs.Platform) (*work, error) {
	w := &work{set: set, scanned: map[*plan.Input][]scanned{}}
	l := lowered{}
	for i, t := range set.Targets {
		in := llb.Input{
			AllStages: set.Triggers, Target: t.Name, Platform: targets[i], Names: w.names(t.Plan), Warn: r.warn(ctx, w),
		}
		if t.Choice != nil {
			in.Dockerfile = w.stage(l, t.Choice)
		} else {
			in.Dockerfile = l.text(t.Plan)
		}
		w.targets = append(w.targets, in)
	}
	for _, c := range set.Needs {
		w.needs = append(w.needs, need{r.part(ctx, w, l, c), needed(set, c)})
	}
	return w, r.supply(ctx, w, l)
}

// plain passes a file that does not use the language on untouched. Its platforms
// find the same, so one of them warns, as in BuildKit.
func (r *request) plain(ctx context.Context, file *syntax.File, targets []*ocispecs.Platform) *work {
	w := &work{}
	for i, platform := range targets {
		in := llb.Input{Dockerfile: file.Source.Data, Target: r.Target, Platform: platform}
		if i == 0 {
			in.Warn = r.warn(ctx, w)
		}
		w.targets = append(w.targets, in)
	}
	return w
}

// lowered keeps the lowered text of each plan: several stages are built from one.
type lowered map[*plan.Plan][]byte

func (l lowered) text(p *plan.Plan) []byte {
	if l[p] == nil {
		l[p] = plan.Lower(p)
	}
	return l[p]
}

// stage returns the text that a stage is built from.
func (w *work) stage(l lowered, c *plan.Choice) []byte {
	if w.set.Triggers { // all stages of the text are converted
		return plan.LowerStage(c)
	}
	return l.text(c.Plan)
}

// names returns what steps call by other names than the lowered file has: a
// variant with its line ("base:12"), a stage without a name by its number among
// the stages as written ("stage-2"), and what is meant for a platform of its own.
func (w *work) names(p *plan.Plan) llb.Names {
	names := llb.Names{Stages: map[string]string{}, References: map[string]string{}}
	for _, in := range w.set.Inputs {
		name := in.Image
		if in.Stage != nil {
			name = in.Stage.Stage.Name
		}
		names.References[in.Name] = name + "::" + guard.FormatPlatform(in.Platform)
	}
	for _, c := range p.Stages {
		if !c.Decision.Holds {
			continue
		}
		name := c.Stage.Name
		switch {
		case name == "":
			names.Stages[fmt.Sprintf("stage-%d", c.Position())] = fmt.Sprintf("stage-%d", c.Stage.Index)
		case len(p.File.Group(name).Stages) > 1 && p.File.Group(name).IsGuarded():
			names.Stages[name] = fmt.Sprintf("%s:%d", name, c.Stage.From.First)
		}
	}
	return names
}

// defaultStage is the value of TARGETSTAGE for a target without a name
// (defaultArgs in BuildKit's dockerfile2llb/platform.go).
const defaultStage = "default"

// part returns a stage that is built beside the target, as a part of it.
func (r *request) part(ctx context.Context, w *work, l lowered, c *plan.Choice) llb.Input {
	stages := c.Plan.File.Stages
	target := cmp.Or(r.Target, stages[len(stages)-1].Name, defaultStage)
	return llb.Input{
		Dockerfile: until(w.stage(l, c), c), AllStages: w.set.Triggers, Target: c.Stage.Name, Platform: &c.Plan.Platform,
		TargetStage: target, Part: true, Names: w.names(c.Plan), Warn: r.warn(ctx, w),
	}
}

// until returns a lowered file up to the next stage of the same name as c: BuildKit
// takes the last stage of a name for the target.
func until(text []byte, c *plan.Choice) []byte {
	for _, next := range c.Plan.Stages[c.Stage.Index+1:] {
		if next.Decision.Holds && next.Stage.Name == c.Stage.Name {
			lines := bytes.SplitAfter(text, []byte{'\n'})
			return bytes.Join(lines[:next.Stage.From.First-1], nil)
		}
	}
	return text
}

// supply converts what is referred to for a platform of its own, each once. An
// input refers only to inputs before it.
func (r *request) supply(ctx context.Context, w *work, l lowered) error {
	for _, input := range w.set.Inputs {
		var res *llb.Result
		var err error
		if input.Stage != nil {
			res, err = r.converter.Convert(ctx, r.part(ctx, w, l, input.Stage))
		} else {
			res, err = r.imageFiles(ctx, input)
		}
		if err != nil {
			return err
		}
		if err := r.inputs.Add(input.Name, res.Definition, res.Image); err != nil {
			return fmt.Errorf("supplying %s: %w", input.Name, err)
		}
		w.scanned[input] = scannedOf(input, res)
	}
	return nil
}

// stageName is what can name a stage (parseBuildStageName in BuildKit's
// instructions/parse.go).
var stageName = regexp.MustCompile(`^[a-z][a-z0-9-_.]*$`)

// imageFiles converts an image, or the named context for it, of which only the files are
// meant: a file of one stage, whose FROM stands on the line of the reference. Errors
// point there.
func (r *request) imageFiles(ctx context.Context, input *plan.Input) (*llb.Result, error) {
	in := llb.Input{Platform: &input.Platform, Part: true, Files: true}
	from := "FROM " + input.Image
	name := input.Image
	isStageName := stageName.MatchString(strings.ToLower(name))
	if isStageName {
		name = strings.ToLower(name) // as names of contexts are
	}
	given, err := r.NamedContext(name, dockerui.ContextOpt{Platform: &input.Platform, ResolveMode: r.ImageResolveMode.String()})
	if err == nil && given != nil {
		// BuildKit would run the triggers of a context's image here.
		state, image, err := given.Load(ctx)
		if err == nil && image != nil && len(image.Config.OnBuild) > 0 {
			image.Config.OnBuild = nil
			return llb.Given(ctx, *state, image)
		}
		if isStageName {
			from = "FROM " + dockerui.EmptyImageName + " AS " + name
			in.Target = name
		}
	}
	in.Dockerfile = append(bytes.Repeat([]byte{'\n'}, input.Reference.Instruction.First-1), from...)
	return r.converter.Convert(ctx, in)
}

// env returns what decides for all platforms.
func (r *request) env() plan.Env {
	env := plan.Env{
		Build:    platforms.DefaultSpec(),
		Args:     r.BuildArgs,
		Contexts: map[string]bool{},
	}
	if len(r.BuildPlatforms) > 0 {
		env.Build = r.BuildPlatforms[0]
	}
	for key := range r.BuildOpts().Opts {
		// These two BuildKit never looks for (namedContextFunc in
		// dockerfile2llb/convert.go), nor for a name in upper case.
		name, ok := strings.CutPrefix(key, gateway.OptionContext)
		if ok && name != dockerui.DefaultLocalNameContext && name != dockerui.EmptyImageName {
			env.Contexts[name] = true
		}
	}
	return env
}
