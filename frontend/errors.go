package frontend

import (
	"errors"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// withSources adds BuildKit's source info to an error, for each place that our
// diagnostics or BuildKit's parser name: clients print the lines from it.
func withSources(err error, sm *llb.SourceMap) error {
	if sm == nil {
		return err
	}
	var places [][]*pb.Range
	for _, d := range source.Diagnostics(err) {
		places = append(places, []*pb.Range{rangeOf(d)})
	}
	if located, ok := errors.AsType[*parser.LocationError](err); ok {
		for _, ranges := range located.Locations {
			places = append(places, toRanges(ranges))
		}
	}
	info := &pb.SourceInfo{
		Data:       sm.Data,
		Filename:   sm.Filename,
		Language:   sm.Language,
		Definition: sm.Definition.ToPB(),
	}
	for _, ranges := range places {
		err = errdefs.WithSource(err, &errdefs.Source{Info: info, Ranges: ranges})
	}
	return err
}

// rangeOf returns a diagnostic's span: 1-based lines, 0-based characters.
func rangeOf(d *source.Diagnostic) *pb.Range {
	start, end := d.Pos(), d.File.Pos(max(d.Span.Start, d.Span.End-1))
	return &pb.Range{
		Start: &pb.Position{Line: int32(start.Line), Character: int32(start.Column - 1)},
		End:   &pb.Position{Line: int32(end.Line), Character: int32(end.Column)},
	}
}

func toRanges(ranges []parser.Range) []*pb.Range {
	list := make([]*pb.Range, len(ranges))
	for i, r := range ranges {
		list[i] = &pb.Range{
			Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Character)},
			End:   &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Character)},
		}
	}
	return list
}
