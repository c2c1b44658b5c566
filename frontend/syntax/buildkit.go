package syntax

import (
	"bytes"
	"errors"

	dockerfile "github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// BuildKitError returns BuildKit's own error for a file without stages and for a
// plain file that BuildKit cannot parse. A staged file gets its other errors when it
// is resolved.
func (f *File) BuildKitError() error {
	if f.IsStaged {
		return f.noStages()
	}
	parsed, err := parser.Parse(bytes.NewReader(f.Source.Data))
	if err != nil {
		return err
	}
	if _, _, err := dockerfile.Parse(parsed.AST, linter.New(&linter.Config{})); err != nil {
		return err
	}
	return f.noStages()
}

// noStages returns the error for a file without stages, with the text of BuildKit's own
// (toDispatchState in dockerfile2llb/convert.go).
func (f *File) noStages() error {
	if len(f.Stages) == 0 {
		return errors.New("dockerfile contains no stages to build")
	}
	return nil
}
