package release

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

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// The tests named TestRelease… build this repository with its own Dockerfile and
// docker-bake.hcl. They compile for every platform, which takes minutes the first time:
// `make test-release`.

// repository is shared by the tests that build this repository.
var repository struct {
	once  sync.Once
	proxy string // URL of a module proxy
	err   error
}

// releaseBuilder is the name of the buildx builder.
const releaseBuilder = "release"

// releaseEnv returns the environment with the builder, and the URL of a module proxy that
// serves this machine's module cache. Builds have no other network.
func releaseEnv(t *testing.T) (*harness.Env, string) {
	t.Helper()
	env := suite.Env(t)
	env.NeedOwnDaemon(t)
	repository.once.Do(func() {
		testkit.RunInRepository(t, "go", "mod", "download")
		dir := strings.TrimSpace(testkit.RunInRepository(t, "go", "env", "GOMODCACHE"))
		server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "cache", "download")))) // runs until the tests end
		repository.proxy = server.URL
		repository.err = env.StartBuilder(t.Context(), releaseBuilder)
	})
	if repository.err != nil {
		t.Fatal(repository.err)
	}
	return env, repository.proxy
}

// bakeRepository bakes in the root directory of the repository with the given variables.
func bakeRepository(t *testing.T, vars []string, args ...string) {
	t.Helper()
	env, proxy := releaseEnv(t)
	args = append([]string{"bake", "--builder=" + releaseBuilder, "--progress=plain", "--set=*.args.GOPROXY=" + proxy}, args...)
	cmd := env.Command(t.Context(), "docker-buildx", args...)
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Env, vars...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker-buildx %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// localOutput returns a new directory and the flags with which a target writes its files
// there.
func localOutput(t *testing.T, target string) (dir string, flags []string) {
	t.Helper()
	dir = t.TempDir()
	return dir, []string{"--set=" + target + ".output=type=local,dest=" + dir, "--allow=fs.write=" + dir}
}

// listFiles returns the sorted paths of the files below a directory.
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

// wantBinary checks the build settings in a Go program.
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

// fileSum returns the SHA-256 of a file in hexadecimal.
func fileSum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
