package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/google/go-cmp/cmp"
	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // for its source
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagebuild/stagebuild/plugin/cli"
)

// checkSARIF runs a check, and returns its output and its status.
func checkSARIF(t *testing.T, options checkOptions) (string, error) {
	t.Helper()
	var out bytes.Buffer
	dockerCLI, err := command.NewDockerCli(command.WithOutputStream(&out))
	if err != nil {
		t.Fatal(err)
	}
	options.format = "sarif"
	options.SetPath(nil)
	request, err := options.request(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	err = runCheck(t.Context(), dockerCLI, options, request)
	return out.String(), err
}

// sarifSchema returns the official schema of SARIF 2.1.0. It is in the source of a library,
// whose types cannot validate a log, because they do not show missing properties.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	var text string
	ast.Inspect(parsePackageFile(t, "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif", "schema.go"), func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok {
			text = strings.Trim(literal.Value, "`")
		}
		return true
	})
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", schema); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("sarif.json")
}

// parsePackageFile parses a source file of a package of another module.
func parsePackageFile(t *testing.T, path, name string) *ast.File {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), name), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// validate returns an error if a log does not conform to the schema.
func validate(schema *jsonschema.Schema, text string) error {
	log, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(log)
}

func TestSARIF(t *testing.T) {
	schema := sarifSchema(t)
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		name, dockerfile, stage string
		want                    string // "rule level file:line:column-line:column message" in lines
	}{
		{"no findings", "FROM scratch\n", "", ""},
		{"violations of BuildKit's rules and ours", "# platforms=linux/amd64,linux/arm64\nFROM --for=arm64 scratch AS tools\nfrom scratch\n\tLABEL --if=true \\\n  a=é\n", "", `
StageUnavailable warning Dockerfile:2:1-2:34 Stage "tools" cannot be built (for linux/amd64); add a variant whose guard holds
ConsistentInstructionCasing warning Dockerfile:3:1-3:13 Command 'from' should match the case of the command majority (uppercase)
ConstantCondition warning Dockerfile:4:2-5:6 The condition true has the same value in every build; use a build arg or the platform in it, or remove it`},
		{"violations that are errors", "# check=error=true\nFROM scratch\nLABEL a b\n", "", `
LegacyKeyValueFormat error Dockerfile:3:1-3:10 "LABEL key=value" should be used instead of legacy "LABEL key value" format`},
		{"an unreadable file", "FROM scratch\nFRM x", "", `
UnreadableDockerfile error Dockerfile:2:1-2:6 dockerfile parse error on line 2: unknown instruction: FRM (did you mean FROM?)`},
		{"diagnostics", "FROM scratch\nLABEL --if=X a=b\nLABEL é=é --for=linus a=c\nLABEL --for=linus a=c\n", "", `
UnknownName error Dockerfile:2:12-2:13 unknown name "X" in the condition; declare it above with ARG X
UnknownPlatform error Dockerfile:4:13-4:18 "linus" matches no platform; did you mean "linux"?`},
		{"a diagnostic for a declared platform", "# platforms=linux/arm64\nFROM --for=amd64 scratch AS base\nFROM base\n", "", `
NoVariant error Dockerfile:3:6-3:10 stage "base" has no variant for linux/arm64:
  line 2: --for=amd64 does not match linux/arm64
add a variant whose guard holds, or one without a guard below the others: FROM … AS base, or guard this line with --for or --if`},
		{"a target that cannot be built for a declared platform", "# platforms=linux/amd64,linux/arm64\nFROM scratch AS app\nFROM --for=amd64 app\nMAINTAINER x\n", "", `
StageUnavailable warning Dockerfile:3:1-3:21 The default stage cannot be built (for linux/arm64); give it a name, and add a variant whose guard holds
MaintainerDeprecated warning Dockerfile:4:1-4:13 Maintainer instruction is deprecated in favor of using label`},
		{"a missing target", "FROM scratch AS a\nMAINTAINER x\n", "nope", `
ImpossibleBuild error Dockerfile:1:1-1:18 target stage "nope" could not be found
MaintainerDeprecated warning Dockerfile:2:1-2:13 Maintainer instruction is deprecated in favor of using label`},
		{"an empty file", "", "", `
ImpossibleBuild error Dockerfile:1:1-1:1 the Dockerfile cannot be empty`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile("Dockerfile", []byte(test.dockerfile), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := checkSARIF(t, checkOptions{stage: cli.StageValue(test.stage)})
			if test.want == "" && err != nil || test.want != "" && !errors.Is(err, cli.StatusError(cli.ExitFailed)) {
				t.Errorf("the status is %v", err)
			}
			if err := validate(schema, out); err != nil {
				t.Errorf("invalid SARIF: %v", err)
			}
			var log sarifLog
			if err := json.Unmarshal([]byte(out), &log); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, r := range log.Runs[0].Results {
				at := r.region()
				fmt.Fprintf(&got, "\n%s %s %s:%d:%d-%d:%d %s", r.RuleID, r.Level, r.Locations[0].PhysicalLocation.ArtifactLocation.URI,
					at.StartLine, at.StartColumn, at.EndLine, at.EndColumn, r.Message.Text)
			}
			if diff := cmp.Diff(test.want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSARIFIsValidated checks that the schema rejects invalid logs.
func TestSARIFIsValidated(t *testing.T) {
	schema := sarifSchema(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("Dockerfile", []byte("FROM scratch\nLABEL a b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _ := checkSARIF(t, checkOptions{})
	for old, changed := range map[string]string{
		`"2.1.0",`:             `"2.0.0",`,
		`"level": "warning",`:  `"level": "bad",`,
		`"startLine": 2`:       `"startLine": 0`,
		`"columnKind":`:        `"columns":`,
		`"name": "stagebuild"`: `"name": null`,
	} {
		t.Run(changed, func(t *testing.T) {
			if !strings.Contains(out, old) {
				t.Errorf("the log has no %s", old)
			}
			if validate(schema, strings.Replace(out, old, changed, 1)) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

// TestSARIFRules compares the rules with BuildKit's source, and checks that each has the
// texts that GitHub's code scanning requires.
func TestSARIFRules(t *testing.T) {
	var want, got []string
	ast.Inspect(parsePackageFile(t, "github.com/moby/buildkit/frontend/dockerfile/linter", "ruleset.go"), func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			want = append(want, strings.TrimPrefix(spec.Names[0].Name, "Rule"))
		}
		return true
	})
	for _, r := range buildkitRules() {
		got = append(got, r.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("BuildKit's rules (-its source +ours):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, r := range sarifRules() {
		if seen[r.ID] {
			t.Errorf("%s appears twice", r.ID)
		}
		seen[r.ID] = true
		for _, text := range []string{r.ShortDescription.Text, r.FullDescription.Text, r.Help.Text, r.HelpURI} {
			if text == "" || len(text) > 1024 {
				t.Errorf("%s: %q", r.ID, text)
			}
		}
	}
}

func TestSARIFURI(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for path, want := range map[string]string{
		"Dockerfile":                         "Dockerfile",
		"./a b/Dockerfile":                   "a%20b/Dockerfile",
		"../Dockerfile":                      "../Dockerfile",
		"x:y":                                "./x:y",
		filepath.Join(dir, "sub/Dockerfile"): "sub/Dockerfile",
	} {
		t.Run(path, func(t *testing.T) {
			if got := sarifURI(path); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	if got := sarifURI(filepath.Join(filepath.Dir(dir), "elsewhere")); !strings.HasPrefix(got, "file:///") {
		t.Errorf("a file elsewhere is %s", got)
	}
}
