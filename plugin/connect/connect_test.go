package connect

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/plugin/daemon"
)

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		name string
		flag string
		env  map[string]string
		want Choice
	}{
		{"nothing", "", nil, Choice{Source: CurrentStore}},
		{"host", "", map[string]string{"BUILDKIT_HOST": "tcp://h:1"}, Choice{HostEnv, "tcp://h:1"}},
		{"builder before host", "", map[string]string{"BUILDKIT_HOST": "tcp://h:1", "BUILDX_BUILDER": "b"}, Choice{BuilderEnv, "b"}},
		{"flag before all", "f", map[string]string{"BUILDKIT_HOST": "tcp://h:1", "BUILDX_BUILDER": "b"}, Choice{Flag, "f"}},
		{"empty is not set", "", map[string]string{"BUILDKIT_HOST": "", "BUILDX_BUILDER": ""}, Choice{Source: CurrentStore}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Choose(test.flag, func(k string) string { return test.env[k] })
			if got != test.want {
				t.Errorf("Choose() = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestErrorListsTriedSources(t *testing.T) {
	reason := errors.New("connection refused")
	notStarted := &daemon.StartError{Reason: "did not start", Log: "/state/buildkitd.log", Tail: []string{"first", "last"}}
	for _, test := range []struct {
		name string
		err  *Error
		want string
	}{
		{
			"missing builder",
			&Error{Source: Flag, Name: "b", Missing: true, Err: reason},
			`no builder can be reached. Tried, in order:
  --builder               b: connection refused
Set it up with: docker buildx create --bootstrap --name b`,
		}, {
			"other docker context",
			&Error{Source: Flag, Name: "c", Context: true, Err: reason},
			`no builder can be reached. Tried, in order:
  --builder               c: connection refused
Build on its engine with: docker --context c stagebuild build`,
		}, {
			"stopped builder",
			&Error{Source: BuilderEnv, Name: "b", Err: reason},
			`no builder can be reached. Tried, in order:
  --builder               not given
  BUILDX_BUILDER          b: connection refused
Start it with: docker buildx inspect --bootstrap b`,
		}, {
			"unreachable BUILDKIT_HOST",
			&Error{Source: HostEnv, Name: "unix:///b.sock", Err: reason},
			`no builder can be reached. Tried, in order:
  --builder               not given
  BUILDX_BUILDER          not set
  BUILDKIT_HOST           unix:///b.sock: connection refused
Start a BuildKit daemon there with: buildkitd --addr unix:///b.sock`,
		}, {
			"no engine",
			&Error{Source: DockerEngine, Name: "default", Err: reason},
			`no builder can be reached. Tried, in order:
  --builder               not given
  BUILDX_BUILDER          not set
  BUILDKIT_HOST           not set
  current buildx builder  none
  docker context          default: connection refused
Start the Docker Engine, or use a BuildKit daemon with: docker buildx create --use --driver remote unix:///run/buildkit/buildkitd.sock`,
		}, {
			"no engine and no private daemon",
			&Error{Source: DockerEngine, Name: "default", Err: reason, Private: notStarted},
			`no builder can be reached. Tried, in order:
  --builder               not given
  BUILDX_BUILDER          not set
  BUILDKIT_HOST           not set
  current buildx builder  none
  docker context          default: connection refused
  private daemon          it did not start; the last lines of /state/buildkitd.log:
    first
    last
Start the Docker Engine, or use a BuildKit daemon with: docker buildx create --use --driver remote unix:///run/buildkit/buildkitd.sock`,
		}, {
			"private daemon by name",
			&Error{Source: Flag, Name: "embedded", Embedded: true, Err: reason},
			`no builder can be reached. Tried, in order:
  --builder               embedded: connection refused
Use another BuildKit daemon with: docker buildx create --use --driver remote unix:///run/buildkit/buildkitd.sock`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.err.Error()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if !errors.Is(test.err, reason) {
				t.Error("the message does not wrap the reason")
			}
		})
	}
}
