package inprocess

import (
	"errors"
	"strconv"
	"testing"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sync/errgroup"

	"github.com/stagebuild/stagebuild/frontend"
)

// member is the gateway client of a target.
type member struct {
	gwclient.Client // nil: no other method is called
	target          string
}

// BuildOpts implements gwclient.Client.
func (m member) BuildOpts() gwclient.BuildOpts {
	return gwclient.BuildOpts{Opts: map[string]string{"target": m.target}}
}

// TestSharedBuildBelongsToOneTarget begins a shared build from several targets at once: it
// gets the options and the session of the same one.
func TestSharedBuildBelongsToOneTarget(t *testing.T) {
	stop := errors.New("stop")
	for range 50 {
		s := &sharedBuild{group: frontend.NewGroup(nil), finished: make(chan struct{})}
		s.run = func(c gwclient.Client, opts *client.SolveOpt) error {
			if got := c.BuildOpts().Opts["target"]; got != opts.Ref {
				t.Errorf("the options are those of %s, the session that of %s", got, opts.Ref)
			}
			return stop
		}
		var builds errgroup.Group
		for i := range 8 {
			name := strconv.Itoa(i)
			builds.Go(func() error {
				_, err := s.build(t.Context(), member{target: name}, &client.SolveOpt{Ref: name})
				return err
			})
		}
		if err := builds.Wait(); !errors.Is(err, stop) {
			t.Errorf("the error of the shared build is %v", err)
		}
		s.close()
	}
}
