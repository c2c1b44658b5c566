package plan

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// checkImage decides whether a reference that means no stage above c means an image. It is
// invalid when its name is, or resembles, that of a stage. The plan is that of the
// platform that the reference is for. The list is empty for an invalid reference when
// its cause has been reported.
func (l *linker) checkImage(p *Plan, c *Choice, e Edge) (isInvalid bool, list source.List) {
	ref := e.Reference
	if !p.File.IsStaged {
		return false, nil // an image, as in BuildKit
	}
	group := p.File.Group(e.Name)
	switch {
	case group == nil && ref.Kind == syntax.Needs:
		hint := source.DidYouMean(e.Name, p.File.StageNames())
		list = source.List{l.plan.diagnostic(ref.Span(), UnknownStage, `no stage is named "`+e.Name+`"`, cmp.Or(hint, "--needs takes a stage above"))}
		return true, list
	case group == nil:
		list = l.resemblesStage(c, e)
		return len(list) > 0, list
	case ref.Kind == syntax.FromBase && group.Name == c.Stage.Name:
		return false, nil // FROM debian AS debian means the image.
	}
	found := p.find(e.Name, len(p.Stages))
	if found == nil {
		return true, p.noVariant(group, ref.Span())
	}
	message, hint := p.notAbove(group, found.Stage, c.Stage)
	return true, source.List{p.diagnostic(ref.Span(), StageBelow, message, hint)}
}

// resemblesStage returns the diagnostic of a name that is a typo away from that of a
// stage. A reference with more than a name, alpine:latest, always means an image.
func (l *linker) resemblesStage(c *Choice, e Edge) source.List {
	if strings.ContainsAny(e.Name, ":/@") || e.Name == emptyImage {
		return nil
	}
	near := l.planner.near(e.Name)
	if near == "" || near == c.Stage.Name {
		return nil
	}
	return source.List{l.plan.diagnostic(e.Reference.Span(), UnknownStage,
		`no stage is named "`+e.Name+`"`,
		`did you mean "`+near+`"? (for an image, write "`+e.Name+`:latest")`)}
}

// notAbove returns the message and hint about a stage that is not above its user.
func (p *Plan) notAbove(group *syntax.Group, found, user *syntax.Stage) (message, hint string) {
	message, hint = `stage "`+group.Name+`" refers to itself`, "refer to a stage above it"
	if found != user {
		message = `stage "` + group.Name + `" is defined below, on line ` + strconv.Itoa(found.From.First)
		hint = "move it above the stage that uses it"
	}
	if p.find(group.Name, user.Index) != nil {
		return message + ", and files are taken from the last stage of its name", "give the stages names of their own, or guards"
	}
	if chain := referenceChain(p.File, found, user); chain != "" && found != user {
		message += ", and is made from this one:" + chain
		hint = "break the cycle: move what both use into a stage above them"
	}
	return message, hint
}

// referenceChain returns how one stage refers to another, over others if need be: a line
// for each step, or "" when it does not. It follows the names as written, whatever the
// platform.
func referenceChain(file *syntax.File, from, to *syntax.Stage) string {
	path := map[*syntax.Stage]string{from: ""} // to each stage
	for pending := []*syntax.Stage{from}; len(pending) > 0; pending = pending[1:] {
		s := pending[0]
		for _, ref := range s.References() {
			name, _, _ := syntax.SplitPlatform(ref.Text)
			group := file.Group(name)
			if group == nil {
				continue
			}
			step := fmt.Sprintf("%s\n  line %d: %s %s", path[s], ref.Instruction.First, ref.Kind, ref.Text)
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
