package plan

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// linkCross links a reference that names a platform with ::.
func (l *linker) linkCross(c *Choice, e Edge, platformText string) (Edge, source.List) {
	platform, d := l.parsePlatform(e, platformText)
	if d == nil {
		d = l.checkCross(c, e, platform)
	}
	if d != nil {
		e.isInvalid = true
		return e, source.List{d}
	}
	e.Platform = &platform
	draft := l.planner.draft(platform)
	draft.linkTo(c.Stage.Index)
	other := draft.plan
	if e.Context = other.Env.hasContext(e.Name, platform); !e.Context {
		if e.Stage = other.above(e.Reference.Kind, e.Name, c.Stage.Index); e.Stage == nil {
			var list source.List
			if e.isInvalid, list = l.checkImage(other, c, e); e.isInvalid {
				return e, list
			}
		}
	}
	// A --from that names the target platform itself needs no input.
	if other == l.plan && e.Stage != nil && e.Reference.Kind != syntax.FromBase {
		e.Name = e.Stage.Stage.Name
		return e, nil
	}
	if e.Reference.Kind != syntax.Needs {
		e.Input = l.planner.input(e.Reference, e.Stage, e.Name, platform)
	}
	return e, nil
}

// checkCross returns the diagnostic of a reference with a platform, or nil. It does not
// look for the stage.
func (l *linker) checkCross(c *Choice, e Edge, platform guard.Platform) *source.Diagnostic {
	ref := e.Reference
	if ref.Kind == syntax.FromBase {
		if d := l.checkStagePlatform(c, ref, platform); d != nil {
			return d
		}
	}
	invalid := func(message, hint string) *source.Diagnostic {
		return l.plan.diagnostic(ref.Span(), InvalidReference, message, hint)
	}
	_, _, hasSecond := syntax.SplitPlatform(e.Name)
	_, isNumber := stageNumber(e.Name)
	switch {
	case e.Name == "":
		return invalid("the reference has a platform but no name", "write NAME::PLATFORM")
	case hasSecond:
		return invalid("the reference has two platforms", "write NAME::PLATFORM")
	case !referenceText.MatchString(e.Name): // for example, a quote or an escaped line end
		return l.invalidName(ref, e.Name)
	case isNumber && ref.Kind == syntax.CopyFrom:
		return invalid("a stage number cannot have a platform", "give the stage a name, and write NAME::PLATFORM")
	}
	return nil
}

// platformVariables has the automatic args for words that people write as the platform of
// a reference.
var platformVariables = map[string]string{
	"buildplatform": "BUILDPLATFORM", "build": "BUILDPLATFORM", "local": "BUILDPLATFORM",
	"host": "BUILDPLATFORM", "native": "BUILDPLATFORM",
	"targetplatform": "TARGETPLATFORM", "target": "TARGETPLATFORM",
}

// parsePlatform parses the platform of a reference. It accepts no patterns.
func (l *linker) parsePlatform(e Edge, text string) (guard.Platform, *source.Diagnostic) {
	ref := e.Reference
	unknown := func(message, hint string) (guard.Platform, *source.Diagnostic) {
		return guard.Platform{}, l.plan.diagnostic(ref.Span(), guard.UnknownPlatform, message, hint)
	}
	name, _, ok := syntax.SplitPlatform(ref.Text)
	if !ok { // a variable holds the name and the platform
		name = e.Name
	}
	name = cmp.Or(name, "NAME") + "::"
	hint := "write " + name + "OS/ARCH[/VARIANT], such as " + name + "linux/arm64"
	if _, errs := guard.ParsePlatforms("linux/" + text); len(errs) == 0 && !strings.ContainsAny(text, "/*,") {
		hint = "write " + name + "linux/" + text
	}
	if variable := platformVariables[strings.ToLower(text)]; variable != "" {
		return unknown(quote(text)+" is not a platform", "write "+name+"$"+variable)
	}
	if text == "" {
		return unknown(quote(name)+" has no platform", "write "+name+"linux/arm64")
	}
	if _, errs := guard.ParsePlatforms(text); len(errs) > 0 && errs[0].Name == guard.UnknownPlatform {
		return unknown(errs[0].Message, errs[0].Hint)
	} else if len(errs) > 0 {
		return unknown(quote(text)+" is not a platform", hint)
	}
	if !strings.Contains(text, "/") || strings.ContainsAny(text, "*!,") {
		return unknown(quote(text)+" is not a platform", hint)
	}
	p, err := platforms.Parse(text)
	if err != nil {
		return unknown(err.Error(), hint)
	}
	return platforms.Normalize(p), nil
}

// checkStagePlatform returns the diagnostic of a --platform flag that differs from the
// platform of the base, or nil.
func (l *linker) checkStagePlatform(c *Choice, base *syntax.Reference, platform guard.Platform) *source.Diagnostic {
	if c.Stage.Platform == "" {
		return nil
	}
	given, ok := l.plan.stagePlatform(c.Stage)
	if !ok || guard.FormatPlatform(given) == guard.FormatPlatform(platform) {
		return nil
	}
	message := "--platform=" + guard.FormatPlatform(given) + " contradicts " + base.Text
	if base.HasVariables() {
		message += ", whose platform is " + guard.FormatPlatform(platform)
	}
	return l.plan.diagnostic(c.Stage.From.Span(), PlatformConflict, message, "remove --platform")
}

// input returns the cross-platform input for a stage, or for an image if stage is nil.
func (p *planner) input(ref *syntax.Reference, stage *Choice, image string, platform guard.Platform) *Input {
	subject := inputSubject(ref, image)
	if stage != nil {
		subject = fmt.Sprintf("stage%d", stage.Stage.Index)
	}
	// The domain .invalid is reserved, so no registry serves an image of this name.
	name := "stagebuild.invalid/" + subject + "/" + guard.PlatformName(platform)
	in := p.inputs[name]
	if in == nil {
		in = &Input{Name: name, Stage: stage, Image: image, Platform: platform, Reference: ref}
		p.inputs[name] = in
	}
	return in
}

// inputSubject returns the part of an input's name that identifies an image: the index of
// the instruction, and a hash of the image if the instruction can name several images.
func inputSubject(ref *syntax.Reference, image string) string {
	subject := fmt.Sprintf("image%d", ref.Instruction.Index)
	if refs := ref.Instruction.References; ref.HasVariables() || len(refs) > 0 && ref != refs[0] {
		sum := sha256.Sum256([]byte(image))
		subject += fmt.Sprintf("-%x", sum[:4])
	}
	return subject
}
