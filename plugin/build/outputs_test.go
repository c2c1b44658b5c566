package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// placesError returns the error about the places of the results "api" and "worker" of a
// command line, or "".
func placesError(t *testing.T, args ...string) string {
	t.Helper()
	o := newOptions()
	o.contextPath = "."
	cmd := &cobra.Command{Use: "build"}
	o.addFlags(cmd, func(string) string { return "" })
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("FROM scratch AS api\nFROM scratch AS worker\n")))
	if err != nil {
		t.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false }
	if _, err = o.results(file, plan.Env{}, []selection.Result{{Stage: "api"}, {Stage: "worker"}}, none); err != nil {
		return err.Error()
	}
	return ""
}

// TestImagePlaces compares the names of images and caches.
func TestImagePlaces(t *testing.T) {
	const other = `{{if eq .Stage "api"}}x{{else}}y{{end}}`
	for args, want := range map[string]string{
		"-o type=image,name=r/w:1,push=true": "--output: api and worker would both write docker.io/r/w:1;",
		"-o type=registry,name=r/w":          "--output: api and worker would both write docker.io/r/w:latest;",
		"-o type=docker,name=w:1":            "--output: api and worker would both write docker.io/library/w:1;",
		`-o type=image,"name={{.Stage}},w"`:  "--output: api and worker would both write docker.io/library/w:latest;",
		"-o type=image,name={{.Stage}}|--cache-to type=registry,ref=docker.io/library/{{if eq .Stage \"api\"}}worker{{else}}c{{end}}": "--cache-to of api and --output of worker would both write docker.io/library/worker:latest;",
		"-t {{.Stage}}|--cache-to type=registry,ref={{if eq .Stage \"api\"}}c{{else}}api{{end}}":                                      "--tag of api and --cache-to of worker would both write docker.io/library/api:latest;",
		"--cache-to type=s3,bucket=b,region=r,name=n":                                                                                 "--cache-to: api and worker would both write s3,bucket=b,name=n;",
		"-o type=image,name=" + other:                           "",
		"-t {{.Stage}}|--cache-to type=registry,ref={{.Stage}}": "",
		"-t {{.Stage}}|-o type=image,name=w,push=true":          "",
		"-o type=image,name=w,push-by-digest=true":              "",
		"-o type=oci,name=w,dest={{.Stage}}.tar":                "",
		"-o type=docker,name=w,dest={{.Stage}}.tar":             "",
		"--push|--cache-to type=inline":                         "",
	} {
		t.Run(args, func(t *testing.T) { checkPlaces(t, args, want) })
	}
}

// TestFilePlaces compares files and directories by their paths, with links resolved.
func TestFilePlaces(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if err := os.Mkdir("o", 0o700); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link": "o", "dangling": filepath.Join("o", "absent"), "loop": "loop"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	api := func(then, otherwise string) string {
		return `{{if eq .Stage "api"}}` + then + "{{else}}" + otherwise + "{{end}}"
	}
	for args, want := range map[string]string{
		"-o type=oci,dest=" + api("o", "link") + "/dup.tar":              "--output: api and worker would both write ROOT/o/dup.tar;",
		"-o type=oci,dest=" + api("o/absent", "dangling"):                "--output: api and worker would both write ROOT/o/absent;",
		"-o type=oci,dest=" + api("o/absent", "dangling") + "/new/x.tar": "--output: api and worker would both write ROOT/o/absent/new/x.tar;",
		"-o type=tar,dest=-": "--output: api and worker would both write -;",
		"--metadata-file o/{{.Stage}}|--iidfile link/" + api("worker", "x"):           "--iidfile of api and --metadata-file of worker would both write ROOT/o/worker;",
		"--cache-to type=local,dest=c" + api("", "/api") + "|-o c" + api("/api", "x"): "--output of api and --cache-to of worker would both write ROOT/c/api;",
		"-o o" + api("/sub", ""):                                     "--output of api would write ROOT/o/sub, which is inside ROOT/o, where --output of worker writes;",
		"-o " + api("link", "o/a/b"):                                 "--output of worker would write ROOT/o/a/b, which is inside ROOT/o, where --output of api writes;",
		"-o out/{{.Stage}}|--metadata-file out/api/" + api("m", "n"): "--metadata-file of worker would write ROOT/out/api/n, which is inside ROOT/out/api, where --output of api writes;",
		"-o type=oci,tar=false,dest=out/{{.Stage}}|--cache-to type=local,dest=out/api/" + api("a", "b"): "--cache-to of worker would write ROOT/out/api/b, which is inside ROOT/out/api, where --output of api writes;",
		"-o out/{{.Stage}}|--metadata-file out/{{.Stage}}/metadata":                                     "",
		"-o out" + api("", "er"):               "",
		"-o type=oci,dest=out" + api("", "/x"): "",
		"-o out/{{.Stage}}|-t out/{{.Stage}}|--cache-to type=s3,bucket=b,region=r,name={{.Stage}}": "",
		"--metadata-file loop/{{.Stage}}": "--metadata-file loop/{{.Stage}}: a link leads from loop/api out of loop;",
	} {
		t.Run(args, func(t *testing.T) { checkPlaces(t, args, strings.ReplaceAll(want, "ROOT", root)) })
	}
}

// checkPlaces compares the error about the places of arguments, which "|" separates, with
// want. The error may continue with its fix.
func checkPlaces(t *testing.T, args, want string) {
	t.Helper()
	var list []string
	for arg := range strings.SplitSeq(args, "|") {
		flag, value, _ := strings.Cut(arg, " ")
		list = append(list, flag)
		if value != "" {
			list = append(list, value)
		}
	}
	if got := placesError(t, list...); got != want && (want == "" || !strings.HasPrefix(got, want)) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
