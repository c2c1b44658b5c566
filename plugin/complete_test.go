package plugin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const completedFile = `# syntax=stagebuild/stagebuild:1
# platforms=linux/arm64,linux/riscv64
# The version that is built.
ARG VERSION=1.2
ARG TOKEN

# base What both services share. It is small.
FROM scratch AS base

# check=skip=CopyWholeStage
FROM --for=arm64 base AS api
# The public
# API.
FROM base AS api

FROM base AS worker
# not about the stage
COPY . .
FROM base
`

// completions returns the completions of the last argument, as a shell requests
// them: a line for each candidate with its description, then the directive.
func completions(t *testing.T, args ...string) string {
	t.Helper()
	root := NewRootCommand("stagebuild", nil, func(*cobra.Command, []string) error { return nil })
	var out, log bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&log)
	root.SetArgs(append([]string{cobra.ShellCompRequestCmd}, args...))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	_, directive, _ := strings.Cut(strings.TrimSpace(log.String()), "directive: ")
	// The last line is the directive as a number.
	list := out.String()
	list = list[:strings.LastIndex(list, ":")]
	return list + strings.ReplaceAll(directive, "ShellCompDirective", "")
}

func TestComplete(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"Dockerfile":       completedFile,
		"plain/Dockerfile": "FROM scratch AS only\n",
		"broken":           "FROM scratch AS whole\nFROM --if='((' scratch AS half\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const listed = "NoSpace, NoFileComp"
	for args, want := range map[string]string{
		// Stages, with the comments above them.
		"build --stage ":                                     "base\tWhat both services share\napi\tThe public API\nworker\n" + listed,
		"build --target w":                                   "worker\n" + listed,
		"build --stage=w":                                    "worker\n" + listed,
		"build --stage api,":                                 "api,base\napi,worker\n" + listed,
		"build --stage !w":                                   "!worker\n" + listed,
		"build --stage a*,!API,!":                            "a*,!API,!base\na*,!API,!worker\n" + listed,
		"build --stage base --target a":                      "api\tThe public API\n" + listed,
		"build --stage base,api --stage a":                   listed,
		"build plain --stage ":                               "only\n" + listed,
		"build -f plain/Dockerfile --stage ":                 "only\n" + listed,
		"build --file broken --stage ":                       "whole\nhalf\n" + listed,
		"build --file missing --stage ":                      "NoFileComp",
		"build --file - --stage ":                            "NoFileComp",
		"build - --stage ":                                   "NoFileComp",
		"build https://git.example/a.git --stage ":           "NoFileComp",
		"build --no-cache-filter w":                          "worker\nNoFileComp",
		"build --no-cache-filter worker --no-cache-filter w": "worker\nNoFileComp",
		"render --stage a":                                   "api\tThe public API\nNoFileComp",
		"check --target base,":                               "NoFileComp",

		// Platforms.
		"build --platform l":                               "local\tthe builder's platform\nlinux/arm64\tdeclared by the Dockerfile\nlinux/riscv64\tdeclared by the Dockerfile\n" + lines("linux/amd64", "linux/arm/v7", "linux/arm/v6", "linux/386", "linux/ppc64le", "linux/s390x") + listed,
		"build --platform a":                               "all\tlinux/arm64, linux/riscv64\n" + listed,
		"build plain --platform a":                         listed,
		"build --platform all,linux/amd64,linux/am":        listed,
		"build --platform linux/amd64 --platform linux/am": listed,
		"build --platform linux/amd64,linux/r":             "linux/amd64,linux/riscv64\n" + listed,
		"check --platform linux/amd64,linux/ri":            "linux/amd64,linux/riscv64\n" + listed,
		"check --platform lo":                              "local\tthe builder's platform\n" + listed,
		"render --platform linux/ri":                       "linux/riscv64\tdeclared by the Dockerfile\nNoFileComp",
		"render --platform lo":                             "local\tthe builder's platform\nNoFileComp",
		"render --platform linux/amd64,":                   "NoFileComp",

		// Build args.
		"build --build-arg ":                       "VERSION=\tThe version that is built\nTOKEN=\n" + listed,
		"check --build-arg VERSION=1 --build-arg ": "TOKEN=\n" + listed,
		"render --build-arg V":                     "VERSION=\tThe version that is built\n" + listed,
		"build --build-arg VERSION=":               "VERSION=\tThe version that is built\n" + listed,
		"build --build-arg VERSION=1":              listed,

		// Values and fields.
		"build --call c":                        "check\tcheck the Dockerfile\nNoFileComp",
		"build --progress r":                    "rawjson\nNoFileComp",
		"build --frontend image=":               "image=\tanother image\nNoFileComp",
		"build -o type=o":                       "type=oci\tan image as an OCI layout\n" + listed,
		"build --output type=local,":            "type=local,dest=\ntype=local,platform-split=false\n" + listed,
		"build --output type=local,dest=out,":   "type=local,dest=out,platform-split=false\n" + listed,
		"build --output dest=out,":              listed,
		"build --output type=absent,":           listed,
		"build --cache-to type=registry,ref=a,": "type=registry,ref=a,mode=max\n" + listed,
		"build --cache-from type=l":             "type=local\ta cache in a directory\n" + listed,
		"build --attest type=provenance,":       "type=provenance,mode=max\ntype=provenance,mode=min\n" + listed,
		"graph --format s":                      "svg\ta picture\nNoFileComp",
		"version --format j":                    "text\njson\nNoFileComp",
		"check --format ":                       "text\tfor people\njson\tthe format of docker buildx build --check\nsarif\tfor code scanning\nNoFileComp",
		"matrix --format ":                      "table\tfor people\njson\tfor programs\nbake\ta file for docker buildx bake\ngithub\ta job matrix for GitHub Actions\nNoFileComp",
		"matrix --runner linux/ri":              "linux/riscv64=\tdeclared by the Dockerfile\nNoSpace, NoFileComp",
		"matrix --runner linux/arm64=w":         "linux/arm64=windows-2025\twindows/amd64\nlinux/arm64=windows-11-arm\twindows/arm64\nNoFileComp",
		"matrix --stage api,w":                  "api,worker\n" + listed,
		"matrix --platform a":                   "all\tlinux/arm64, linux/riscv64\n" + listed,

		// Files and directories.
		"build ":                 "FilterDirs",
		"build . ":               "NoFileComp",
		"check ":                 "FilterDirs",
		"render ":                "FilterDirs",
		"matrix ":                "FilterDirs",
		"graph ":                 "FilterDirs",
		"graph --output ":        "Default",
		"build --file ":          "Default",
		"render -f ":             "Default",
		"check -f ":              "Default",
		"build --iidfile ":       "Default",
		"build --metadata-file ": "Default",
		"build --tag ":           "NoFileComp",
		"version ":               "NoFileComp",
	} {
		t.Run(args, func(t *testing.T) {
			if diff := cmp.Diff(want, completions(t, strings.Split(args, " ")...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func lines(list ...string) string {
	return strings.Join(list, "\n") + "\n"
}
