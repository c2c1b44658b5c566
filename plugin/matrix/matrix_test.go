package matrix

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/plugin/result"
)

func TestMatrixRunners(t *testing.T) {
	for _, test := range []struct{ runners, platforms, want string }{
		{"", "linux/amd64", "ubuntu-24.04"},
		{"", "linux/386", "ubuntu-24.04"},
		{"", "linux/arm64", "ubuntu-24.04-arm"},
		{"", "linux/arm/v7", "ubuntu-24.04-arm"},
		{"", "linux/riscv64", "ubuntu-24.04 riscv64"},
		{"", "windows/amd64", "windows-2025"},
		{"", "windows/arm64", "windows-11-arm"},
		{"", "windows/amd64,windows/arm64", "ubuntu-24.04"},
		{"", "linux/amd64,linux/arm64,linux/arm/v6,linux/arm/v7,linux/386", "ubuntu-24.04 arm64 arm"},
		{"", "linux/arm64,linux/amd64", "ubuntu-24.04-arm amd64"},
		{"", "windows/amd64,linux/arm64", "ubuntu-24.04-arm"},
		{"linux/riscv64=rise", "linux/riscv64", "rise"},
		{"linux/riscv64=rise", "linux/riscv64,linux/amd64", "rise amd64"},
		{"arm64=first *=second", "linux/arm64", "first"},
		{"arm64=first *=second", "windows/amd64", "second"},
		{"windows=ubuntu-24.04", "windows/amd64", "ubuntu-24.04"},
		{"linux,!linux/arm64=big", "linux/arm64", "ubuntu-24.04-arm"},
		{"linux,!linux/arm64=big", "linux/s390x", "big"},
	} {
		t.Run(strings.TrimSpace(test.runners+" "+test.platforms), func(t *testing.T) {
			var runners runnersValue
			for value := range strings.FieldsSeq(test.runners) {
				if err := runners.Set(value); err != nil {
					t.Fatal(err)
				}
			}
			label, emulated := runners.place(platformList(test.platforms))
			if got := strings.Join(append([]string{label}, emulated...), " "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestRunnersValueRefuses(t *testing.T) {
	for value, want := range map[string]string{
		"linux/amd64":   `"linux/amd64" must have the form PLATFORM=LABEL`,
		"linux/amd64= ": `"linux/amd64= " must have the form PLATFORM=LABEL`,
		"linux/amr64=a": `did you mean "linux/arm64"?`,
	} {
		t.Run(value, func(t *testing.T) {
			if err := new(runnersValue).Set(value); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// TestJobIDs checks that no two jobs share a name, whatever the stages are called.
func TestJobIDs(t *testing.T) {
	of := func(target, list string) *result.Result {
		return &result.Result{Stage: target, Platforms: platformList(list)}
	}
	both := "linux/amd64,linux/arm/v7"
	for _, test := range []struct {
		results []*result.Result
		split   bool
		want    string
	}{
		{[]*result.Result{of("", both)}, false, "default"},
		{[]*result.Result{of("", both), of("default", both)}, false, "default default_2"},
		{[]*result.Result{of("a.b", both), of("a_b", both)}, false, "a_b a_b_2"},
		{[]*result.Result{of("a", "linux/amd64"), of("a", "linux/arm/v7")}, false, "a-linux-amd64 a-linux-arm-v7"},
		{[]*result.Result{of("a", both), of("b", "windows/amd64")}, true, "a-linux-amd64 a-linux-arm-v7 b-windows-amd64"},
		{[]*result.Result{of("a", both), of("a-linux-amd64", both)}, true,
			"a-linux-amd64 a-linux-arm-v7 a-linux-amd64-linux-amd64 a-linux-amd64-linux-arm-v7"},
		{[]*result.Result{of("taken", both)}, false, "taken_2"},
	} {
		t.Run(test.want, func(t *testing.T) {
			var ids []string
			for _, j := range jobs(test.results, test.split, "taken") {
				ids = append(ids, j.id)
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestLiteral checks that bake's template parser reads every literal as the original text.
func TestLiteral(t *testing.T) {
	texts := []string{"", "plain", "$", "%", "{}"}
	for _, a := range []string{"$", "$$", "$$$", "%", "%%", "$%", "%$", "\\$"} {
		for _, b := range []string{"{", "{x}", "{{", "{\"}", "{ if true }"} {
			texts = append(texts, a+b, "x"+a+b+a+b)
		}
	}
	for _, text := range texts {
		t.Run(text, func(t *testing.T) {
			expr, diags := hclsyntax.ParseTemplate([]byte(literal(text)), "", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			value, diags := expr.Value(nil)
			if diags.HasErrors() || value.AsString() != text {
				t.Errorf("it is read as %s: %v", fmt.Sprint(value), diags)
			}
		})
	}
}

// platformList parses platforms that are separated by commas.
func platformList(list string) []guard.Platform {
	var parsed []guard.Platform
	for name := range strings.SplitSeq(list, ",") {
		parsed = append(parsed, platforms.MustParse(name))
	}
	return parsed
}
