package language

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// windowsFile is for Windows and Linux, with a backtick as the escape character, written
// as ~ here.
const windowsFile = `# escape=~
ARG EDITION=core
FROM --for=windows BASE AS base
SHELL ["cmd", "/S", "/C"]
WORKDIR C:\app
COPY app.exe C:\app\
COPY --if="EDITION == ~"core~"" app.exe C:\core\
FROM busybox AS base
WORKDIR /app
COPY app .
COPY --for=windows app.exe C:\never\

FROM base
IF TARGETOS == "windows" && ~
   # a comment between
   EDITION == "core"
  ENV DATA=C:\data
  COPY ~
    app.exe ~
    C:\bin\
  COPY --from=base::LINUX /app/app C:\linux\
  ENTRYPOINT ["C:\\app\\app.exe"]
ELSE
  RUN echo on Linux > /ran
  COPY --from=base::windows/amd64 /app/app.exe /exe
  ENTRYPOINT ["/app/app"]
ENDIF
LABEL --for=windows --if="EDITION != ~"~~~"" a=b ~
      c=d
`

const windowsPlain = `# escape=~
FROM --platform=windows/amd64 BASE AS base-windows
SHELL ["cmd", "/S", "/C"]
WORKDIR C:\app
COPY app.exe C:\app\
COPY app.exe C:\core\
FROM --platform=LINUX busybox AS base-linux
WORKDIR /app
COPY app .

FROM base-windows AS app-windows
ENV DATA=C:\data
COPY app.exe C:\bin\
COPY --from=base-linux /app/app C:\linux\
ENTRYPOINT ["C:\\app\\app.exe"]
LABEL a=b c=d
FROM base-linux AS app-linux
RUN echo on Linux > /ran
COPY --from=base-windows /app/app.exe /exe
ENTRYPOINT ["/app/app"]
FROM app-$TARGETOS
`

// TestWindows builds an index for Linux and Windows, FROM a Windows image.
func TestWindows(t *testing.T) {
	env, _ := suite.Product(t)
	// Layers of Windows images have their files below Files and the registry in Hives.
	err := env.Registry.PushFiles(t.Context(), "windows/nanoserver:ltsc2025", "windows/amd64:10.0.26100.1742",
		v1.Config{User: "ContainerUser", Env: []string{`PATH=C:\Windows`}},
		map[string]harness.File{"Files/Windows/win.ini": {Content: "[fonts]\n"}, "Hives/DefaultUser_Delta": {}})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("~", "`", "BASE", env.Registry.Ref("windows/nanoserver:ltsc2025"), "LINUX", env.Platform)
	r := testkit.Request{
		Platforms:  []string{env.Platform, "windows/amd64"},
		Files:      map[string]string{"app": "ELF", "app.exe": "MZ"},
		Dockerfile: text.Replace(windowsFile),
	}
	res := buildStagedAndPlain(t, "windows/app", r, text.Replace(windowsPlain))
	for path, content := range map[string]string{"app/app": "ELF", "ran": "on Linux\n", "exe": "MZ"} {
		testkit.WantFile(t, res, env.Platform, path, content)
	}
	for path, content := range map[string]string{
		"Windows/win.ini": "[fonts]\n", "app/app.exe": "MZ", "core/app.exe": "MZ", "bin/app.exe": "MZ", "linux/app": "ELF",
	} {
		testkit.WantFile(t, res, "windows/amd64", "Files/"+path, content)
	}
	testkit.WantEnv(t, res, "windows/amd64", "DATA", `C:\data`)
	img, err := res.Image("windows/amd64")
	if err != nil {
		t.Fatal(err)
	}
	config := img.Config.Config
	if got := config.WorkingDir + " " + strings.Join(config.Entrypoint, " ") + " " + config.Labels["c"]; got != `\app C:\app\app.exe d` {
		t.Errorf("directory, entrypoint and label are %q", got)
	}
	if img.Config.OSVersion != "10.0.26100.1742" {
		t.Errorf("the version of Windows is %q, not that of the base image", img.Config.OSVersion)
	}
}

// TestWindowsVersions builds an index for two versions of Windows.
func TestWindowsVersions(t *testing.T) {
	r := testkit.Request{
		Platforms: []string{"windows(10.0.17763)/amd64", "windows(10.0.20348)/amd64"},
		Files:     map[string]string{"app-10.0.17763": "old", "app-10.0.20348": "new"},
		Dockerfile: `FROM --for=windows(10.0.17763) scratch AS base
COPY app-10.0.17763 app
FROM --if='TARGETOSVERSION == "10.0.20348"' scratch AS base
COPY app-10.0.20348 app
FROM base AS tools
FROM base
COPY --from=tools::windows(10.0.17763)/amd64 app old
`,
	}
	buildStagedAndPlain(t, "windows/versions", r, `FROM scratch AS base-10.0.17763
COPY app-10.0.17763 app
FROM scratch AS base-10.0.20348
COPY app-10.0.20348 app
FROM base-$TARGETOSVERSION
COPY --from=base-10.0.17763 app old
`)
}
