package plan

import (
	"strconv"

	"github.com/containerd/platforms"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Base is an image that a stage is FROM.
type Base struct {
	// Image is the reference as BuildKit reads it in the lowered file.
	Image    string
	Platform guard.Platform
}

// Key identifies the base in [Triggers].
func (b Base) Key() string {
	return b.Image + " " + platforms.FormatAll(b.Platform)
}

// Triggers are the ONBUILD triggers of base images, by [Base.Key]. An image without
// triggers that was looked up has an entry, too.
type Triggers map[string][]string

// baseImage returns the image that a stage is FROM, or nil when it is FROM a stage or
// from scratch, when a named context replaces the base, or when its platform is unknown.
func (r *resolver) baseImage(c *Choice) *Base {
	base := c.Edges[0]
	isContext := r.plan.File.Group(base.Name) != nil && r.hasContext(c.Stage, base.Name)
	if base.Stage != nil || isContext || base.faulty || base.Name == emptyImage {
		return nil
	}
	platform, ok := r.plan.Platform, true
	switch {
	case base.Input != nil:
		platform = base.Input.Platform
	case c.Stage.Platform != "":
		platform, ok = r.stagePlatform(c.Stage)
	}
	if !ok {
		return nil
	}
	return &Base{Image: base.Name, Platform: platform}
}

// imageTriggers links the references in the ONBUILD triggers of a stage's base image.
// They run in the stage and look among all stages of its file. Their diagnostics point
// at the FROM.
func (r *resolver) imageTriggers(c *Choice) {
	c.base = r.baseImage(c)
	if c.base == nil {
		return
	}
	for _, trigger := range r.family.triggers[c.base.Key()] {
		r.triggered = true
		known := len(r.problems[c])
		for _, ref := range triggerReferences(trigger) {
			c.Edges = append(c.Edges, r.trigger(c, ref, c.Stage.Base.Span()))
		}
		for _, d := range r.problems[c][known:] {
			d.Message = "the base image has the trigger " + strconv.Quote("ONBUILD "+trigger) + ", and " + d.Message
		}
	}
}

// triggerReferences returns the references in a trigger. An image stores it as one
// instruction whose escape character is the backslash.
func triggerReferences(trigger string) []*syntax.Reference {
	// BuildKit reports what is wrong with it.
	file, _ := syntax.Parse(source.NewFile("trigger", []byte("FROM scratch\nONBUILD "+trigger)))
	var refs []*syntax.Reference
	for _, s := range file.Stages {
		for _, in := range s.Body {
			for _, ref := range in.Triggered {
				if !ref.HasVariables() {
					refs = append(refs, ref)
				}
			}
		}
	}
	return refs
}

// addBase adds the base image of a stage, unless its triggers are known.
func (s *Set) addBase(c *Choice, known Triggers) {
	if c.base == nil {
		return
	}
	key := c.base.Key()
	if _, ok := known[key]; ok || s.bases[key] {
		return
	}
	s.bases[key] = true
	s.UnknownBases = append(s.UnknownBases, *c.base)
}
