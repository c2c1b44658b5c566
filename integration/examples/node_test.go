package examples

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// npmRegistry serves the packages of a package-lock.json that npm installs on this
// machine, until the test ends, and returns its address. npm compares the packages with
// the digests in the lock file.
func npmRegistry(t *testing.T, env *harness.Env, lockFile string) string {
	t.Helper()
	data, err := os.ReadFile(lockFile)
	if err != nil {
		t.Fatal(err)
	}
	var lock struct{ Packages map[string]lockedPackage }
	if err := json.Unmarshal(data, &lock); err != nil {
		t.Fatal(err)
	}
	packages := map[string]lockedPackage{} // by name
	for dir, p := range lock.Packages {
		if name, ok := strings.CutPrefix(dir, "node_modules/"); ok && p.isForThisMachine() {
			if p.archive, err = env.NPMPackage(t.Context(), name+"@"+p.Version); err != nil {
				t.Fatal(err)
			}
			packages[name] = p
		}
	}
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, archive := strings.CutSuffix(strings.Trim(r.URL.Path, "/"), "/-/archive.tgz")
		p, ok := packages[name]
		switch {
		case !ok:
			http.NotFound(w, r)
		case archive:
			http.ServeFile(w, r, p.archive)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(p.document(name, server.URL)) // npm reports missing metadata
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// lockedPackage is a package in a package-lock.json.
type lockedPackage struct {
	Version, Integrity string
	OS, CPU            []string
	archive            string
}

// isForThisMachine reports whether npm installs the package in an image for this machine.
func (p lockedPackage) isForThisMachine() bool {
	cpu := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	return (p.CPU == nil || slices.Contains(p.CPU, cpu)) && (p.OS == nil || slices.Contains(p.OS, "linux"))
}

// document returns the registry's metadata of the package.
func (p lockedPackage) document(name, registry string) map[string]any {
	return map[string]any{
		"name":      name,
		"dist-tags": map[string]string{"latest": p.Version},
		"versions": map[string]any{p.Version: map[string]any{
			"name": name, "version": p.Version,
			"dist": map[string]string{"tarball": registry + "/" + name + "/-/archive.tgz", "integrity": p.Integrity},
		}},
	}
}

func checkNodeApp(t *testing.T, e *exampleRun) {
	single, err := e.env.Registry.Read(t.Context(), "notes:single")
	if err != nil {
		t.Fatal(err)
	}
	multi := e.rebuildWithBuildx(t, "notes:1.0", amd64AndArm64, "--target=multi")
	platform := e.env.Platform
	testkit.WantFiles(t, single, platform, map[string]bool{
		"app/node_modules/esbuild/package.json": true, "app/src/server.ts": true, "app/dist/server.mjs": true,
	})
	for _, p := range multi.Platforms() {
		wantELF(t, imageFile(t, multi, p, "nodejs/bin/node"), p)
		testkit.WantFiles(t, multi, p, map[string]bool{
			"app/server.mjs": true, "app/notes/welcome.md": true, "app/src/server.ts": false, "bin/busybox": false,
		})
	}
	// The smaller image lacks the packages of npm, mostly the esbuild binary.
	if s, m := imageOf(t, single, platform).Size, imageOf(t, multi, platform).Size; s < m+4_000_000 {
		t.Errorf("the image of one stage has %d bytes, that of two %d", s, m)
	}
	checkNotesServer(t, e.env, e.env.Registry.Ref("notes:1.0"))
}

// notesClient runs in the image of the README's second command, starts the server there
// and fetches pages from it.
const notesClient = `const listening = new Promise((resolve) => { console.log = resolve; });
process.env.PORT = "0";
const { writeFileSync } = await import("node:fs");
await import("/app/server.mjs");
const [, port] = /port (\d+)/.exec(await listening);
const fetchPage = async (path) => {
  const response = await fetch("http://127.0.0.1:" + port + path);
  return response.status + " " + await response.text();
};
writeFileSync("/tmp/responses", JSON.stringify(await Promise.all(["/", "/welcome", "/../secret"].map(fetchPage))));
process.exit(0);
`

// checkNotesServer runs notesClient in the image and checks the pages.
func checkNotesServer(t *testing.T, env *harness.Env, image string) {
	t.Helper()
	out := t.TempDir()
	dir := testkit.WriteContext(t, map[string]string{"ask.mjs": notesClient, "Dockerfile": "FROM " + image + ` AS ask
RUN --mount=target=/context ["/nodejs/bin/node", "/context/ask.mjs"]
FROM scratch
COPY --from=ask /tmp/responses /
`})
	if _, err := env.Buildx(t.Context(), "build", "--output=type=local,dest="+out, dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(out, "responses"))
	if err != nil {
		t.Fatal(err)
	}
	var responses []string
	if err := json.Unmarshal(data, &responses); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`<a href="/welcome">welcome</a>`, "<title>Welcome</title>", "404 There is no such note."} {
		if !strings.Contains(responses[i], want) {
			t.Errorf("%q is missing in the response %q", want, responses[i])
		}
	}
}
