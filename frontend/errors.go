package frontend

import (
	"errors"
	"fmt"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/status"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/llb"
)

// neededStageError is the error of a needed stage.
type neededStageError struct {
	stage string // as returned by neededName
	err   error
}

// Error returns the stage and its error.
func (e *neededStageError) Error() string {
	return fmt.Sprintf("needed stage %s failed: %v", e.stage, e.err)
}

// Unwrap returns the stage's error, which carries its source.
func (e *neededStageError) Unwrap() error {
	return e.err
}

// GRPCStatus keeps the whole message on its way through the daemon. Without it only
// the message of the stage's error arrives (ToGRPC in util/grpcerrors).
func (e *neededStageError) GRPCStatus() *status.Status {
	return status.New(grpcerrors.Code(e.err), e.Error())
}

// withSources adds BuildKit's source info to an error: the places of our diagnostics
// and of the errors of BuildKit's parser, from which clients print the lines.
func withSources(err error, sm *buildkit.SourceMap) error {
	if sm == nil {
		return err
	}
	var places [][]*pb.Range
	for _, d := range source.Diagnostics(err) {
		places = append(places, llb.Ranges([]parser.Range{llb.DiagnosticRange(d)}))
	}
	if located, ok := errors.AsType[*parser.LocationError](err); ok {
		for _, ranges := range located.Locations {
			places = append(places, llb.Ranges(ranges))
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
