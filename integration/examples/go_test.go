package examples

import (
	"bytes"
	"debug/macho"
	"debug/pe"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

const amd64AndArm64 = "linux/amd64,linux/arm64"

func checkGoService(t *testing.T, e *exampleRun) {
	res := e.rebuildWithBuildx(t, "go-service:1.0", amd64AndArm64)
	for platform, variant := range map[string]string{"linux/amd64": "default", "linux/arm64": "arm64"} {
		wantELF(t, imageFile(t, res, platform, "service"), platform)
		testkit.WantEnv(t, res, platform, "BASE_VARIANT", variant)
		testkit.WantFiles(t, res, platform, map[string]bool{"bin/busybox": false})
	}
	platform := e.env.Platform
	wantPrints(t, imageFile(t, res, platform, "service"), "go-service 1.0.0,  base, "+platform+"\n", "-version")

	debug := e.rebuildWithBuildx(t, "go-service:debug", platform, "--build-arg=VARIANT=debug")
	testkit.WantEnv(t, debug, platform, "BASE_VARIANT", "debug")
	testkit.WantFiles(t, debug, platform, map[string]bool{"bin/busybox": true, "service": true})
}

func checkUniversal(t *testing.T, e *exampleRun) {
	res := e.rebuildWithBuildx(t, "wait-for:1.0", amd64AndArm64)
	if amd64, arm64 := res.Images[0], res.Images[1]; !slices.Equal(amd64.Layers, arm64.Layers) {
		t.Errorf("the image differs by platform: %v, %v", amd64.Layers, arm64.Layers)
	}
	file := func(name string) []byte { return imageFile(t, res, "linux/arm64", name) }
	wantELF(t, file("linux-amd64/wait-for"), "linux/amd64")
	wantELF(t, file("linux-arm64/wait-for"), "linux/arm64")
	windows, err := pe.NewFile(bytes.NewReader(file("windows-amd64/wait-for.exe")))
	if err != nil || windows.Machine != pe.IMAGE_FILE_MACHINE_AMD64 {
		t.Errorf("windows-amd64/wait-for.exe is not for Windows on amd64: %v", err)
	}
	darwin, err := macho.NewFile(bytes.NewReader(file("darwin-arm64/wait-for")))
	if err != nil || darwin.Cpu != macho.CpuArm64 {
		t.Errorf("darwin-arm64/wait-for is not for macOS on arm64: %v", err)
	}
	wantPrints(t, file(strings.ReplaceAll(e.env.Platform, "/", "-")+"/wait-for"), "", e.env.Registry.Host)
}

func checkGatedRelease(t *testing.T, e *exampleRun) {
	res := e.rebuildWithBuildx(t, "slug:1.0", amd64AndArm64)
	for _, platform := range res.Platforms() {
		wantELF(t, imageFile(t, res, platform, "slug"), platform)
		testkit.WantFiles(t, res, platform, map[string]bool{"slug": true, "src/main.go": false})
	}
	wantPrints(t, imageFile(t, res, e.env.Platform, "slug"), "hello-world\n", "Hello, World")

	// A failing linter stops the release with both programs.
	dir, out := e.copyDir(t), filepath.Join(t.TempDir(), "out")
	document.EditFile(t, dir, "main.go: \tfor _, title: for _, title")
	for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
		got, err := e.env.Run(t.Context(), command, "build", "--progress=plain", "--output=type=local,dest="+out, dir)
		if err == nil || !strings.Contains(got.Stderr, " main.go\n") || !strings.Contains(got.Stderr, `needed stage "lint" failed`) {
			t.Errorf("%s: %v, want an error that names main.go:\n%s", command, err, got.Stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: something was exported", command)
		}
	}
}

func checkDebugVariant(t *testing.T, e *exampleRun) {
	native := e.env.Platform
	release := e.rebuildWithBuildx(t, "echo:1.0", amd64AndArm64)
	debug := e.rebuildWithBuildx(t, "echo:1.0-debug", native, "--build-arg=DEBUG=1")
	for _, test := range []struct {
		res      *harness.Result
		platform string
		debug    bool
		level    string
		ports    int
	}{
		{release, "linux/amd64", false, "", 1},
		{release, "linux/arm64", false, "", 1},
		{debug, native, true, "debug", 2},
	} {
		program := wantELF(t, imageFile(t, test.res, test.platform, "echo"), test.platform)
		if got := program.Section(".symtab") != nil; got != test.debug {
			t.Errorf("%s, debug %t: the program has symbols: %t", test.platform, test.debug, got)
		}
		testkit.WantFiles(t, test.res, test.platform, map[string]bool{"bin/busybox": test.debug})
		testkit.WantEnv(t, test.res, test.platform, "LOG_LEVEL", test.level)
		if config := imageOf(t, test.res, test.platform).Config.Config; len(config.ExposedPorts) != test.ports || config.User != "65532:65532" {
			t.Errorf("%s, debug %t: ports %v, user %s", test.platform, test.debug, config.ExposedPorts, config.User)
		}
	}
	wantPrints(t, imageFile(t, release, native, "echo"), "echo, release\n", "-build")
}

func checkWindowsAndLinux(t *testing.T, e *exampleRun) {
	res := e.rebuildWithBuildx(t, "appdirs:1.0", "linux/amd64,linux/arm64,windows/amd64", "--provenance=false")
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		wantELF(t, imageFile(t, res, platform, "app/appdirs"), platform)
		testkit.WantFiles(t, res, platform, map[string]bool{"app/appdirs.exe": false, "Files/Windows/win.ini": false, "etc/passwd": true})
	}
	wantPrints(t, imageFile(t, res, e.env.Platform, "app/appdirs"), "config  /etc/web\ndata    /var/lib/web\nlogs    /var/log/web\n", "web")

	program, err := pe.NewFile(bytes.NewReader(imageFile(t, res, "windows/amd64", "Files/app/appdirs.exe")))
	if err != nil || program.Machine != pe.IMAGE_FILE_MACHINE_AMD64 {
		t.Errorf("appdirs.exe is not for Windows on amd64: %v", err)
	}
	testkit.WantFiles(t, res, "windows/amd64", map[string]bool{"Files/app/appdirs": false, "Files/Windows/win.ini": true, "etc/passwd": false})
	config := imageOf(t, res, "windows/amd64").Config.Config
	if got := strings.Join(append(config.Entrypoint, config.Cmd...), " ") + ", " + config.User; got != `C:\app\appdirs.exe example, ContainerUser` {
		t.Errorf("on Windows the image runs %s", got)
	}
}

func checkMonorepoMatrix(t *testing.T, e *exampleRun) {
	for _, service := range []string{"catalog", "orders"} {
		res := e.rebuildWithBuildx(t, service+":1.0", amd64AndArm64, "--target="+service)
		baked, err := e.env.Registry.Read(t.Context(), "bake/"+service+":1.0")
		if err != nil {
			t.Fatal(err)
		}
		wantSameImages(t, res, baked)
		for platform, limit := range map[string]string{"linux/amd64": "", "linux/arm64": "256MiB"} {
			wantELF(t, imageFile(t, res, platform, service), platform)
			testkit.WantFiles(t, res, platform, map[string]bool{"catalog": service == "catalog", "orders": service == "orders"})
			testkit.WantEnv(t, res, platform, "GOMEMLIMIT", limit)
			for _, repo := range []string{service, "bake/" + service} {
				split, err := e.env.Registry.Read(t.Context(), repo+":1.0-"+strings.TrimPrefix(platform, "linux/"))
				if err != nil {
					t.Fatal(err)
				}
				if len(split.Images) != 1 || !slices.Equal(split.Images[0].Layers, imageOf(t, res, platform).Layers) {
					t.Errorf("%s for %s alone is another image", repo, platform)
				}
			}
		}
		wantPrints(t, imageFile(t, res, e.env.Platform, service), service+" for "+e.env.Platform+"\n", "-version")
	}
}
