package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/docker/cli/cli"
	solvererrdefs "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagebuild/stagebuild/frontend/source"
)

func TestReport(t *testing.T) {
	located := solvererrdefs.WithSource(errors.New("unknown instruction: COPPY"), &solvererrdefs.Source{
		Info:   &pb.SourceInfo{Filename: "app.Dockerfile", Data: []byte("FROM scratch\nCOPPY a b\n")},
		Ranges: []*pb.Range{{Start: &pb.Position{Line: 2}, End: &pb.Position{Line: 2}}},
	})
	for _, test := range []struct {
		name   string
		err    error
		status int
		output []string
	}{
		{"nothing", nil, 0, nil},
		{"a failure", errors.New("it broke"), 1, []string{"ERROR: it broke\n"}},
		{"a usage error", &usageError{command: "p build", err: errors.New("no such flag")}, 2, []string{"ERROR: no such flag\n", "See 'p build --help'.\n"}},
		{"an unknown flag", cli.StatusError{StatusCode: 125, Status: "unknown flag"}, 2, []string{"ERROR: unknown flag\n"}},
		{"a check", fmt.Errorf("build: %w", StatusError(3)), 3, nil},
		{"an interrupt", fmt.Errorf("build: %w", context.Canceled), 130, []string{"Interrupted\n"}},
		{"an interrupt on the daemon", status.Error(codes.Canceled, "canceled"), 130, []string{"Interrupted\n"}},
		{"a line", fmt.Errorf("failed to build: %w", located), 1, []string{"app.Dockerfile:2\n", ">>> COPPY a b", "ERROR: failed to build: unknown instruction: COPPY\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if got := Report(&out, test.err); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			for _, want := range test.output {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in:\n%s", want, &out)
				}
			}
			if test.output == nil && out.Len() > 0 {
				t.Errorf("unexpected output:\n%s", &out)
			}
		})
	}
}

func TestSecondInterruptExits(t *testing.T) {
	signals := make(chan os.Signal)
	exited := make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go watch(signals, cancel, func(status int) { exited <- status })

	signals <- os.Interrupt
	<-ctx.Done()
	select {
	case <-exited:
		t.Fatal("the first interrupt exits")
	default:
	}
	signals <- os.Interrupt
	if got := <-exited; got != 130 {
		t.Errorf("status %d, want 130", got)
	}
}

func TestReportOfDiagnostics(t *testing.T) {
	file := source.NewFile("app.Dockerfile", []byte("FROM scratch\nCOPY --if=TYPO a b\n"))
	err := source.List{
		{Name: "UnknownName", Span: file.Span(23, 27), Message: "unknown name", Hint: "declare it"},
		{Name: "Other", Span: file.Span(0, 4), Message: "another thing"},
	}
	var out strings.Builder
	if got := Report(&out, fmt.Errorf("reading: %w", err)); got != ExitFailed {
		t.Errorf("status %d, want %d", got, ExitFailed)
	}
	want := "COPY --if=TYPO a b\n          ^^^^\nERROR: app.Dockerfile:2:11: unknown name; declare it\n" +
		"FROM scratch\n^^^^\nERROR: app.Dockerfile:1:1: another thing\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", &out, want)
	}
}
