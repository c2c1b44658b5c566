package docs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestBuildingCommands runs the commands in docs/building.md and compares the end of their
// output, the summary of the results.
func TestBuildingCommands(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	files := map[string]string{}
	for _, name := range []string{"shared.conf", "api", "worker", "api.data", "simd.data"} {
		files[name] = name + "\n"
	}
	dir := testkit.WriteContext(t, files)
	(&document.Session{Env: env, Name: "docs/building.md", Dir: dir}).Run(t)
	for _, name := range []string{"api-amd64", "api-arm64"} {
		if got, err := os.ReadFile(filepath.Join(dir, "out", name, "srv", "api")); err != nil || string(got) != "api\n" {
			t.Errorf("out/%s/srv/api is %q, %v", name, got, err)
		}
	}
	for _, tag := range []string{"api:1.2", "worker:1.2"} {
		res, err := env.Registry.Read(t.Context(), tag)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(res.Platforms(), " "); got != "linux/amd64 linux/arm64" {
			t.Errorf("%s is for %s", tag, got)
		}
	}
}

// TestSeeingCommands runs the commands in docs/seeing.md.
func TestSeeingCommands(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	own := platforms.Format(platforms.DefaultSpec())
	(&document.Session{
		Env: env, Name: "docs/seeing.md", Dir: t.TempDir(),
		Replace: []string{"on linux/amd64", "on " + own},
	}).Run(t)
}

// TestScalingCommands runs the commands in docs/scaling.md that need no cluster: they
// create certificates, two daemons and a builder, and build with caches.
func TestScalingCommands(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	env.NeedOwnDaemon(t)
	dir := buildingContext(t, env)
	run := &document.Session{
		Env: env, Name: "docs/scaling.md", Dir: dir,
		// All hosts of the page are this one.
		Replace: []string{"DNS:$name", "DNS:$name,IP:127.0.0.1"},
	}
	run.Other = map[string]func(document.Block){"daemons": func(b document.Block) {
		wantFlags(t, b, "buildkitd", "--addr", "--tlscacert", "--tlscert", "--tlskey")
		for _, host := range []string{"amd64", "arm64"} {
			name := filepath.Join(dir, host+".example.com")
			addr, err := env.StartTLSNode(t.Context(), "tls-"+host, filepath.Join(dir, "ca.pem"), name+".pem", name+"-key.pem")
			if err != nil {
				t.Fatal(err)
			}
			run.Replace = append(run.Replace, "tcp://"+host+".example.com:1234", addr)
			wantCertificateRequired(t, env, addr, filepath.Join(dir, "ca.pem"))
		}
	}}
	t.Cleanup(func() { _, _ = env.Buildx(context.Background(), "rm", "farm") }) // may not exist if the test failed
	run.Run(t)

	for _, repo := range []string{"services/api:1.2", "services/worker:1.2"} {
		res, err := env.Registry.Read(t.Context(), repo)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(res.Platforms(), " "); got != "linux/amd64 linux/arm64" {
			t.Errorf("%s is for %s", repo, got)
		}
	}
	for _, tag := range []string{"api", "worker", "api-amd64", "api-arm64", "worker-amd64", "worker-arm64"} {
		// An import of a missing cache is reported as not found.
		out, err := env.Buildctl(t.Context(), "build", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir,
			"--opt=target=base", "--progress=plain", "--import-cache=type=registry,ref="+env.Registry.Ref("cache:"+tag))
		if err != nil || strings.Contains(out.Stderr, "not found") {
			t.Errorf("the cache %s cannot be read: %v\n%s", tag, err, out.Stderr)
		}
	}
}

// wantFlags checks that a command in a document has exactly the wanted flags.
func wantFlags(t *testing.T, b document.Block, program string, want ...string) {
	t.Helper()
	var got []string
	for word := range strings.FieldsSeq(b.Text) {
		if strings.HasPrefix(word, "--") {
			got = append(got, word)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s is shown with the flags %v, and started with %v", program, got, want)
	}
}

// wantCertificateRequired connects to a daemon without a certificate. With TLS 1.3 the
// client may fail on a later write, before it receives the reason.
func wantCertificateRequired(t *testing.T, env *harness.Env, addr, ca string) {
	t.Helper()
	_, err := env.Buildctl(t.Context(), "--addr="+addr, "--tlscacert="+ca, "debug", "workers")
	if err == nil || !strings.Contains(err.Error(), "Unavailable") {
		t.Errorf("%s accepts a client without a certificate: %v", addr, err)
	}
}

// TestTroubleshootingCommands runs the commands in docs/troubleshooting.md.
func TestTroubleshootingCommands(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	dir := testkit.WriteContext(t, map[string]string{"hello.txt": "hello\n"})
	(&document.Session{Env: env, Name: "docs/troubleshooting.md", Dir: dir}).Run(t)
}
