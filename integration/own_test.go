package integration

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagebuild/stagebuild/integration/harness"
)

// The tests called TestRelease… build this repository with its own Dockerfile and
// docker-bake.hcl. They compile for every platform, which takes minutes the first
// time: `make test-release`.

// own is the builder of the repository itself, made once.
var own struct {
	once  sync.Once
	proxy string // URL of a module proxy
	err   error
}

// ownBuilder is the name of the buildx builder.
const ownBuilder = "own"

// ownEnv returns the environment with the builder, and the URL of a module proxy:
// this machine's module cache. A build has no other network.
func ownEnv(t *testing.T) (*harness.Env, string) {
	t.Helper()
	env := suite.Env(t)
	env.NeedOwnDaemon(t)
	own.once.Do(func() {
		inRepository(t, "go", "mod", "download")
		dir := strings.TrimSpace(inRepository(t, "go", "env", "GOMODCACHE"))
		server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "cache", "download")))) // ends with the tests
		own.proxy = server.URL
		own.err = env.StartBuilder(t.Context(), ownBuilder)
	})
	if own.err != nil {
		t.Fatal(own.err)
	}
	return env, own.proxy
}

// bakeOwn bakes at the top of the repository, with some variables.
func bakeOwn(t *testing.T, vars []string, args ...string) {
	t.Helper()
	env, proxy := ownEnv(t)
	args = append([]string{"bake", "--builder=" + ownBuilder, "--progress=plain", "--set=*.args.GOPROXY=" + proxy}, args...)
	cmd := env.Command(t.Context(), "docker-buildx", args...)
	cmd.Dir = ".."
	cmd.Env = append(cmd.Env, vars...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker-buildx %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// intoFolder has a target write its files into a new folder.
func intoFolder(t *testing.T, target string) (dir string, flags []string) {
	t.Helper()
	dir = t.TempDir()
	return dir, []string{"--set=" + target + ".output=type=local,dest=" + dir, "--allow=fs.write=" + dir}
}

// listFiles lists the files below a folder, in order.
func listFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var name string
			if name, err = filepath.Rel(dir, path); err == nil {
				files = append(files, filepath.ToSlash(name))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// wantBinary checks what the toolchain wrote into a program.
func wantBinary(t *testing.T, path, platform string) {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	got := map[string]string{}
	for _, s := range info.Settings {
		got[s.Key] = s.Value
	}
	system, architecture, _ := strings.Cut(platform, "/")
	for key, want := range map[string]string{"GOOS": system, "GOARCH": architecture, "CGO_ENABLED": "0", "-trimpath": "true"} {
		if got[key] != want {
			t.Errorf("%s: %s is %q, want %q", path, key, got[key], want)
		}
	}
}

// fileSum is the SHA-256 of a file, in hexadecimal.
func fileSum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
