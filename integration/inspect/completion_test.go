package inspect

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

const completionFile = `# platforms=linux/amd64,linux/arm64
ARG VERSION=1.2
# The public API.
FROM scratch AS api
FROM scratch AS worker
FROM scratch AS base
`

// TestDockerCompletion asks the docker CLI for completions, as the shell scripts do.
func TestDockerCompletion(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": completionFile, "other.Dockerfile": "FROM scratch AS other\n"})
	builders := []string{"default", "stagebuild"} // other tests may have created more
	if runtime.GOOS == "linux" {
		builders = append(builders, "embedded")
	}
	offered, err := env.Docker(t.Context(), "__complete", "stagebuild", "build", "--builder", "")
	for _, name := range builders {
		if err != nil || !slices.Contains(testkit.TrimLines(offered.Stdout), name) {
			t.Errorf("the builder %s is not offered: %v\n%s", name, err, offered.Stdout)
		}
	}
	for args, want := range map[string]string{
		"stagebuild b":                                           "build\tBuild stages of a Dockerfile for one or more platforms\n:4\n",
		"stagebuild build --stage a":                             "api\tThe public API\n:6\n",
		"stagebuild build --stage api,":                          "api,worker\napi,base\n:6\n",
		"stagebuild build -f other.Dockerfile --target ":         "other\n:6\n",
		"stagebuild build --platform linux/amd64,linux/arm6":     "linux/amd64,linux/arm64\n:6\n",
		"stagebuild build --build-arg V":                         "VERSION=\tdefault: 1.2\n:6\n",
		"stagebuild build --file ":                               ":0\n",
		"stagebuild build --tag ":                                ":4\n",
		"stagebuild render --stage w":                            "worker\n:4\n",
		"--log-level debug stagebuild check --platform linux/am": "linux/amd64\tdeclared by the Dockerfile\n:6\n",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := env.Command(t.Context(), "docker", append([]string{"__complete"}, strings.Split(args, " ")...)...)
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%s: %v", args, err)
				return
			}
			if diff := cmp.Diff(want, string(out)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", args, diff)
			}
		})
	}
}

// completeInBash loads a completion script and prints its suggestions for a command line.
// It stubs _get_comp_words_by_ref of bash-completion, and compopt, which works only during
// a completion.
const completeInBash = `
_get_comp_words_by_ref() {
	words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	cur=${words[cword]} prev=${words[cword-1]}
}
compopt() { :; }
source <($1 completion bash) || exit
complete -p "$1" || exit
complete_for() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
	"$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')"
	printf '%s\n' "${COMPREPLY[@]}"
}
complete_for "$@" 2>&1
`

// TestBashCompletion loads the bash scripts of docker and docker-stagebuild and completes
// command lines with them.
func TestBashCompletion(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": completionFile})
	for line, want := range map[string]string{
		"docker-stagebuild build --stage a":             "api",
		"docker-stagebuild build --stage api --stage w": "worker",
		"docker-stagebuild check --build-arg V":         "VERSION=",
		"docker-stagebuild rend":                        "render",
		"docker stagebuild build --stage a":             "api",
		`docker stagebuild build --stage \!w`:           `\!worker`,
		"docker stagebuild build --stage api,w":         `api\,worker`,
		`docker stagebuild build --stage api\,worker,b`: `api\,worker\,base`,
		// Bash splits words at "=".
		"docker stagebuild build --output type=local,d": `local\,dest=`,
	} {
		t.Run(line, func(t *testing.T) {
			words := strings.Split(line, " ")
			cmd := env.Command(t.Context(), "bash", append([]string{"-c", completeInBash, "bash"}, words...)...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
				return
			}
			registered, offered, _ := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
			if !strings.HasSuffix(registered, " "+words[0]) {
				t.Errorf("%s: the script registers %q", line, registered)
			}
			if offered != want {
				t.Errorf("%s: bash offers %q, want %q", line, offered, want)
			}
		})
	}
}
