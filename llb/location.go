package llb

import (
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// DiagnosticRange returns the place of a diagnostic as BuildKit's parser and linter
// count: 1-based lines and 0-based characters.
func DiagnosticRange(d *source.Diagnostic) parser.Range {
	start, end := d.Span.Pos(), d.Span.LastPos()
	return parser.Range{
		Start: parser.Position{Line: start.Line, Character: start.Column - 1},
		End:   parser.Position{Line: end.Line, Character: end.Column},
	}
}

// Ranges converts ranges of BuildKit's parser to those of a source location in LLB.
func Ranges(ranges []parser.Range) []*pb.Range {
	list := make([]*pb.Range, len(ranges))
	for i, r := range ranges {
		list[i] = &pb.Range{
			Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Character)},
			End:   &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Character)},
		}
	}
	return list
}
