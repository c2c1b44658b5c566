package frontend_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/stagebuild/stagebuild/frontend"
)

const groupFile = `FROM alpine AS base
ARG TARGETARCH

FROM base AS a
COPY one two /

FROM base AS b
COPY two three /
COPY --if=true $TARGETARCH /

FROM base AS c
RUN true

FROM base AS wrong
ADD --checksum=wrong https://example.com/x /
`

// buildGroup builds the members of a group. It returns the gateway that the group reads
// through, and the gateway and the error of each member.
func buildGroup(t *testing.T, dockerfile string, members []frontend.Member) (shared *gateway, own []*gateway, errs []error) {
	t.Helper()
	shared = newGateway([]byte(dockerfile), nil)
	own, errs = make([]*gateway, len(members)), make([]error, len(members))
	g := frontend.NewGroup(members)
	var sharing, building errgroup.Group
	sharing.Go(func() error {
		_, err := g.Share(map[string]string{"build-arg:X": "1"})(t.Context(), shared)
		return err
	})
	for i, m := range members {
		opts := map[string]string{"target": m.Stage, "platform": m.Platforms, "build-arg:X": "1"}
		own[i] = newGateway(nil, opts)
		building.Go(func() error {
			_, errs[i] = g.Build(t.Context(), own[i])
			return nil
		})
	}
	_ = building.Wait() // errs has the errors
	g.Close()
	if err := sharing.Wait(); err != nil {
		t.Fatalf("Share: %v", err)
	}
	return shared, own, errs
}

// locals returns the local sources in the definitions solved on a gateway, with the paths
// that they include.
func (g *gateway) locals(t *testing.T) []string {
	t.Helper()
	set := map[string]bool{}
	for _, dt := range g.definitions {
		var def pb.Definition
		if err := proto.Unmarshal([]byte(dt), &def); err != nil {
			t.Fatal(err)
		}
		for _, dt := range def.Def {
			var op pb.Op
			if err := op.UnmarshalVT(dt); err != nil {
				t.Fatal(err)
			}
			if id := op.GetSource().GetIdentifier(); strings.HasPrefix(id, "local://") {
				set[id+" "+op.GetSource().Attrs[pb.AttrFollowPaths]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func TestGroupReadsOnce(t *testing.T) {
	shared, own, errs := buildGroup(t, groupFile, []frontend.Member{
		{Stage: "a", Platforms: "linux/amd64"},
		{Stage: "b", Platforms: "linux/amd64,linux/arm64"},
		{Stage: "c", Platforms: "linux/amd64"},
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	const context = `local://context ["amd64","arm64","one","three","two"]`
	loads := map[string]int{
		`local://dockerfile ["Dockerfile","Dockerfile.dockerignore","dockerfile"]`: 1,
		`local://context [".dockerignore"]`:                                        1,
		context:                                                                    1,
	}
	if diff := cmp.Diff(loads, shared.loads); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
	const amd64, arm64 = "docker.io/library/alpine:latest linux/amd64", "docker.io/library/alpine:latest linux/arm64"
	configs := map[string]int{amd64: 1, arm64: 1}
	if diff := cmp.Diff(configs, shared.configs); diff != "" {
		t.Errorf("image configs (-want +got):\n%s", diff)
	}
	configsOf := []map[string]int{{amd64: 1}, {amd64: 1, arm64: 1}, {amd64: 1}}
	delete(loads, context)
	for i, want := range [][]string{{context}, {context}, nil} {
		if diff := cmp.Diff(want, own[i].locals(t)); diff != "" {
			t.Errorf("member %d: local sources (-want +got):\n%s", i, diff)
		}
		// Each member repeats the reads for its own build, from the cache of the daemon.
		if diff := cmp.Diff(loads, own[i].loads); diff != "" {
			t.Errorf("member %d: loads (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(configsOf[i], own[i].configs); diff != "" {
			t.Errorf("member %d: image configs (-want +got):\n%s", i, diff)
		}
	}
	if got := len(own[1].definitions); got != 2 {
		t.Errorf("%d definitions were solved for two platforms", got)
	}
}

// TestGroupOfOneIsABuild checks that a group of one member has the LLB of a build.
func TestGroupOfOneIsABuild(t *testing.T) {
	for _, stage := range []string{"a", "b", "c"} {
		t.Run(stage, func(t *testing.T) {
			opts := map[string]string{"target": stage, "platform": "linux/arm64", "build-arg:X": "1"}
			alone, _ := build(t, frontend.Build, []byte(groupFile), opts)
			_, own, errs := buildGroup(t, groupFile, []frontend.Member{{Stage: stage, Platforms: "linux/arm64"}})
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(alone.definitions, own[0].definitions); diff != "" {
				t.Errorf("(-alone +group):\n%s", diff)
			}
		})
	}
}

func TestGroupErrorsAreTheMembers(t *testing.T) {
	_, own, errs := buildGroup(t, groupFile, []frontend.Member{
		{Stage: "a", Platforms: "linux/amd64"},
		{Stage: "wrong", Platforms: "linux/amd64"},
		{Stage: "absent", Platforms: "linux/amd64"},
	})
	if errs[0] != nil || len(own[0].definitions) != 1 {
		t.Errorf("a was not built: %v", errs[0])
	}
	for i, want := range []string{"", "checksum", `"absent"`} {
		if want != "" && (errs[i] == nil || !strings.Contains(errs[i].Error(), want)) {
			t.Errorf("member %d: error %v, want %s", i, errs[i], want)
		}
	}
}

// movedGateway is a gateway whose images have other digests than the embedded one's.
type movedGateway struct{ *gateway }

// ResolveImageConfig implements client.Client.
func (m movedGateway) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	ref, dgst, config, err := m.gateway.ResolveImageConfig(ctx, ref, opt)
	return ref, digest.FromString("not " + dgst.String()), config, err
}

// TestGroupOfAnImageThatChanges checks a group whose base image changes between the
// shared reads and the build of a member: the member builds on the new image.
func TestGroupOfAnImageThatChanges(t *testing.T) {
	opts := map[string]string{"target": "c", "platform": "linux/amd64"}
	alone, own := movedGateway{newGateway([]byte(groupFile), opts)}, movedGateway{newGateway([]byte(groupFile), opts)}
	if _, err := frontend.Build(t.Context(), alone); err != nil {
		t.Fatal(err)
	}
	g := frontend.NewGroup([]frontend.Member{{Stage: "c", Platforms: "linux/amd64"}})
	var sharing errgroup.Group
	sharing.Go(func() error {
		_, err := g.Share(opts)(t.Context(), newGateway([]byte(groupFile), nil))
		return err
	})
	_, err := g.Build(t.Context(), own)
	g.Close()
	if err := errors.Join(err, sharing.Wait()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alone.definitions, own.definitions); diff != "" {
		t.Errorf("(-alone +group):\n%s", diff)
	}
}

func TestGroupFails(t *testing.T) {
	g := frontend.NewGroup([]frontend.Member{{Stage: "a"}})
	gone := errors.New("the daemon is gone")
	g.Fail(gone)
	if _, err := g.Build(t.Context(), newGateway(nil, map[string]string{"target": "a"})); !errors.Is(err, gone) {
		t.Errorf("Build: %v, want %v", err, gone)
	}
}

func TestGroupEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := frontend.NewGroup(nil)
	for name, f := range map[string]client.BuildFunc{"Share": g.Share(nil), "Build": g.Build} {
		t.Run(name, func(t *testing.T) {
			if _, err := f(ctx, newGateway(nil, nil)); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want %v", err, context.Canceled)
			}
		})
	}
}
