package lint

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Violation is the prefix of the error that "# check=error=true" causes (Error in
// BuildKit's linter/linter.go).
const Violation = "lint violation found for rules: "

// Check applies all check rules to a staged file, for the requested platforms of its set.
// It passes the findings to config.Warn, sorted by rule and line. If config sets
// "# check=error=true", the error lists the rules with findings.
func Check(file *syntax.File, set *plan.Set, config linter.Config) error {
	c := &checker{file: file, set: set, linter: linter.New(&config)}
	for _, rule := range Rules() {
		c.rule = rule
		rule.check(c)
	}
	return c.linter.Error()
}

// checker is the state of one Check.
type checker struct {
	file   *syntax.File
	set    *plan.Set
	linter *linter.Linter
	rule   *Rule
}

// report passes a finding to the linter, unless the comment above the instruction skips
// the rule. The platforms are those that the finding is limited to, if any.
func (c *checker) report(f finding, platforms ...string) {
	message := f.message
	if len(platforms) > 0 {
		message += " (for " + strings.Join(platforms, ", ") + ")"
	}
	if f.hint != "" {
		message += "; " + f.hint
	}
	var location []parser.Range
	for line := f.in.First; line <= f.in.Last; line++ {
		location = append(location, parser.Range{Start: parser.Position{Line: line}, End: parser.Position{Line: line}})
	}
	c.linter.WithMergedConfigFromComments(c.file.Comments(f.in)).Run(c.rule.linterRule(), location, message)
}

// finding is a warning of a rule about an instruction.
type finding struct {
	in      *syntax.Instruction
	message string
	hint    string // the fix
}

// reportOnce reports the findings of all checked platforms, each once. It adds the
// platforms to a finding that not all of them have.
func (c *checker) reportOnce(find func(*plan.Target) []finding) {
	var found []finding
	platforms := map[finding][]string{}
	for _, t := range c.set.Requested {
		platform := guard.FormatPlatform(t.Platform)
		for _, f := range find(t) {
			if platforms[f] == nil {
				found = append(found, f)
			}
			if !slices.Contains(platforms[f], platform) {
				platforms[f] = append(platforms[f], platform)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return a.in.Index - b.in.Index })
	for _, f := range found {
		if len(platforms[f]) == len(c.set.Requested) {
			c.report(f)
		} else {
			c.report(f, platforms[f]...)
		}
	}
}

func checkConstantCondition(c *checker) {
	for _, in := range c.file.Instructions {
		if cond := in.Guard.If; cond != nil && cond.IsConstant() {
			c.report(finding{in, fmt.Sprintf("The condition %s has the same value in every build", cond), "use a build arg or the platform in it, or remove it"})
		}
	}
}

func checkCopyWholeStage(c *checker) {
	c.reportOnce(func(t *plan.Target) []finding {
		var found []finding
		for edge := range edges(t.Plan) {
			in := edge.Reference.Instruction
			ofStage := edge.Reference.Kind == syntax.CopyFrom && edge.Stage != nil
			if ofStage && hasBaseImage(edge.Stage) && slices.ContainsFunc(c.sources(in), isRoot) {
				found = append(found, finding{in, fmt.Sprintf("COPY copies all of stage %q, including its base image", edge.Stage.Stage.Name), "copy only the paths that are needed"})
			}
		}
		return found
	})
}

// hasBaseImage reports whether a stage is built from an image, directly or through other
// stages, and not from scratch.
func hasBaseImage(stage *plan.Choice) bool {
	for ; stage != nil && len(stage.Edges) > 0; stage = stage.Edges[0].Stage {
		if stage.Edges[0].IsScratch() {
			return false
		}
	}
	return true
}

// sources returns the source paths of a COPY. It removes quotes, but does not expand
// variables.
func (c *checker) sources(in *syntax.Instruction) []string {
	words := strings.Fields(in.Args())
	if strings.HasPrefix(in.Args(), "[") {
		words = nil
		_ = json.Unmarshal([]byte(in.Args()), &words) // BuildKit refuses an invalid list
	}
	if len(words) == 0 {
		return nil
	}
	lex := shell.NewLex(c.file.Escape)
	lex.SkipUnsetEnv = true
	for i, word := range words {
		if text, _, err := lex.ProcessWord(word, shell.EnvsFromSlice(nil)); err == nil {
			words[i] = text
		}
	}
	return words[:len(words)-1]
}

func isRoot(source string) bool {
	return path.Clean("/"+source) == "/"
}

func checkStagePlatform(c *checker) {
	c.reportOnce(func(t *plan.Target) []finding {
		var found []finding
		for edge := range edges(t.Plan) {
			in := edge.Reference.Instruction
			if edge.Reference.Kind != syntax.FromBase || edge.Stage == nil || edge.Input != nil {
				continue
			}
			for _, s := range c.file.Stages {
				if s.From == in && s.Platform != "" {
					found = append(found, finding{in, fmt.Sprintf("--platform=%s is ignored, because %q is a stage", s.Platform, edge.Name), fmt.Sprintf("write FROM %s::%s", edge.Name, s.Platform)})
				}
			}
		}
		return found
	})
}

// edges yields the references of all selected stages.
func edges(p *plan.Plan) func(func(plan.Edge) bool) {
	return func(yield func(plan.Edge) bool) {
		for _, choice := range p.Stages {
			for _, e := range choice.Edges {
				if !yield(e) {
					return
				}
			}
		}
	}
}

func checkStageUnavailable(c *checker) {
	if c.file.Platforms == nil {
		return
	}
	c.reportOnce(func(t *plan.Target) []finding {
		var found []finding
		available := map[string]bool{}
		for _, choice := range t.Stages {
			available[choice.Stage.Name] = available[choice.Stage.Name] || choice.Decision.Holds
		}
		for _, name := range c.file.StageNames() {
			if !available[name] {
				found = append(found, finding{c.file.Group(name).Stages[0].From, fmt.Sprintf("Stage %q cannot be built", name), "add a variant whose guard holds"})
			}
		}
		if n := len(t.Stages); n > 0 && t.Stages[n-1].Stage.Name == "" && !t.Stages[n-1].Decision.Holds {
			found = append(found, finding{t.Stages[n-1].Stage.From, "The default stage cannot be built", "give it a name, and add a variant whose guard holds"})
		}
		return found
	})
}

func checkUndeclaredPlatform(c *checker) {
	if c.file.Platforms == nil {
		return
	}
	for _, in := range c.file.Instructions {
		if patterns := in.Guard.For; patterns != nil && !slices.ContainsFunc(c.file.Platforms, patterns.Match) {
			c.report(finding{in, fmt.Sprintf("--for=%s matches no declared platform", patterns), "add the platform to # platforms=, or change --for"})
		}
	}
}

func checkUnnamedReference(c *checker) {
	for _, in := range c.file.Instructions {
		for _, ref := range slices.Concat(in.References, in.Triggered) {
			if ref.Kind == syntax.CopyFrom && ref.Text != "" && strings.Trim(ref.Text, "0123456789") == "" {
				c.report(finding{in, fmt.Sprintf("COPY --from=%s means another stage once a FROM is added above", ref.Text), "name the stage with AS, and write --from=NAME"})
			}
		}
	}
}

func checkUnreachableVariant(c *checker) {
	for _, name := range c.file.StageNames() {
		first := map[condition]*syntax.Stage{}
		for _, s := range c.file.Group(name).Stages {
			branch, own := s.From.Branch, s.Guard().String()
			above := first[condition{branch, own}]
			switch always := first[condition{branch, ""}]; {
			case always != nil && s.IsGuarded():
				c.report(finding{s.From, fmt.Sprintf("This variant is never selected: the one on line %d of the same branch has no guard", always.From.First), "move this variant above it, or remove it"})
			case above == nil:
				first[condition{branch, own}] = s
			case s.IsGuarded():
				c.report(finding{s.From, fmt.Sprintf("This variant is never selected: the one on line %d has the same guard", above.From.First), "change its guard, or remove it"})
			}
		}
	}
}

// condition is the condition for selecting a stage: its branch and its own guard.
type condition struct {
	branch *syntax.Branch
	guard  string
}

func checkUnresolvedStage(c *checker) {
	c.reportOnce(func(t *plan.Target) []finding {
		var found []finding
		for _, u := range t.Unreached {
			found = append(found, finding{u.Instruction, c.summarize(u.Diagnostic, t.Plan), u.Hint})
		}
		return found
	})
}

// summarize returns a diagnostic of a plan in one line. If other platforms are checked
// too, it leaves out the plan's platform, which reportOnce adds to the finding.
func (c *checker) summarize(d *source.Diagnostic, p *plan.Plan) string {
	short := *d
	if len(c.set.Requested) > 1 && short.Platform == guard.FormatPlatform(p.Platform) {
		short.Platform = ""
	}
	return short.Summary()
}
