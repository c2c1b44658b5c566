package frontend_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/targets"

	"github.com/stagebuild/stagebuild/frontend"
)

// TestTargetsBelowCheckComments checks the list of stages of files in which a comment
// configures the check of one instruction.
func TestTargetsBelowCheckComments(t *testing.T) {
	const stages = "FROM alpine AS one\n# check=skip=StageNameCasing\nRUN true\n# Two of them.\nFROM alpine AS two\n"
	for name, dockerfile := range map[string]string{"plain": stages, "staged": stages + "RUN --if=true true\n"} {
		t.Run(name, func(t *testing.T) {
			_, o := build(t, frontend.Build, []byte(dockerfile), map[string]string{
				"requestid": targets.RequestTargets, "frontend.caps": "moby.buildkit.frontend.subrequests",
			})
			if o.Error != "" || !strings.Contains(o.Metadata["result.txt"], "two") {
				t.Errorf("error %q, targets %q", o.Error, o.Metadata["result.txt"])
			}
		})
	}
}

// TestCheckOfUnavailableTarget checks a file whose default stage is dropped for a declared
// platform.
func TestCheckOfUnavailableTarget(t *testing.T) {
	const head, stages = "# platforms=linux/amd64,linux/arm64\n", "FROM busybox AS app\nFROM --for=linux/amd64 app AS bench\nMAINTAINER me\n"
	for _, test := range []struct {
		name, dockerfile, platform, target string
		found, fails                       string
	}{
		{name: "the declared platforms", dockerfile: head + stages, found: "MaintainerDeprecated:4 StageUnavailable:3"},
		{name: "the rule is skipped", dockerfile: "# check=skip=StageUnavailable\n" + head + stages, found: "MaintainerDeprecated:5"},
		{name: "violations are errors", dockerfile: "# check=error=true;skip=MaintainerDeprecated\n" + head + stages,
			found: "StageUnavailable:4", fails: "lint violation found for rules: StageUnavailable"},
		{name: "the stage is requested", dockerfile: head + stages, target: "bench", found: "MaintainerDeprecated:4 StageUnavailable:3"},
		{name: "the platform is requested", dockerfile: head + stages, platform: "linux/arm64", fails: `stage "bench" has no variant for linux/arm64`},
		{name: "for no platform", dockerfile: strings.Replace(head, "linux/amd64,", "", 1) + stages, fails: `stage "bench" has no variant for linux/arm64`},
		{name: "another error", dockerfile: head + "FROM x\nRUN --if=X true\n" + stages, fails: `unknown name "X"`},
		{name: "no stages", dockerfile: head, fails: "file with no instructions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, o := build(t, frontend.Build, []byte(test.dockerfile), map[string]string{
				"requestid": lint.RequestLint, "platform": test.platform, "target": test.target,
			})
			var results lint.LintResults
			if err := json.Unmarshal([]byte(o.Metadata["result.json"]), &results); err != nil {
				t.Fatal(o.Error, err)
			}
			var found []string
			for _, w := range results.Warnings {
				found = append(found, fmt.Sprint(w.RuleName, ":", w.Location.Ranges[0].Start.Line))
			}
			if got := strings.Join(found, " "); got != test.found {
				t.Errorf("found %s, want %s", got, test.found)
			}
			if results.Error == nil && test.fails != "" || results.Error != nil && (test.fails == "" || !strings.Contains(results.Error.Message, test.fails)) {
				t.Errorf("the error is %+v, want %q", results.Error, test.fails)
			}
		})
	}
}

// TestCheckHasErrorsFirst checks that the error of one platform replaces the error for
// violations of check rules.
func TestCheckHasErrorsFirst(t *testing.T) {
	const head = "# check=error=true\n# platforms=linux/amd64,linux/arm64\nFROM scratch\nMAINTAINER me\n"
	for stage, want := range map[string]string{
		"": "lint violation found for rules: MaintainerDeprecated",
		"COPY --for=linux/amd64 --chmod=zz a /\n": "invalid syntax",
		"COPY --for=linux/arm64 --chmod=zz a /\n": "invalid syntax",
	} {
		t.Run(stage, func(t *testing.T) {
			_, o := build(t, frontend.Build, []byte(head+stage), map[string]string{"requestid": lint.RequestLint})
			var results lint.LintResults
			if err := json.Unmarshal([]byte(o.Metadata["result.json"]), &results); err != nil {
				t.Fatal(o.Error, err)
			}
			if results.Error == nil || !strings.Contains(results.Error.Message, want) || len(results.Warnings) != 1 {
				t.Errorf("the error is %+v, with %d warnings", results.Error, len(results.Warnings))
			}
		})
	}
}

// TestPlatformsAreNoDescription checks that BuildKit's linter does not report
// "# platforms=" as the description of a stage or arg.
func TestPlatformsAreNoDescription(t *testing.T) {
	const rule, platforms = "InvalidDefinitionDescription", "# platforms=linux/amd64\n"
	for dockerfile, found := range map[string]bool{
		platforms + "FROM scratch AS x\n":                            false,
		platforms + "\n \nFROM scratch AS x\n":                       false,
		platforms + "ARG X\nFROM scratch\n":                          false,
		"# About.\n" + platforms + "FROM scratch AS x\n":             false,
		platforms + "# About.\nFROM scratch AS x\n":                  true,
		platforms + "FROM scratch AS x\n# About.\nFROM x AS y\n":     true,
		platforms + "# x About.\nFROM scratch AS x\n":                false,
		"# About.\nFROM scratch AS x\nFROM --if=true scratch AS y\n": true,
	} {
		for request, opts := range map[string]map[string]string{"build": {}, "check": {"requestid": "frontend.lint"}} {
			t.Run(request+" "+dockerfile, func(t *testing.T) {
				opts["build-arg:BUILDKIT_DOCKERFILE_CHECK"] = "experimental=all"
				g, o := build(t, frontend.Build, []byte(dockerfile), opts)
				warned := strings.Contains(o.Metadata["result.txt"], rule)
				for _, w := range g.warnings {
					warned = warned || strings.Contains(w.Message, rule)
				}
				if o.Error != "" || warned != found {
					t.Errorf("found: %t, want %t, error: %s", warned, found, o.Error)
				}
			})
		}
	}
}
