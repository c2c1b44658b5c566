package docs

import (
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestInstallFrontendName runs the commands in docs/install.md about the frontend image's
// name, for a Dockerfile whose first line names an image that does not exist.
func TestInstallFrontendName(t *testing.T) {
	env, frontend := suite.Product(t)
	env.NeedMirror(t)
	image, err := env.Registry.Read(t.Context(), "stagebuild/stagebuild:1")
	if err != nil {
		t.Fatal(err)
	}
	dir := contextWithFirstLine(t, "# syntax="+env.Registry.Ref("nowhere/stagebuild:1"))
	run := &document.Session{
		Env: env, Name: "docs/install.md", Dir: dir,
		Replace: []string{"sha256:…", image.Digest.String()},
	}
	pinned := false
	run.Other = map[string]func(document.Block){"pin": func(b document.Block) {
		pinned = true
		line := strings.TrimSpace(document.WithRegistry(env, b.Text))
		wantPinned(t, env, line, image.Digest.String(), true)
		wantPinned(t, env, line, "sha256:"+strings.Repeat("0", 64), false)
	}}
	run.Run(t)
	if !pinned {
		t.Error("docs/install.md does not show how to pin the image")
	}
	// The plugin serves the frontend that BUILDKIT_SYNTAX names, instead of the one in the
	// file.
	if _, err := env.Run(t.Context(), "docker-stagebuild", "build", "--build-arg=BUILDKIT_SYNTAX="+frontend, "--output=type=cacheonly", dir); err != nil {
		t.Error(err)
	}
}

// contextWithFirstLine writes a context with a staged Dockerfile that starts with the
// given line.
func contextWithFirstLine(t *testing.T, line string) string {
	t.Helper()
	return testkit.WriteContext(t, map[string]string{
		"hello.txt":       "hello\n",
		"Dockerfile":      line + "\nFROM --for=linux scratch\nCOPY hello.txt /\n",
		"docker-bake.hcl": `target "default" { output = ["type=cacheonly"] }`,
	})
}

// wantPinned builds a Dockerfile whose first line pins the frontend image to a digest, and
// checks whether that works.
func wantPinned(t *testing.T, env *harness.Env, line, digest string, built bool) {
	t.Helper()
	dir := contextWithFirstLine(t, strings.Replace(line, "sha256:…", digest, 1))
	for _, program := range []string{"docker-buildx", "docker-stagebuild"} {
		if _, err := env.Run(t.Context(), program, "build", "--output=type=cacheonly", dir); (err == nil) != built {
			t.Errorf("%s, with the digest %s: %v", program, digest, err)
		}
	}
}
