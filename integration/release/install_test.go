package release

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// installUser is a user with a home of their own who follows docs/install.md.
type installUser struct {
	env     *harness.Env
	home    string
	exports string // shell commands that set it up
}

func newInstallUser(t *testing.T) installUser {
	t.Helper()
	env := suite.Env(t)
	home := t.TempDir()
	plugins := filepath.Join(home, ".docker", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(env.BinDir, "docker-buildx"), filepath.Join(plugins, "docker-buildx")); err != nil {
		t.Fatal(err)
	}
	exports := "unset DOCKER_CONFIG; export BUILDX_BUILDER=" + releaseBuilder + " HOME=" + home
	// Reuse the caches of compiled and downloaded modules.
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		exports += " " + name + "=" + strings.TrimSpace(testkit.RunInRepository(t, "go", "env", name))
	}
	return installUser{env, home, exports + "; "}
}

// runBlocks runs the commands in the blocks of the page for one way to install.
func (n installUser) runBlocks(t *testing.T, kind, dir string, replace ...string) {
	t.Helper()
	blocks, _ := document.Read(t, "docs/install.md")
	done := 0
	for _, b := range blocks {
		if name, _ := b.Argument("install"); name != kind {
			continue
		}
		for _, c := range document.ParseTranscript(strings.NewReplacer(replace...).Replace(document.WithRegistry(n.env, b.Text))) {
			c.Text = n.exports + c.Text
			c.Check(t, n.env, dir, fmt.Sprintf("docs/install.md:%d", b.Line), false)
			done++
		}
	}
	if done == 0 {
		t.Fatalf("docs/install.md has no commands to install by %s", kind)
	}
}

// wantInstalled checks that the docker CLI finds the plugin.
func (n installUser) wantInstalled(t *testing.T, version string) {
	t.Helper()
	out, err := n.env.Run(t.Context(), "sh", "-c", n.exports+"docker stagebuild version")
	if err != nil || !regexp.MustCompile(`^github.com/stagebuild/stagebuild `+version+` `).MatchString(out.Stdout) {
		t.Errorf("the installed plugin prints %q, %v", out.Stdout, err)
	}
}

// TestReleaseInstall follows docs/install.md.
func TestReleaseInstall(t *testing.T) {
	env, proxy := releaseEnv(t)
	viaProxy := "--set=*.args.GOPROXY=" + proxy
	t.Run("binary", func(t *testing.T) {
		dir, flags := localOutput(t, "release-plugin")
		bakeRepository(t, []string{"VERSION=v1.2.3", "PLUGIN_PLATFORMS=" + env.Platform}, append(flags,
			"release-plugin", "--set=*.attest=type=sbom,generator="+testkit.PushScanner(t, env))...)
		n := newInstallUser(t)
		n.runBlocks(t, "binary", dir, "linux-amd64", strings.ReplaceAll(env.Platform, "/", "-"))
		n.wantInstalled(t, `v1\.2\.3`)
	})
	t.Run("bake", func(t *testing.T) {
		n := newInstallUser(t)
		n.runBlocks(t, "bake", "../..", "bake plugin", "bake plugin "+viaProxy)
		n.wantInstalled(t, `\(devel\)`)
	})
	for _, kind := range []string{"go", "make"} {
		t.Run(kind, func(t *testing.T) {
			n := newInstallUser(t)
			n.runBlocks(t, kind, "../..")
			n.wantInstalled(t, `\S+`)
		})
	}
	t.Run("image", func(t *testing.T) {
		newInstallUser(t).runBlocks(t, "image", "../..", "release-image", "release-image "+viaProxy+
			" --set=release-image.platform="+env.Platform+" --set=*.attest=type=sbom,generator="+testkit.PushScanner(t, env))
		wantFrontendBuilds(t, env, "stagebuild/stagebuild:1")
	})
}

// TestReleaseGoInstall installs a version of the module from a proxy, as from Go's own:
// go.mod contains no directives that go install rejects.
func TestReleaseGoInstall(t *testing.T) {
	n := newInstallUser(t)
	_, lines := document.Read(t, "docs/install.md")
	command := regexp.MustCompile("`(go install \\S+@)VERSION`")
	i := slices.IndexFunc(lines, command.MatchString)
	if i < 0 {
		t.Fatal("docs/install.md has no command to install a version")
	}
	const version = "v1.2.3"
	proxy := t.TempDir()
	writeModule(t, filepath.Join(proxy, "github.com", "stagebuild", "stagebuild", "@v"), version)
	cache := strings.TrimSpace(testkit.RunInRepository(t, "go", "env", "GOMODCACHE"))
	out, err := n.env.Run(t.Context(), "sh", "-c", n.exports+strings.Join([]string{
		"export GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download"), "GOSUMDB=off",
		// A cache of its own keeps the version of the test out of the machine's cache. Its
		// dependencies are already compiled with -trimpath, which makes their paths
		// irrelevant.
		"GOMODCACHE=" + filepath.Join(t.TempDir(), "modules"), "GOFLAGS='-modcacherw -trimpath' CGO_ENABLED=0; ",
	}, " ")+command.FindStringSubmatch(lines[i])[1]+version+" && ~/go/bin/docker-stagebuild version")
	if err != nil || !strings.HasPrefix(out.Stdout, "github.com/stagebuild/stagebuild "+version+" ") {
		t.Errorf("the installed program prints %q, %v", out.Stdout, err)
	}
}

// writeModule writes the checked-out commit as a version of the module in the layout of a
// proxy.
func writeModule(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, filepath.Join(dir, "list"), version+"\n")
	testkit.WriteFile(t, filepath.Join(dir, version+".mod"), testkit.RunInRepository(t, "git", "show", "HEAD:go.mod"))
	testkit.WriteFile(t, filepath.Join(dir, version+".info"), `{"Version":"`+version+`"}`)
	tree := t.TempDir()
	testkit.RunInRepository(t, "sh", "-c", `git archive HEAD | tar -x -C "$0"`, tree)
	zip, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := modzip.CreateFromDir(zip, module.Version{Path: "github.com/stagebuild/stagebuild", Version: version}, tree); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
}
