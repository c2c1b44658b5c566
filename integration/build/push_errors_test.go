package build

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestPushDenied pushes to a read-only registry.
func TestPushDenied(t *testing.T) {
	env, _ := suite.Product(t)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: env.Registry.Host})
	proxy.ErrorLog = log.New(io.Discard, "", 0) // the daemon hangs up after the first error
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":[{"code":"DENIED","message":"this registry is for reading"}]}`)) // read by the daemon
	}))
	defer server.Close()
	dir, out := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}), t.TempDir()
	image := strings.TrimPrefix(server.URL, "http://") + "/refused:1"
	metadata, archive := "--metadata-file="+filepath.Join(out, "metadata"), filepath.Join(out, "image.tar")
	for name, args := range map[string][]string{
		"alone":                 {"--iidfile=" + filepath.Join(out, "iid"), metadata},
		"beside another output": {"--output=type=oci,dest=" + archive, metadata},
		"quiet":                 {"--quiet"},
	} {
		t.Run(name, func(t *testing.T) {
			args = append([]string{"build", "--push", "--tag=" + image, dir}, args...)
			status, text := testkit.StartProcess(t, env.Command(t.Context(), "docker-stagebuild", args...)).Wait(t, time.Minute)
			want := "failed to push " + image + ": denied: this registry is for reading\n"
			if status != 1 || !strings.HasSuffix(text, want) {
				t.Errorf("exit status %d, want 1 and %q:\n%s", status, want, text)
			}
			testkit.WantEmpty(t, out)
			if name == "quiet" && strings.Contains(text, "sha256:") {
				t.Errorf("there is an image ID:\n%s", text)
			}
		})
	}
}
