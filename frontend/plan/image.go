package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// checkImage decides whether a reference that means no stage above c means an image. The
// reference is invalid if a stage has its name, or a similar one. p is the plan of the
// platform that the reference is for. The list of an invalid reference is empty if the
// cause is reported elsewhere.
func (l *linker) checkImage(p *Plan, c *Choice, e Edge) (isInvalid bool, list source.List) {
	ref := e.Reference
	if !p.File.IsStaged {
		return false, nil // BuildKit takes every other name for an image.
	}
	if list = l.singleColon(e); len(list) > 0 {
		return true, list
	}
	group := p.File.Group(e.Name)
	switch {
	case group == nil && ref.Kind == syntax.Needs:
		hint := source.DidYouMean(e.Name, p.File.StageNames())
		list = source.List{l.plan.diagnostic(ref.Span(), UnknownStage, `no stage is named "`+e.Name+`"`,
			cmp.Or(hint, "--needs takes the name of a stage above, not of an image"))}
		return true, list
	case group == nil:
		list = l.resemblesStage(c, e)
		return len(list) > 0, list
	case ref.Kind == syntax.FromBase && group.Name == c.Stage.Name:
		return false, nil // FROM debian AS debian means the image.
	}
	found := p.find(e.Name, len(p.Stages))
	if found == nil {
		list := p.noVariant(group, ref.Span())
		for _, d := range list {
			d.Hint += ", or guard this line with --for or --if"
		}
		return true, list
	}
	return true, source.List{p.notAbove(group, found.Stage, c.Stage, ref)}
}

// singleColon returns the diagnostic of name:PLATFORM. No image has such a name, because a
// tag has no slash, and the platform of a registry's port is a number.
func (l *linker) singleColon(e Edge) source.List {
	name, platform, _ := strings.Cut(e.Name, ":")
	if _, errs := guard.ParsePlatforms(platform); len(errs) > 0 || name == "" || !strings.Contains(platform, "/") {
		return nil
	}
	if rest, ok := strings.CutPrefix(e.Reference.Text, name+":"); ok {
		platform = rest
	}
	return source.List{l.plan.diagnostic(e.Reference.Span(), InvalidReference,
		quote(e.Name)+" has one colon before the platform", "write "+name+"::"+platform)}
}

// noVariant returns the diagnostic of a stage without a selected variant. It lists all
// variants with the reasons. The list is empty if a variant is undecided, because the
// cause is reported elsewhere.
func (p *Plan) noVariant(group *syntax.Group, span source.Span) source.List {
	var b strings.Builder
	for _, s := range group.Stages {
		d := p.Stages[s.Index].Decision
		if d.IsUndecided() {
			return nil
		}
		fmt.Fprintf(&b, "\n  line %d: %s", s.From.First, d.Reason)
	}
	hint := "add a variant whose guard holds, or one without a guard below the others: FROM … AS " + group.Name
	if context := p.nearContext(group.Name); context != "" {
		hint = fmt.Sprintf("there is a named context %q; name it %q to replace the stage", context, group.Name)
	}
	return source.List{p.platformDiagnostic(span, NoVariant, fmt.Sprintf("stage %q has no variant", group.Name), b.String(), hint)}
}

// nearContext returns the named context whose name is similar to that of a stage, or "".
// It leaves out contexts that have the name of another stage.
func (p *Plan) nearContext(stage string) string {
	var names []string
	for context := range p.Env.Contexts {
		name, _, _ := syntax.SplitPlatform(context)
		if group := p.File.Group(name); group == nil || group.Name != name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return source.Closest(stage, names)
}

// notAbove returns the diagnostic of a reference to a stage that is not above the stage
// that uses it.
func (p *Plan) notAbove(group *syntax.Group, found, user *syntax.Stage, ref *syntax.Reference) *source.Diagnostic {
	d := p.diagnostic(ref.Span(), StageBelow, `stage "`+group.Name+`" refers to itself`, "refer to a stage above it")
	if found != user {
		d.Message = `stage "` + group.Name + `" is defined below, on line ` + strconv.Itoa(found.From.First)
		d.Hint = "move it above the stage that uses it"
	}
	if first := p.find(group.Name, user.Index); first != nil {
		place := "which is this one"
		if found != user {
			place = "which is below, on line " + strconv.Itoa(found.From.First)
		}
		d.Message = written(ref) + ` means the last stage named "` + group.Name + `", ` + place
		d.Hint = "rename one of them, or write --for or --if on line " + strconv.Itoa(first.Stage.From.First)
	} else if chain := referenceChain(p.File, found, user); chain != "" && found != user {
		d.Message += ", and depends on this one"
		d.Detail = chain
		d.Hint = "break the cycle: move the shared instructions into a stage above both"
	}
	return d
}

// referenceChain returns the references that lead from one stage to another, directly or
// through other stages, one on each line. It returns "" if there are none. It follows the
// names as written, for all variants.
func referenceChain(file *syntax.File, from, to *syntax.Stage) string {
	path := map[*syntax.Stage]string{from: ""} // the references that lead to each stage
	for pending := []*syntax.Stage{from}; len(pending) > 0; pending = pending[1:] {
		s := pending[0]
		for _, ref := range s.References() {
			name, _, _ := syntax.SplitPlatform(ref.Text)
			group := file.Group(name)
			if group == nil {
				continue
			}
			step := fmt.Sprintf("%s\n  line %d: %s", path[s], ref.Instruction.First, written(ref))
			for _, next := range group.Stages {
				if next == to {
					return step
				}
				if _, seen := path[next]; !seen {
					path[next] = step
					pending = append(pending, next)
				}
			}
		}
	}
	return ""
}

// resemblesStage returns the diagnostic of a name that is one typo away from the name of a
// stage. A reference with a tag, path or digest, such as alpine:latest, always means an
// image.
func (l *linker) resemblesStage(c *Choice, e Edge) source.List {
	if strings.ContainsAny(e.Name, ":/@") || e.Name == emptyImage {
		return nil
	}
	near := l.planner.similarStage(e.Name)
	if near == "" || near == c.Stage.Name {
		return nil
	}
	return source.List{l.plan.diagnostic(e.Reference.Span(), UnknownStage,
		`no stage is named "`+e.Name+`"`,
		`did you mean "`+near+`"? (for an image, write "`+e.Name+`:latest")`)}
}

// similarStage returns the name of a stage that is one typo away from word, or "".
func (p *planner) similarStage(word string) string {
	if p.typos == nil {
		p.typos = newTypos(p.file.StageNames())
	}
	return p.typos.find(word)
}

// minTypoLength is the length of the shortest stage name that is suggested for a similar
// name. Shorter names all resemble each other.
const minTypoLength = 4

// typos finds the name that is one typo away from a word: one letter more, less or
// different, or two letters swapped. The keys are the names with each letter left out, so
// a lookup does not compare the word with all names.
type typos map[string][]string

func newTypos(names []string) typos {
	t := typos{}
	for _, name := range names {
		for key := range shortened(name) {
			t[key] = append(t[key], name)
		}
	}
	return t
}

// find returns a name that is one typo away from word, or "".
func (t typos) find(word string) string {
	word = strings.ToLower(word)
	for key := range shortened(word) {
		for _, name := range t[key] {
			// Two words with the same key can differ by more than one typo.
			if name != word && len(name) >= minTypoLength && source.OneTypo(name, word) {
				return name
			}
		}
	}
	return ""
}

// shortened yields the word, and the word without each of its letters.
func shortened(word string) func(func(string) bool) {
	return func(yield func(string) bool) {
		if !yield(word) {
			return
		}
		for i := range word {
			if !yield(word[:i] + word[i+1:]) {
				return
			}
		}
	}
}
