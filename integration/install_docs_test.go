package integration

import (
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/harness"
)

// TestInstallNamesTheFrontend runs the commands of docs/install.md that are about the
// frontend image's name, for a Dockerfile whose first line names one that is not there.
func TestInstallNamesTheFrontend(t *testing.T) {
	env, frontend := productEnv(t)
	env.NeedMirror(t)
	image, err := env.Registry.Read(t.Context(), "stagebuild/stagebuild:1")
	if err != nil {
		t.Fatal(err)
	}
	dir := namingFrontend(t, "# syntax="+env.Registry.Ref("nowhere/stagebuild:1"))
	run := &documentRun{
		env: env, name: "docs/install.md", dir: dir,
		replace: []string{"sha256:…", image.Digest.String()},
	}
	pinned := false
	run.other = map[string]func(block){"pin": func(b block) {
		pinned = true
		line := strings.TrimSpace(atRegistry(env, b.text))
		wantPinned(t, env, line, image.Digest.String(), true)
		wantPinned(t, env, line, "sha256:"+strings.Repeat("0", 64), false)
	}}
	run.run(t)
	if !pinned {
		t.Error("docs/install.md does not say how to pin the image")
	}
	// What the plugin serves is what the arg names, and not what the file does.
	if _, err := env.Run(t.Context(), "docker-stagebuild", "build", "--build-arg=BUILDKIT_SYNTAX="+frontend, "--output=type=cacheonly", dir); err != nil {
		t.Error(err)
	}
}

// namingFrontend writes a context with a staged Dockerfile that begins with a line.
func namingFrontend(t *testing.T, line string) string {
	t.Helper()
	return writeContext(t, map[string]string{
		"hello.txt":       "hello\n",
		"Dockerfile":      line + "\nFROM --for=linux scratch\nCOPY hello.txt /\n",
		"docker-bake.hcl": `target "default" { output = ["type=cacheonly"] }`,
	})
}

// wantPinned builds with the image of a digest, which is there or not: who does not
// run it builds in both cases.
func wantPinned(t *testing.T, env *harness.Env, line, digest string, built bool) {
	t.Helper()
	dir := namingFrontend(t, strings.Replace(line, "sha256:…", digest, 1))
	for _, program := range []string{"docker-buildx", "docker-stagebuild"} {
		if _, err := env.Run(t.Context(), program, "build", "--output=type=cacheonly", dir); (err == nil) != built {
			t.Errorf("%s, with the digest %s: %v", program, digest, err)
		}
	}
}
