package testkit

import (
	"context"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// ForeignPlatform returns a platform other than the environment's.
func ForeignPlatform(env *harness.Env) string {
	if env.Platform == "linux/arm64" {
		return "linux/amd64"
	}
	return "linux/arm64"
}

// CreateTwoNodes creates a builder with the daemon of the environment and a new node for a
// foreign platform. It returns the name of the builder, that platform and the address of
// the new node.
func CreateTwoNodes(t *testing.T, env *harness.Env, name string) (builder, foreign, addr string) {
	t.Helper()
	foreign = ForeignPlatform(env)
	addr, err := env.StartNode(t.Context(), name, foreign)
	if err != nil {
		t.Fatal(err)
	}
	CreateBuilder(t, env, name,
		[]string{"create", "--name=" + name, "--driver=remote", "--node=native", "--platform=" + env.Platform, env.BuildkitAddr},
		[]string{"create", "--name=" + name, "--append", "--driver=remote", "--node=foreign", "--platform=" + foreign, addr},
	)
	return name, foreign, addr
}

// CreateBuilder creates a builder with buildx commands and removes it when the test ends.
func CreateBuilder(t *testing.T, env *harness.Env, name string, commands ...[]string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := env.Buildx(context.Background(), "rm", name); err != nil {
			t.Error(err)
		}
	})
	for _, args := range commands {
		if _, err := env.Buildx(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
}
