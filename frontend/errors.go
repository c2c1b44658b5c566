package frontend

import (
	"errors"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/stagebuild/stagebuild/frontend/source"
	"google.golang.org/grpc/status"
)

// needError is the error of a stage that is needed.
type needError struct {
	stage string // as [needed] gives it
	err   error
}

// Error says which stage failed, and its own error.
func (e *needError) Error() string {
	return fmt.Sprintf("stage %s, which is needed, failed: %v", e.stage, e.err)
}

// Unwrap returns the stage's own error, which carries its source.
func (e *needError) Unwrap() error {
	return e.err
}

// GRPCStatus keeps the message whole on its way through the daemon: without it
// only that of the stage's own error arrives (ToGRPC in util/grpcerrors).
func (e *needError) GRPCStatus() *status.Status {
	return status.New(grpcerrors.Code(e.err), e.Error())
}

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
	return toRanges([]parser.Range{parserRange(d)})[0]
}

// parserRange is rangeOf for BuildKit's parser and linter.
func parserRange(d *source.Diagnostic) parser.Range {
	start, end := d.Span.Pos(), d.Span.LastPos()
	return parser.Range{
		Start: parser.Position{Line: start.Line, Character: start.Column - 1},
		End:   parser.Position{Line: end.Line, Character: end.Column},
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
