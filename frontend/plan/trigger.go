package plan

import (
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

// Triggers are the ONBUILD triggers of base images, by [Base.Key]. An image that was
// looked up has an entry, also if it has no triggers.
type Triggers map[string][]string

// triggerReferences returns the references in a trigger. An image stores it as one
// instruction whose escape character is the backslash.
func triggerReferences(trigger string) []*syntax.Reference {
	// BuildKit reports syntax errors in it.
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
