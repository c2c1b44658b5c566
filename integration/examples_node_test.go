package integration

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

	"github.com/stagebuild/stagebuild/integration/harness"
)

// npmRegistry serves what a package-lock.json asks the npm registry for on this
// machine, until the test ends, and returns its address. npm compares the packages
// with the digests of the lock file.
func npmRegistry(t *testing.T, env *harness.Env, lockFile string) string {
	t.Helper()
	data, err := os.ReadFile(lockFile)
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Version, Resolved string
			OS, CPU           []string
		}
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		t.Fatal(err)
	}
	cpu := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	archives := map[string]string{} // by the path of the URL
	for folder, p := range lock.Packages {
		path, ok := strings.CutPrefix(p.Resolved, "https://registry.npmjs.org")
		if !ok || (p.CPU != nil && !slices.Contains(p.CPU, cpu)) || (p.OS != nil && !slices.Contains(p.OS, "linux")) {
			continue
		}
		if archives[path], err = env.NPMPackage(t.Context(), strings.TrimPrefix(folder, "node_modules/")+"@"+p.Version); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if archive, ok := archives[r.URL.Path]; ok {
			http.ServeFile(w, r, archive)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

func checkNodeApp(t *testing.T, e *exampleRun) {
	single, err := e.env.Registry.Read(t.Context(), "notes:single")
	if err != nil {
		t.Fatal(err)
	}
	multi := e.alsoWithBuildx(t, "notes:1.0", bothOfThem, "--target=multi")
	platform := e.env.Platform
	wantFiles(t, single, platform, map[string]bool{
		"app/node_modules/esbuild/package.json": true, "app/src/server.ts": true, "app/dist/server.mjs": true,
	})
	for _, p := range multi.Platforms() {
		wantELF(t, imageFile(t, multi, p, "nodejs/bin/node"), p)
		wantFiles(t, multi, p, map[string]bool{
			"app/server.mjs": true, "app/notes/welcome.md": true, "app/src/server.ts": false, "bin/busybox": false,
		})
	}
	// The difference is what npm installed, of which the compiled esbuild is the most.
	if s, m := imageOf(t, single, platform).Size, imageOf(t, multi, platform).Size; s < m+4_000_000 {
		t.Errorf("the image of one stage has %d bytes, that of two %d", s, m)
	}
	serveNotes(t, e.env, e.env.Registry.Ref("notes:1.0"))
}

// askNotes has the image of the README's second command serve itself a page.
const askNotes = `const listening = new Promise((resolve) => { console.log = resolve; });
process.env.PORT = "0";
const { writeFileSync } = await import("node:fs");
await import("/app/server.mjs");
const [, port] = /port (\d+)/.exec(await listening);
const answer = async (path) => {
  const response = await fetch("http://127.0.0.1:" + port + path);
  return response.status + " " + await response.text();
};
writeFileSync("/tmp/answers", JSON.stringify(await Promise.all(["/", "/welcome", "/../secret"].map(answer))));
process.exit(0);
`

// serveNotes runs the image and asks it for pages.
func serveNotes(t *testing.T, env *harness.Env, image string) {
	t.Helper()
	out := t.TempDir()
	dir := writeContext(t, map[string]string{"ask.mjs": askNotes, "Dockerfile": "FROM " + image + ` AS ask
RUN --mount=target=/context ["/nodejs/bin/node", "/context/ask.mjs"]
FROM scratch
COPY --from=ask /tmp/answers /
`})
	if _, err := env.Buildx(t.Context(), "build", "--output=type=local,dest="+out, dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(out, "answers"))
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	if err := json.Unmarshal(data, &answers); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`<a href="/welcome">welcome</a>`, "<title>Welcome</title>", "404 There is no such note."} {
		if !strings.Contains(answers[i], want) {
			t.Errorf("%q is missing in the answer %q", want, answers[i])
		}
	}
}
