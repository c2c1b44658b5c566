package build

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestOutputConflicts builds results that would write to the same place, by way of
// different flags, links or nested directories. Such builds fail before anything is built.
func TestOutputConflicts(t *testing.T) {
	env, _ := suite.Product(t)
	dir, out := stagesContext(t), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(out, link); err != nil {
		t.Fatal(err)
	}
	env.Registry.Forget()
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{
			"name of an image",
			[]string{"--output=type=image,push=true,name=" + env.Registry.Ref("places/w:1")},
			"--output: api and worker would both write " + env.Registry.Ref("places/w:1"),
		},
		{
			"list of names",
			[]string{`--output=type=registry,"name=` + env.Registry.Ref("places/{{.Stage}}") + "," + env.Registry.Ref("places/w") + `"`},
			"--output: api and worker would both write " + env.Registry.Ref("places/w:latest"),
		},
		{
			"different flags",
			[]string{
				"--metadata-file=" + filepath.Join(out, "{{.Stage}}"),
				"--iidfile=" + filepath.Join(out, `{{if eq .Stage "api"}}worker{{else}}api{{end}}`),
			},
			"--iidfile of api and --metadata-file of worker would both write " + filepath.Join(out, "worker") + "; give each a place of its own",
		},
		{
			"symbolic link",
			[]string{`--output=type=oci,dest={{if eq .Stage "api"}}` + out + "{{else}}" + link + "{{end}}/image.tar"},
			"--output: api and worker would both write " + filepath.Join(out, "image.tar"),
		},
		{
			"nested directory",
			[]string{"--allow=buildx.local.delete", "--output=type=local,mode=delete,dest=" + out + `{{if eq .Stage "api"}}/sub{{end}}`},
			"--output of api would write " + filepath.Join(out, "sub") + ", which is inside " + out + ", where --output of worker writes; give each a place of its own",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, err := testkit.Build(t, env, append(test.args, "--stage=api,worker", "--progress=plain", dir)...)
			if err == nil || !strings.Contains(res.Stderr, "ERROR: "+test.want) {
				t.Errorf("missing in the output: %s\n%s", test.want, res.Stderr)
			}
		})
	}
	if got := env.Registry.Requests(); len(got) > 0 {
		t.Errorf("the build sent requests: %v", got)
	}
	testkit.WantEmpty(t, out)
}

// TestTagsOverrideOutputNames gives two results an output with the same name but different
// tags, which name the images.
func TestTagsOverrideOutputNames(t *testing.T) {
	env, _ := suite.Product(t)
	_, err := testkit.Build(t, env, "--stage=api,worker", "--tag="+env.Registry.Ref("places/{{.Stage}}:1"),
		"--output=type=image,push=true,name="+env.Registry.Ref("places/api:1"), stagesContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for stage, path := range map[string]string{"api": "app", "worker": "app/worker.txt"} {
		pushed, err := env.Registry.Read(t.Context(), "places/"+stage+":1")
		if err != nil {
			t.Fatal(err)
		}
		testkit.WantFile(t, pushed, env.Platform, path, stage)
	}
}

// TestOutputDirectoriesAreCreated writes archives into missing directories, which the
// build creates as buildx does.
func TestOutputDirectoriesAreCreated(t *testing.T) {
	env, _ := suite.Product(t)
	dir, out := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox AS one\nFROM busybox AS two\n"}), t.TempDir()
	for _, kind := range []string{"oci", "docker", "tar"} {
		path := filepath.Join(out, kind, "{{.Stage}}", "image.tar")
		if _, err := env.Run(t.Context(), "docker-stagebuild", "build", "--stage=one,two", "--output=type="+kind+",dest="+path, dir); err != nil {
			t.Fatal(err)
		}
		for _, stage := range []string{"one", "two"} {
			if info, err := os.Stat(filepath.Join(out, kind, stage, "image.tar")); err != nil || info.Size() == 0 {
				t.Errorf("%s of %s: %v", kind, stage, err)
			}
		}
	}
}

// TestOutputTemplates builds with templates in flags. Builds whose results would overwrite
// each other fail.
func TestOutputTemplates(t *testing.T) {
	env, _ := suite.Product(t)
	dir, out := stagesContext(t), t.TempDir()
	res, err := testkit.Build(t, env, "--stage=api", "--platform=all", "--quiet", "--push", "--build-arg=V=7",
		"--tag="+env.Registry.Ref(`stages/split:{{.Arg "V"}}-{{.Arch}}`), "--iidfile="+filepath.Join(out, "{{.OS}}-{{.Arch}}"), dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, arch := range []string{"amd64", "arm64"} {
		id, err := os.ReadFile(filepath.Join(out, "linux-"+arch))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, string(id))
		pushed, err := env.Registry.Read(t.Context(), "stages/split:7-"+arch)
		if err != nil {
			t.Fatal(err)
		}
		if got := pushed.Platforms(); !slices.Equal(got, []string{"linux/" + arch}) {
			t.Errorf("7-%s is for %v", arch, got)
		}
	}
	if got := strings.Fields(res.Stdout); !slices.Equal(got, ids) {
		t.Errorf("IDs on standard output %v, in files %v", got, ids)
	}

	env.Registry.Forget()
	tar := filepath.Join(out, "both.tar")
	for flags, want := range map[string]string{
		"--tag=" + env.Registry.Ref("stages/both") + " --push":          "--tag: api and worker would both write " + env.Registry.Ref("stages/both:latest"),
		"--output=type=oci,dest=" + tar:                                 "--output: api and worker would both write " + tar,
		"--metadata-file=" + tar:                                        "--metadata-file: api and worker would both write " + tar,
		"--cache-to=type=local,dest=" + tar:                             "--cache-to: api and worker would both write " + tar,
		"--tag=" + env.Registry.Ref("{{.Stgae}}"):                       "there is no .Stgae; a template can use {{.Stage}}",
		"--platform=linux/arm64 --stage=test-arch":                      `Dockerfile:11:1: stage "test-arch" has no variant for linux/arm64`,
		"--stage=wroker":                                                `no stage is named "wroker"; did you mean "worker"?`,
		"--call=outline":                                                "--call=outline takes one stage; 2 were selected",
		"--output=type=local,dest=" + out + " --output=type=tar,dest=-": "would both write",
	} {
		t.Run(flags, func(t *testing.T) {
			res, err := testkit.Build(t, env, append(append([]string{"--stage=api,worker", "--progress=plain"}, strings.Fields(flags)...), dir)...)
			testkit.WantFailure(t, err)
			if !strings.Contains(res.Stderr, want) {
				t.Errorf("%s: missing in the output: %s\n%s", flags, want, res.Stderr)
			}
		})
	}
	if got := env.Registry.Requests(); len(got) > 0 {
		t.Errorf("the build sent requests: %v", got)
	}
	if _, err := os.Stat(tar); err == nil {
		t.Error("the archive was written")
	}
}
