package integration

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

	"github.com/stagebuild/stagebuild/integration/harness"
)

// newcomer is a user who follows docs/install.md, in a home of their own.
type newcomer struct {
	env     *harness.Env
	home    string
	exports string // shell commands that make it so
}

func newNewcomer(t *testing.T) newcomer {
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
	exports := "unset DOCKER_CONFIG; export BUILDX_BUILDER=" + ownBuilder + " HOME=" + home
	// What was compiled and downloaded is not in that home.
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		exports += " " + name + "=" + strings.TrimSpace(inRepository(t, "go", "env", name))
	}
	return newcomer{env, home, exports + "; "}
}

// follow runs the commands of the page's blocks of a kind, in a folder.
func (n newcomer) follow(t *testing.T, kind, dir string, replace ...string) {
	t.Helper()
	blocks, _ := readDocument(t, "docs/install.md")
	done := 0
	for _, b := range blocks {
		if name, _ := b.argument("install"); name != kind {
			continue
		}
		for _, c := range transcript(strings.NewReplacer(replace...).Replace(atRegistry(n.env, b.text))) {
			c.text = n.exports + c.text
			c.check(t, n.env, dir, fmt.Sprintf("docs/install.md:%d", b.line), false)
			done++
		}
	}
	if done == 0 {
		t.Fatalf("docs/install.md does not say how to install by %s", kind)
	}
}

// wantInstalled checks that the docker CLI has the plugin.
func (n newcomer) wantInstalled(t *testing.T, version string) {
	t.Helper()
	out, err := n.env.Run(t.Context(), "sh", "-c", n.exports+"docker stagebuild version")
	if err != nil || !regexp.MustCompile(`^github.com/stagebuild/stagebuild `+version+` `).MatchString(out.Stdout) {
		t.Errorf("the plugin that was installed says %q, %v", out.Stdout, err)
	}
}

// TestReleaseInstall follows docs/install.md.
func TestReleaseInstall(t *testing.T) {
	env, proxy := ownEnv(t)
	viaProxy := "--set=*.args.GOPROXY=" + proxy
	t.Run("binary", func(t *testing.T) {
		dir, flags := intoFolder(t, "release-plugin")
		bakeOwn(t, []string{"VERSION=v1.2.3", "PLUGIN_PLATFORMS=" + env.Platform}, append(flags,
			"release-plugin", "--set=*.attest=type=sbom,generator="+pushScanner(t, env))...)
		n := newNewcomer(t)
		n.follow(t, "binary", dir, "linux-amd64", strings.ReplaceAll(env.Platform, "/", "-"))
		n.wantInstalled(t, `v1\.2\.3`)
	})
	t.Run("bake", func(t *testing.T) {
		n := newNewcomer(t)
		n.follow(t, "bake", "..", "bake plugin", "bake plugin "+viaProxy)
		n.wantInstalled(t, `\(devel\)`)
	})
	for _, kind := range []string{"go", "make"} {
		t.Run(kind, func(t *testing.T) {
			n := newNewcomer(t)
			n.follow(t, kind, "..")
			n.wantInstalled(t, `\S+`)
		})
	}
	t.Run("image", func(t *testing.T) {
		newNewcomer(t).follow(t, "image", "..", "release-image", "release-image "+viaProxy+
			" --set=release-image.platform="+env.Platform+" --set=*.attest=type=sbom,generator="+pushScanner(t, env))
		wantServed(t, env, "stagebuild/stagebuild:1")
	})
}

// TestReleaseGoInstall installs a version of the module through a proxy, as from
// Go's own: go.mod has nothing in it with which that is refused.
func TestReleaseGoInstall(t *testing.T) {
	n := newNewcomer(t)
	_, lines := readDocument(t, "docs/install.md")
	command := regexp.MustCompile("`(go install \\S+@)VERSION`")
	i := slices.IndexFunc(lines, command.MatchString)
	if i < 0 {
		t.Fatal("docs/install.md does not say how to install a version")
	}
	const version = "v1.2.3"
	proxy := t.TempDir()
	writeModule(t, filepath.Join(proxy, "github.com", "stagebuild", "stagebuild", "@v"), version)
	cache := strings.TrimSpace(inRepository(t, "go", "env", "GOMODCACHE"))
	out, err := n.env.Run(t.Context(), "sh", "-c", n.exports+strings.Join([]string{
		"export GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download"), "GOSUMDB=off",
		// The version that is made here is not for others to find. What it is made of
		// has been compiled already, for whom paths do not matter.
		"GOMODCACHE=" + filepath.Join(t.TempDir(), "modules"), "GOFLAGS='-modcacherw -trimpath' CGO_ENABLED=0; ",
	}, " ")+command.FindStringSubmatch(lines[i])[1]+version+" && ~/go/bin/docker-stagebuild version")
	if err != nil || !strings.HasPrefix(out.Stdout, "github.com/stagebuild/stagebuild "+version+" ") {
		t.Errorf("the program that was installed says %q, %v", out.Stdout, err)
	}
}

// writeModule writes the commit that is checked out as a version of the module, as a
// proxy serves it.
func writeModule(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "list"), version+"\n")
	write(t, filepath.Join(dir, version+".mod"), inRepository(t, "git", "show", "HEAD:go.mod"))
	write(t, filepath.Join(dir, version+".info"), `{"Version":"`+version+`"}`)
	tree := t.TempDir()
	inRepository(t, "sh", "-c", `git archive HEAD | tar -x -C "$0"`, tree)
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
