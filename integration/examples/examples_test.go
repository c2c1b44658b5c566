package examples

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// exampleRun is an example after its README was followed in a copy of its directory.
type exampleRun struct {
	env  *harness.Env
	name string // of the directory
	dir  string // where the README's commands ran
}

// exampleChecks returns a check of the results for each example.
func exampleChecks() map[string]func(*testing.T, *exampleRun) {
	return map[string]func(*testing.T, *exampleRun){
		"debug-variant":     checkDebugVariant,
		"gated-release":     checkGatedRelease,
		"go-service":        checkGoService,
		"monorepo-matrix":   checkMonorepoMatrix,
		"node-app":          checkNodeApp,
		"universal":         checkUniversal,
		"windows-and-linux": checkWindowsAndLinux,
	}
}

// TestExamples runs the commands in the README of every example, compares their output and
// checks the results. Then buildx builds the same with the frontend image.
func TestExamples(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	if err := errors.Join(env.PushStandIns(t.Context()), env.WarmGoCache(t.Context(), harness.GoTest, "linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64")); err != nil {
		t.Fatal(err)
	}
	checks := exampleChecks()
	dirs, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) != len(checks) {
		t.Errorf("there are %d examples, and checks for %d", len(dirs), len(checks))
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &exampleRun{env: env, name: name}
			e.dir = e.copyDir(t)
			(&document.Session{Env: env, Name: "examples/" + name + "/README.md", Dir: e.dir}).Run(t)
			check(t, e)
		})
	}
}

// TestExampleREADMEs checks that the READMEs of the examples fit on a screen and that the
// index lists them all.
func TestExampleREADMEs(t *testing.T) {
	_, index := document.Read(t, "examples/README.md")
	for name := range exampleChecks() {
		_, lines := document.Read(t, "examples/"+name+"/README.md")
		if len(lines) > 46 {
			t.Errorf("the README of %s has %d lines", name, len(lines))
		}
		if !slices.ContainsFunc(index, func(line string) bool { return strings.HasPrefix(line, "| ["+name+"]("+name+") |") }) {
			t.Errorf("examples/README.md does not list %s", name)
		}
	}
}

// copyDir returns a copy of the example's directory that can be built on this machine.
func (e *exampleRun) copyDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", e.name))); err != nil {
		t.Fatal(err)
	}
	document.EditFile(t, dir, "Dockerfile: # syntax="+document.Registry+": # syntax="+e.env.Registry.Host)
	if e.name == "node-app" {
		const ends = "mirror.\nARG NPM_CONFIG_REGISTRY"
		document.EditFile(t, dir, "Dockerfile: "+ends+": "+ends+"="+npmRegistry(t, e.env, filepath.Join(dir, "package-lock.json")))
	}
	return dir
}

// rebuildWithBuildx builds the example with buildx, which runs the frontend of the "#
// syntax=" line, for the given platforms. It compares the result with the image that the
// README's command pushed, and returns that image.
func (e *exampleRun) rebuildWithBuildx(t *testing.T, repo, platforms string, args ...string) *harness.Result {
	t.Helper()
	want, err := e.env.Registry.Read(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"build", "--push", "--tag=" + e.env.Registry.Ref(repo+"-buildx"), "--platform=" + platforms}, args...)
	if _, err := e.env.Buildx(t.Context(), append(args, e.copyDir(t))...); err != nil {
		t.Fatal(err)
	}
	got, err := e.env.Registry.Read(t.Context(), repo+"-buildx")
	if err != nil {
		t.Fatal(err)
	}
	wantSameImages(t, want, got)
	if list := strings.Join(want.Platforms(), ","); list != platforms {
		t.Errorf("%s is for %s, want %s", repo, list, platforms)
	}
	return want
}

// wantSameImages compares the layers and the configs of all platforms.
func wantSameImages(t *testing.T, want, got *harness.Result) {
	t.Helper()
	if diff := cmp.Diff(want.Platforms(), got.Platforms()); diff != "" {
		t.Fatalf("platforms differ:\n%s", diff)
	}
	for i, img := range got.Images {
		if diff := cmp.Diff(want.Images[i].Layers, img.Layers); diff != "" {
			t.Errorf("layers of %s differ:\n%s", img.Platform, diff)
		}
		if diff := cmp.Diff(want.Images[i].Config.Config, img.Config.Config); diff != "" {
			t.Errorf("config of %s differs:\n%s", img.Platform, diff)
		}
	}
}

// imageFile returns a file of one platform's image.
func imageFile(t *testing.T, res *harness.Result, platform, path string) []byte {
	t.Helper()
	data, err := imageOf(t, res, platform).ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// imageOf returns the image of one platform.
func imageOf(t *testing.T, res *harness.Result, platform string) harness.Image {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// wantELF checks that a program is built for a Linux platform, and returns it.
func wantELF(t *testing.T, data []byte, platform string) *elf.File {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", platform, err)
	}
	if want := map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}[platform]; f.Machine != want {
		t.Errorf("the program for %s is for %s", platform, f.Machine)
	}
	return f
}

// wantPrints runs a program for this machine and compares its output. A child process
// writes the file: if this process did, exec could fail because processes that concurrent
// tests start hold the file open for writing for a moment.
func wantPrints(t *testing.T, program []byte, want string, args ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	const script = `cat > "$0" && chmod 755 "$0" && exec "$0" "$@" </dev/null`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, path}, args...)...)
	cmd.Stdin = bytes.NewReader(program)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("the program prints %q, %v, want %q", out, err, want)
	}
}
