package buildx

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/pkg/archive/compression"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// showContext is a Dockerfile that copies the whole context.
const showContext = "FROM scratch\nCOPY . /\n"

// TestContextsMatchBuildx builds from every kind of build context, with the Dockerfile
// from every possible source.
func TestContextsMatchBuildx(t *testing.T) {
	env, _ := suite.Product(t)
	archive := testkit.TarOf(t, map[string]string{"Dockerfile": showContext, "sub/Dockerfile": "FROM scratch\nCOPY sub /sub\n", "sub/a": "a"})
	web := testkit.ServeFiles(t, map[string][]byte{"archive.tar": archive, "archive.tar.zst": compressZstd(t, archive), "Dockerfile": []byte("FROM busybox\nENV FROM=web\n")})
	git := testkit.ServeGit(t,
		testkit.GitBranch{Name: "trunk", Files: map[string]string{"Dockerfile": showContext, "a": "trunk"}},
		testkit.GitBranch{Name: "side", Files: map[string]string{"a": "side", "sub/Dockerfile": showContext, "sub/b": "below"}},
	)
	for _, a := range []comparison{
		{name: "Dockerfile elsewhere in the context", args: []string{"--file=sub/Other"}},
		{name: "Dockerfile outside of the context", args: []string{"--file={dir}/Dockerfile"}, context: "{dir}/sub"},
		{name: "Dockerfile on standard input", args: []string{"-f", "-"}, stdin: "FROM scratch\nCOPY a /from-stdin\n"},
		{name: "Dockerfile of the web", args: []string{"--file=" + web + "/Dockerfile"}},
		{name: "nothing but a Dockerfile", context: "-", stdin: "FROM busybox\nENV ALONE=1\n"},
		{name: "archive on standard input", context: "-", stdin: string(archive)},
		{name: "compressed archive on standard input", context: "-", stdin: string(compressZstd(t, archive))},
		{name: "Dockerfile in an archive on standard input", args: []string{"--file=sub/Dockerfile"}, context: "-", stdin: string(archive)},
		{name: "archive of the web", context: web + "/archive.tar"},
		{name: "compressed archive of the web", context: web + "/archive.tar.zst"},
		{name: "Dockerfile of the web alone", context: web + "/Dockerfile"},
		{name: "git", context: git},
		{name: "git branch", context: git + "#side"},
		{name: "git branch and directory", context: git + "#side:sub"},
		{name: "git query", context: git + "?branch=side&subdir=sub"},
		{name: "git query as an input", context: git + "?branch=side&subdir=sub", env: []string{"BUILDX_SEND_GIT_QUERY_AS_INPUT=1"}},
		{name: "git with its history", args: []string{"--build-arg=BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"}, context: git},
		{name: "dockerignore", files: map[string]string{
			"Dockerfile": showContext, ".dockerignore": "*.log\n!kept.log\nDockerfile\n", "a.log": "", "kept.log": "", "b": "b",
		}},
		{name: "dockerignore of the Dockerfile", args: []string{"--file=sub/Other"}, files: map[string]string{
			"sub/Other": showContext, "sub/Other.dockerignore": "a\n", ".dockerignore": "b\n", "a": "a", "b": "b",
		}},
	} {
		t.Run(a.name, func(t *testing.T) {
			if a.files == nil {
				a.files = map[string]string{"Dockerfile": showContext, "a": "a", "sub/Other": "FROM scratch\nCOPY sub /sub\n"}
			}
			a.args = append(a.args, "--output=type=tar,dest={out}/files.tar", "--output=type=oci,dest={out}/image.tar")
			a.check(t, env)
		})
	}
}

// compressZstd compresses an archive with zstd.
func compressZstd(t *testing.T, archive []byte) []byte {
	t.Helper()
	var compressed bytes.Buffer
	w, err := compression.CompressStream(&compressed, compression.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(archive); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.Bytes()
}

// TestNamedContextsMatchBuildx replaces an image with every kind of named context.
func TestNamedContextsMatchBuildx(t *testing.T) {
	env, _ := suite.Product(t)
	archive := testkit.TarOf(t, map[string]string{"marker": "archive"})
	web := testkit.ServeFiles(t, map[string][]byte{"archive.tar": archive})
	git := testkit.ServeGit(t, testkit.GitBranch{Name: "trunk", Files: map[string]string{"marker": "git", "sub/marker": "below"}})
	layout := filepath.Join(t.TempDir(), "layout")
	base := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY marker /\nENV FROM=layout\n", "marker": "layout"})
	if _, err := env.Buildx(t.Context(), "build", "--provenance=false", "--output=type=oci,tar=false,dest="+layout, "--tag=base:1", base); err != nil {
		t.Fatal(err)
	}
	for name, context := range map[string]string{
		"directory":     "{dir}/named",
		"image":         "docker-image://busybox",
		"git":           git,
		"git directory": git + "#trunk:sub",
		"archive":       web + "/archive.tar",
		"layout":        "oci-layout://" + layout,
		"layout's tag":  "oci-layout://" + layout + ":1",
	} {
		t.Run(name, func(t *testing.T) {
			comparison{
				args: []string{"--build-context=nosuchbase=" + context, "--output=type=oci,dest={out}/image.tar", "--output=type=tar,dest={out}/files.tar"},
				files: map[string]string{
					"Dockerfile":   "FROM nosuchbase AS base\nFROM scratch\nCOPY --from=base / /\nCOPY --from=nosuchbase / /again/\n",
					"named/marker": "folder",
				},
			}.check(t, env)
		})
	}
}
