package testkit

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ServeFiles serves files over HTTP on a loopback port by path and returns the server's
// URL.
func ServeFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path[1:]]
		if !ok {
			http.NotFound(w, r)
			return
		}
		// BuildKit detects the kind of a context by its content.
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(data) // if the client hangs up, the build fails
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// GitBranch is a branch with one commit on top of the previous branch.
type GitBranch struct {
	Name  string
	Files map[string]string
}

// ServeGit creates a git repository, serves it over HTTP on a loopback port and returns
// its URL. The first branch is the default one.
func ServeGit(t *testing.T, branches ...GitBranch) string {
	t.Helper()
	root := t.TempDir()
	work := t.TempDir()
	runGit(t, work, "init", "--quiet", "--initial-branch="+branches[0].Name)
	for i, b := range branches {
		if i > 0 {
			runGit(t, work, "checkout", "--quiet", "-b", b.Name)
		}
		for name, content := range b.Files {
			path := filepath.Join(work, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			WriteFile(t, path, content)
		}
		runGit(t, work, "add", "--all")
		runGit(t, work, "commit", "--quiet", "--message="+b.Name)
	}
	runGit(t, work, "checkout", "--quiet", branches[0].Name)
	runGit(t, root, "clone", "--quiet", "--bare", work, "repo.git")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(server.Close)
	return server.URL + "/repo.git"
}

// runGit runs git in a directory without the machine's configuration.
func runGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	RunIn(t, dir, env, "git", args...)
}

// RunIn runs an installed program in a directory with the given environment.
func RunIn(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
