package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlacesOfDifferentFlags has results write the same place in ways that no two
// values of one flag show. They are refused before anything is built.
func TestPlacesOfDifferentFlags(t *testing.T) {
	env, _ := productEnv(t)
	dir, out := stagesContext(t), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(out, link); err != nil {
		t.Fatal(err)
	}
	env.Registry.Forget()
	for _, test := range []struct {
		args []string
		want string
	}{
		{
			[]string{"--output=type=image,push=true,name=" + env.Registry.Ref("places/w:1")},
			"--output: api and worker would both write " + env.Registry.Ref("places/w:1"),
		},
		{
			[]string{`--output=type=registry,"name=` + env.Registry.Ref("places/{{.Stage}}") + "," + env.Registry.Ref("places/w") + `"`},
			"--output: api and worker would both write " + env.Registry.Ref("places/w:latest"),
		},
		{
			[]string{
				"--metadata-file=" + filepath.Join(out, "{{.Stage}}"),
				"--iidfile=" + filepath.Join(out, `{{if eq .Stage "api"}}worker{{else}}api{{end}}`),
			},
			"--iidfile of api and --metadata-file of worker would both write " + filepath.Join(out, "worker") + "; give each a place of its own",
		},
		{
			[]string{`--output=type=oci,dest={{if eq .Stage "api"}}` + out + "{{else}}" + link + "{{end}}/image.tar"},
			"--output: api and worker would both write " + filepath.Join(out, "image.tar"),
		},
		{
			[]string{"--allow=buildx.local.delete", "--output=type=local,mode=delete,dest=" + out + `{{if eq .Stage "api"}}/sub{{end}}`},
			"--output of api would write " + filepath.Join(out, "sub") + ", which is inside " + out + ", where --output of worker writes; give each a place of its own",
		},
	} {
		res, err := stagebuild(t, env, append(test.args, "--stage=api,worker", "--progress=plain", dir)...)
		if err == nil || !strings.Contains(res.Stderr, "ERROR: "+test.want) {
			t.Errorf("%s: missing in the output: %s\n%s", test.args, test.want, res.Stderr)
		}
	}
	if got := env.Registry.Requests(); len(got) > 0 {
		t.Errorf("something was begun: %v", got)
	}
	wantEmpty(t, out)
}

// TestTagsReplaceNamesOfOutputs gives two results an output of the same name, and tags
// of their own, which is what the images are named by.
func TestTagsReplaceNamesOfOutputs(t *testing.T) {
	env, _ := productEnv(t)
	_, err := stagebuild(t, env, "--stage=api,worker", "--tag="+env.Registry.Ref("places/{{.Stage}}:1"),
		"--output=type=image,push=true,name="+env.Registry.Ref("places/api:1"), stagesContext(t))
	if err != nil {
		t.Fatal(err)
	}
	for stage, path := range map[string]string{"api": "app", "worker": "app/worker.txt"} {
		pushed, err := env.Registry.Read(t.Context(), "places/"+stage+":1")
		if err != nil {
			t.Fatal(err)
		}
		wantFile(t, pushed, env.Platform, path, stage)
	}
}

// TestFoldersAreMade writes archives into folders that are not there, as buildx does.
func TestFoldersAreMade(t *testing.T) {
	env, _ := productEnv(t)
	dir, out := writeContext(t, map[string]string{"Dockerfile": "FROM busybox AS one\nFROM busybox AS two\n"}), t.TempDir()
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
