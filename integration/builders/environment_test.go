package builders

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

func TestBusyboxRuns(t *testing.T) {
	env := suite.Env(t)
	dir := testkit.WriteContext(t, map[string]string{
		"Dockerfile": "FROM busybox\nRUN uname -m | tr a-z A-Z > /machine && test -x /bin/awk\n",
	})
	if err := testkit.Solve(t, env, dir, "harness/runs:1", env.Platform); err != nil {
		t.Fatal(err)
	}
	img := testkit.ReadImage(t, env, "harness/runs:1", env.Platform)
	machine, err := img.ReadFile("/machine")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"linux/amd64": "X86_64\n", "linux/arm64": "AARCH64\n"}[env.Platform]
	if string(machine) != want {
		t.Errorf("uname -m in RUN on %s wrote %q, want %q", env.Platform, machine, want)
	}
}

func TestForeignBaseImage(t *testing.T) {
	env := suite.Env(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nCOPY Dockerfile /copied\n"})
	if err := testkit.Solve(t, env, dir, "harness/foreign:1", "linux/amd64,linux/arm64"); err != nil {
		t.Fatal(err)
	}
	// Byte 18 of the ELF header is the machine: the base images are for the platforms that
	// they claim.
	for platform, machine := range map[string]byte{"linux/amd64": 0x3e, "linux/arm64": 0xb7} {
		img := testkit.ReadImage(t, env, "harness/foreign:1", platform)
		busybox, err := img.ReadFile("bin/busybox")
		if err != nil {
			t.Fatal(err)
		}
		if len(busybox) < 20 || busybox[18] != machine {
			t.Errorf("/bin/busybox of the %s image is for another machine", platform)
		}
		if got, err := img.ReadFile("/copied"); err != nil || !strings.HasPrefix(string(got), "FROM busybox\n") {
			t.Errorf("/copied of the %s image: %q, %v", platform, got, err)
		}
	}
}

func TestGolangCompiles(t *testing.T) {
	env := suite.Env(t)
	dir := testkit.WriteContext(t, map[string]string{
		"go.mod":  "module hello\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() { println(\"hello from a container\") }\n",
		"Dockerfile": "FROM golang:1.26-alpine AS build\nWORKDIR /src\nCOPY . .\n" +
			"RUN go build -o /hello . && /hello 2> /output\n" +
			"FROM scratch\nCOPY --from=build /hello /output /\n",
	})
	if err := testkit.Solve(t, env, dir, "harness/golang:1", env.Platform); err != nil {
		t.Fatal(err)
	}
	output, err := testkit.ReadImage(t, env, "harness/golang:1", env.Platform).ReadFile("output")
	if err != nil || string(output) != "hello from a container\n" {
		t.Errorf("the program compiled in RUN printed %q, %v", output, err)
	}
}

func TestMissingBaseImage(t *testing.T) {
	env := suite.Env(t)
	env.NeedMirror(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM nosuchbase:7\n"})
	// A resolver without a network can take minutes.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := env.Buildctl(ctx, "build", "--frontend", "dockerfile.v0", "--progress", "plain",
		"--local", "context="+dir, "--local", "dockerfile="+dir)
	if err == nil {
		t.Fatal("a Dockerfile FROM an image that does not exist was built")
	}
	if ctx.Err() != nil {
		t.Fatalf("the failure took over 20 seconds: %v", err)
	}
	if !strings.Contains(err.Error(), "docker.io/library/nosuchbase:7: not found") {
		t.Errorf("the error does not name the missing image:\n%v", err)
	}
	const path = "/v2/library/nosuchbase/manifests/7"
	var requested bool
	for _, req := range env.Registry.RequestsFor("library/nosuchbase") {
		requested = requested || req.Path == path && req.Status == 404
	}
	if !requested {
		t.Errorf("the request log has no 404 for %s:\n%v", path, env.Registry.Requests())
	}
}

func TestRequestLogHasPulls(t *testing.T) {
	env := suite.Env(t)
	env.NeedMirror(t)
	if err := env.Registry.PushFiles(t.Context(), "library/once:1", env.Platform, v1.Config{},
		map[string]harness.File{"marker": {Content: "pulled"}}); err != nil {
		t.Fatal(err)
	}
	pushed := len(env.Registry.RequestsFor("library/once"))
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM once:1\nENV PULLED=1\n"})
	if err := testkit.Solve(t, env, dir, "harness/once:1", env.Platform); err != nil {
		t.Fatal(err)
	}
	pulled := env.Registry.RequestsFor("library/once")[pushed:]
	if len(pulled) == 0 {
		t.Error("a base image was pulled, but the request log does not show it")
	}
	if got := testkit.ReadImage(t, env, "harness/once:1", env.Platform).Env("PULLED"); got != "1" {
		t.Errorf("PULLED is %q in the image, want 1", got)
	}
}

func TestLayoutEqualsPushedImage(t *testing.T) {
	env := suite.Env(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nENV KIND=layout\n"})
	out := t.TempDir()
	file := filepath.Join(out, "image.tar")
	if _, err := env.Buildx(t.Context(), "build", "--platform=linux/amd64,linux/arm64", "--provenance=false",
		"--output=type=oci,dest="+file, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := env.Buildx(t.Context(), "build", "--platform=linux/amd64,linux/arm64", "--provenance=false",
		"--push", "--tag="+env.Registry.Ref("harness/layout:1"), dir); err != nil {
		t.Fatal(err)
	}
	layout, err := harness.ReadOCI(file, out)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := env.Registry.Read(t.Context(), "harness/layout:1")
	if err != nil {
		t.Fatal(err)
	}
	if layout.Digest != pushed.Digest {
		t.Errorf("the layout's digest is %s, the pushed index's %s", layout.Digest, pushed.Digest)
	}
	for _, img := range layout.Images {
		if img.Env("KIND") != "layout" {
			t.Errorf("%s: KIND is %q", img.Platform, img.Env("KIND"))
		}
	}
	if got := strings.Join(layout.Platforms(), " "); got != "linux/amd64 linux/arm64" {
		t.Errorf("the layout's platforms are %q", got)
	}
}

func TestFrontendImageBuilds(t *testing.T) {
	env := suite.Env(t)
	env.NeedMirror(t)
	if _, err := env.PushFrontend(t.Context(), "harness/frontend:1"); err != nil {
		t.Fatal(err)
	}
	dir := testkit.WriteContext(t, map[string]string{
		"Dockerfile": "# syntax=harness/frontend:1\nFROM busybox\nENV BUILT=1\n",
	})
	if err := testkit.Solve(t, env, dir, "harness/frontend-result:1", env.Platform); err != nil {
		t.Fatal(err)
	}
	if got := testkit.ReadImage(t, env, "harness/frontend-result:1", env.Platform).Env("BUILT"); got != "1" {
		t.Errorf("BUILT is %q in the image, want 1", got)
	}
	if len(env.Registry.RequestsFor("harness/frontend")) == 0 {
		t.Error("the frontend's image was not pulled")
	}
}

func TestPluginBuilds(t *testing.T) {
	env := suite.Env(t)
	if _, err := env.BuildCommand(t.Context(), "docker-stagebuild"); err != nil {
		t.Fatal(err)
	}
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nENV BUILT=1\n"})
	// As a program, and through the docker CLI.
	for i, command := range [][]string{{"docker-stagebuild"}, {"docker", "stagebuild"}} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			repo := "harness/plugin:" + string(rune('a'+i))
			args := append(command[1:], "build", "--push", "--tag", env.Registry.Ref(repo), dir)
			if _, err := env.Run(t.Context(), command[0], args...); err != nil {
				t.Fatal(err)
			}
			if got := testkit.ReadImage(t, env, repo, env.Platform).Env("BUILT"); got != "1" {
				t.Errorf("%v: BUILT is %q in the image, want 1", command, got)
			}
		})
	}
}

func TestSecondNodePlatform(t *testing.T) {
	env := suite.Env(t)
	env.NeedOwnDaemon(t)
	addr, err := env.StartNode(t.Context(), "n2", "linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	out, err := env.Buildctl(t.Context(), "--addr", addr, "debug", "workers", "--format", "{{json .}}")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.Stdout, `"architecture":"arm64"`) {
		t.Errorf("the second daemon is not a node for linux/arm64: %s", out.Stdout)
	}
}
