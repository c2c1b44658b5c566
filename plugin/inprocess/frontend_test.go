package inprocess

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/docker/buildx/build"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// session is the gateway of a daemon with one Dockerfile. It records the frontend that
// it has to run.
type session struct {
	gwclient.Client
	gwclient.Reference
	opts       map[string]string
	dockerfile string

	ran *gwclient.SolveRequest
}

func (s *session) BuildOpts() gwclient.BuildOpts {
	// The capabilities of a daemon of the library's version.
	return gwclient.BuildOpts{
		Opts:    s.opts,
		LLBCaps: pb.Caps.CapSet(pb.Caps.All()),
		Caps:    gwpb.Caps.CapSet(gwpb.Caps.All()),
	}
}

func (s *session) Inputs(context.Context) (map[string]llb.State, error) {
	return nil, nil
}

func (s *session) Solve(_ context.Context, req gwclient.SolveRequest) (*gwclient.Result, error) {
	res := gwclient.NewResult()
	if req.Frontend != "" {
		s.ran = &req
		res.AddMeta("by", []byte("image"))
		return res, nil
	}
	res.SetRef(s)
	return res, nil
}

func (s *session) StatFile(_ context.Context, req gwclient.StatRequest) (*fstypes.Stat, error) {
	if req.Path != "Dockerfile" {
		return nil, fmt.Errorf("stat %s: no such file", req.Path)
	}
	return &fstypes.Stat{Size: int64(len(s.dockerfile))}, nil
}

func (s *session) ReadFile(context.Context, gwclient.ReadRequest) ([]byte, error) {
	return []byte(s.dockerfile), nil
}

// own returns an in-process frontend that records the options of its request.
func own(got *map[string]string) gwclient.BuildFunc {
	return func(_ context.Context, c gwclient.Client) (*gwclient.Result, error) {
		*got = c.BuildOpts().Opts
		res := gwclient.NewResult()
		res.AddMeta("by", []byte("own"))
		res.AddMeta("for", []byte((*got)[gateway.OptionPlatform]))
		return res, nil
	}
}

// syntaxArg returns the options that buildx makes of `--build-arg BUILDKIT_SYNTAX=ref`.
func syntaxArg(ref string) map[string]string {
	return map[string]string{gateway.OptionSyntax: ref, gateway.OptionSource: ref, gateway.OptionCmdline: ref}
}

func TestNew(t *testing.T) {
	given := syntaxArg("example/frontend:2")
	given["target"] = "app"
	s := &session{opts: maps.Clone(given), dockerfile: "FROM scratch\n"}
	var got map[string]string
	res := gwclient.NewResult()
	if err := New(own(&got)).evaluate(t.Context(), "default", s, res, build.Options{}); err != nil {
		t.Fatal(err)
	}
	if s.ran != nil || string(res.Metadata["by"]) != "own" {
		t.Errorf("ran image %v, result %v", s.ran, res.Metadata)
	}
	// Only the build arg is left of the options for the image.
	want := map[string]string{gateway.OptionSyntax: "example/frontend:2", "target": "app"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("options (-want +got):\n" + diff)
	}
	if diff := cmp.Diff(given, s.opts); diff != "" {
		t.Error("the request's own options changed (-before +after):\n" + diff)
	}
}

func TestNewImage(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, test := range []struct {
		name       string
		opts       map[string]string
		dockerfile string
		want       string
	}{
		{"nothing is named", nil, "FROM scratch\n", "stagebuild/stagebuild:9"},
		{"the file names one", nil, "# syntax=stagebuild/stagebuild:1" + digest + "\nFROM scratch\n", "stagebuild/stagebuild:1" + digest},
		{"the file names another", nil, "# syntax=example/frontend:2 with arguments\n", "example/frontend:2"},
		{"the argument names one", syntaxArg("example/frontend:2"), "# syntax=docker/dockerfile:1\n", "example/frontend:2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &session{opts: test.opts, dockerfile: test.dockerfile}
			res := gwclient.NewResult()
			if err := NewImage("stagebuild/stagebuild:9").evaluate(t.Context(), "default", s, res, build.Options{}); err != nil {
				t.Fatal(err)
			}
			if s.ran == nil || string(res.Metadata["by"]) != "image" {
				t.Fatalf("ran image %v, result %v", s.ran, res.Metadata)
			}
			if got := s.ran.FrontendOpt[gateway.OptionSource]; got != test.want || s.ran.Frontend != "gateway.v0" {
				t.Errorf("ran %s of %s, want %s", got, s.ran.Frontend, test.want)
			}
		})
	}
}

func TestCall(t *testing.T) {
	var gotOpts map[string]string
	f := New(own(&gotOpts))
	opt := build.Options{CallFunc: &build.CallFunc{Name: "outline"}}
	amd64 := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	arm64 := ocispecs.Platform{OS: "linux", Architecture: "arm64"}
	for _, platform := range []string{"linux/arm64", "linux/amd64,linux/386"} {
		s := &session{opts: map[string]string{gateway.OptionPlatform: platform, gateway.OptionCaps: "some.cap"}, dockerfile: "FROM scratch\n"}
		if err := f.evaluate(t.Context(), "default", s, gwclient.NewResult(), opt); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		gateway.OptionPlatform:  "linux/amd64,linux/386",
		gateway.OptionRequestID: "frontend.outline",
		gateway.OptionCaps:      "some.cap,moby.buildkit.frontend.subrequests+forward",
	}
	if diff := cmp.Diff(want, gotOpts); diff != "" {
		t.Error("options (-want +got):\n" + diff)
	}
	if got := f.CallResult([]ocispecs.Platform{amd64, arm64}); string(got["for"]) != "linux/amd64,linux/386" {
		t.Errorf("the first platform's node is not the one whose result is taken: %s", got["for"])
	}
	if got := f.CallResult([]ocispecs.Platform{arm64, amd64}); string(got["for"]) != "linux/arm64" {
		t.Errorf("the first platform's node is not the one whose result is taken: %s", got["for"])
	}
}

func TestCallResultOfBuild(t *testing.T) {
	var opts map[string]string
	f := New(own(&opts))
	if err := f.evaluate(t.Context(), "default", &session{}, gwclient.NewResult(), build.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := f.CallResult(nil); got != nil {
		t.Errorf("CallResult = %v, want nil", got)
	}
}

func TestPreserveMessage(t *testing.T) {
	sent := grpcerrors.FromGRPC(status.Error(codes.Unknown, "open Dockerfile: no such file"))
	err := fmt.Errorf("failed to read dockerfile: %w", sent)
	got := status.Convert(grpcerrors.ToGRPC(t.Context(), preserveMessage(err)))
	if want := "failed to read dockerfile: open Dockerfile: no such file"; got.Message() != want {
		t.Errorf("message = %q, want %q", got.Message(), want)
	}

	coded := fmt.Errorf("stopped: %w", grpcerrors.FromGRPC(status.Error(codes.Canceled, "canceled")))
	if got := preserveMessage(coded); !errors.Is(got, coded) || grpcerrors.Code(got) != codes.Canceled {
		t.Errorf("preserveMessage(%v) = %v", coded, got)
	}
}

func TestEvaluateWithoutResult(t *testing.T) {
	f := New(func(context.Context, gwclient.Client) (*gwclient.Result, error) { return nil, nil })
	if err := f.evaluate(t.Context(), "default", &session{}, gwclient.NewResult(), build.Options{}); err == nil {
		t.Error("no error")
	}
}
