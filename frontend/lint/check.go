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

// Violation begins the error that "# check=error=true" asks for (Error in BuildKit's
// linter/linter.go).
const Violation = "lint violation found for rules: "

// Check runs all rules on a file that uses the language, for the platforms that a
// set was asked about. Findings go to config.Warn, in the order of the rules' names and the
// file's lines. The error says which rules found something when config asks for
// that ("# check=error=true").
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

// find reports a finding about an instruction, unless the comment above it skips
// the rule.
func (c *checker) find(in *syntax.Instruction, format string, args ...any) {
	var location []parser.Range
	for line := in.First; line <= in.Last; line++ {
		location = append(location, parser.Range{Start: parser.Position{Line: line}, End: parser.Position{Line: line}})
	}
	c.linter.WithMergedConfigFromComments(c.file.Comments(in)).
		Run(c.rule.linterRule(), location, fmt.Sprintf(format, args...))
}

// finding is what is wrong with an instruction.
type finding struct {
	in      *syntax.Instruction
	message string
}

// findOnce reports what holds for some of the platforms that are checked, once,
// with the platforms.
func (c *checker) findOnce(holds func(*plan.Target) []finding) {
	var found []finding
	platforms := map[finding][]string{}
	for _, t := range c.set.Requested {
		platform := guard.FormatPlatform(t.Platform)
		for _, f := range holds(t) {
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
			c.find(f.in, "%s", f.message)
		} else {
			c.find(f.in, "%s (for %s)", f.message, strings.Join(platforms[f], ", "))
		}
	}
}

func checkConstantCondition(c *checker) {
	for _, in := range c.file.Instructions {
		if cond := in.Guard.If; cond != nil && cond.IsConstant() {
			c.find(in, "The condition %s depends on no build arg and no platform", cond)
		}
	}
}

func checkCopyWholeStage(c *checker) {
	c.findOnce(func(t *plan.Target) []finding {
		var found []finding
		for edge := range edges(t.Plan) {
			in := edge.Reference.Instruction
			ofStage := edge.Reference.Kind == syntax.CopyFrom && edge.Stage != nil
			if ofStage && hasBaseImage(edge.Stage) && slices.ContainsFunc(c.sources(in), isRoot) {
				found = append(found, finding{in, fmt.Sprintf("COPY takes all of stage %q, its base image included", edge.Stage.Stage.Name)})
			}
		}
		return found
	})
}

// hasBaseImage reports whether files of a stage can be those of an image: whether it
// is not made from scratch, over other stages if need be.
func hasBaseImage(stage *plan.Choice) bool {
	for ; stage != nil && len(stage.Edges) > 0; stage = stage.Edges[0].Stage {
		if stage.Edges[0].IsScratch() {
			return false
		}
	}
	return true
}

// sources returns what a COPY copies, without quotes and with its variables as they
// are.
func (c *checker) sources(in *syntax.Instruction) []string {
	words := strings.Fields(in.Args())
	if strings.HasPrefix(in.Args(), "[") {
		words = nil
		_ = json.Unmarshal([]byte(in.Args()), &words) // BuildKit refuses what is no list
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
	c.findOnce(func(t *plan.Target) []finding {
		var found []finding
		for edge := range edges(t.Plan) {
			in := edge.Reference.Instruction
			if edge.Reference.Kind != syntax.FromBase || edge.Stage == nil || edge.Input != nil {
				continue
			}
			for _, s := range c.file.Stages {
				if s.From == in && s.Platform != "" {
					found = append(found, finding{in, fmt.Sprintf("--platform=%s is ignored: %q is a stage; write FROM %s::%s", s.Platform, edge.Name, edge.Name, s.Platform)})
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
	c.findOnce(func(t *plan.Target) []finding {
		var found []finding
		available := map[string]bool{}
		for _, choice := range t.Stages {
			available[choice.Stage.Name] = available[choice.Stage.Name] || choice.Decision.Holds
		}
		for _, name := range c.file.StageNames() {
			if !available[name] {
				found = append(found, finding{c.file.Group(name).Stages[0].From, fmt.Sprintf("Stage %q cannot be built", name)})
			}
		}
		if n := len(t.Stages); n > 0 && t.Stages[n-1].Stage.Name == "" && !t.Stages[n-1].Decision.Holds {
			found = append(found, finding{t.Stages[n-1].Stage.From, "The default stage cannot be built"})
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
			c.find(in, "--for=%s matches no platform that the file declares", patterns)
		}
	}
}

func checkUnnamedReference(c *checker) {
	for _, in := range c.file.Instructions {
		for _, ref := range slices.Concat(in.References, in.Triggered) {
			if ref.Kind == syntax.CopyFrom && ref.Text != "" && strings.Trim(ref.Text, "0123456789") == "" {
				c.find(in, "COPY --from=%s counts stages", ref.Text)
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
				c.find(s.From, "The variant on line %d of the same branch has no guard, so that this one is never selected", always.From.First)
			case above == nil:
				first[condition{branch, own}] = s
			case s.IsGuarded():
				c.find(s.From, "The variant on line %d has the same guard, so that this one is never selected", above.From.First)
			}
		}
	}
}

// condition is what decides whether a stage is selected: the branch that it stands
// in, and its own guard.
type condition struct {
	branch *syntax.Branch
	guard  string
}

func checkUnresolvedStage(c *checker) {
	c.findOnce(func(t *plan.Target) []finding {
		var found []finding
		for _, u := range t.Unreached {
			found = append(found, finding{u.Instruction, c.summarize(u.Diagnostic, t.Plan)})
		}
		return found
	})
}

// summarize returns a diagnostic of a plan in one line. If other platforms are checked
// too, it leaves out the plan's platform, which findOnce adds to the finding.
func (c *checker) summarize(d *source.Diagnostic, p *plan.Plan) string {
	short := *d
	if len(c.set.Requested) > 1 && short.Platform == guard.FormatPlatform(p.Platform) {
		short.Platform = ""
	}
	return short.Summary()
}
