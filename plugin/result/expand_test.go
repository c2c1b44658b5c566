package result

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// valuesOf returns the values of the templates for a stage "app" and a Dockerfile with an ARG
// named V.
func valuesOf(t *testing.T, v string) *Values {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("ARG V="+v+"\nFROM scratch AS app\n")))
	if err != nil {
		t.Fatal(err)
	}
	return &Values{Stage: "app", file: file, env: plan.Env{}, platform: guard.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}}
}

// TestValuesStayInTheirFlag expands templates with values that would add options to a flag
// or change where it writes.
func TestValuesStayInTheirFlag(t *testing.T) {
	t.Chdir(t.TempDir())
	const output, tag = "output", "tag"
	for _, test := range []struct{ name, flag, text, v, want string }{
		{"options", output, `type=local,dest=out/{{.Arg "V"}}`, `"x,type=image,push=true"`, `{{.Arg "V"}} is "x,type=image,push=true", and a value must not contain ,`},
		{"cache options", "cache-to", `type=registry,ref=cache/{{.Arg "V"}}`, `"x,mode=max"`, "must not contain ,"},
		{"a key", output, `{{.Arg "V"}}`, `"type=docker"`, "must not contain ="},
		{"quote", output, `type=local,dest={{.Arg "V"}}`, `'"x'`, `must not contain "`},
		{"backslash", output, `type=local,dest={{.Arg "V"}}`, `'a\..\b'`, `must not contain \`},
		{"drive", output, `{{.Arg "V"}}`, `c:x`, "must not begin with a drive letter"},
		{"parent", output, `type=local,dest=out/{{.Stage}}/{{.Arg "V"}}`, "../../escaped", `must not contain the part "..", to which {{.Arg "V"}} expands`},
		{"parent in a tag", tag, `reg.example.com/{{.Arg "V"}}`, "a/../b", `the part ".."`},
		{"parent at the end", "iidfile", `ids/{{.Arg "V"}}`, "a/..", `the part ".."`},
		{"parent of two values", output, `out/{{.Arg "V"}}{{.Arg "V"}}/x`, ".", `the part ".."`},
		{"parent with a point of the flag", output, `out/.{{.Arg "V"}}`, "./x", `the part ".."`},
		{"root", output, `{{.Arg "V"}}`, "/etc", "must not begin with /"},
		{"root cut out", output, `{{slice (.Arg "V") 1}}`, "a/etc", "must not begin with /"},
		{"in a branch", output, `{{if .Variant}}{{with .Arg "V"}}{{.}}{{end}}{{end}}`, "/etc", `{{.}} is "/etc"`},
		{"in a definition", output, `{{define "d"}}{{.Arg "V"}}{{end}}out{{template "d" .}}`, "/../x", "must not begin with /"},
		{"in a variable", output, `{{$v := .Arg "V"}}out/{{$v}}`, "../x", `to which {{$v}} expands`},
		{"printed function", output, `{{_print "" "x"}}`, "x", `function "_print" not defined`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := valuesOf(t, test.v).expand(test.flag, test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("expanded to %q, error %v, want %s", got, err, test.want)
			} else if !strings.HasPrefix(err.Error(), "--"+test.flag+" "+test.text+": ") {
				t.Errorf("the error does not begin with the flag: %v", err)
			}
		})
	}
}

// TestExpand expands templates with values that are allowed.
func TestExpand(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct{ name, flag, text, v, want string }{
		{"tag", "tag", `reg.example.com:5000/{{.Arg "V"}}{{.Stage}}:{{.Arch}}{{.Variant}}`, "team/", "reg.example.com:5000/team/app:armv7"},
		{"suffix", "output", `type=local,dest=../out{{.Arg "V"}}/..`, ".debug", "type=local,dest=../out.debug/.."},
		{"points", "output", `out/{{.Arg "V"}}`, "1...2/..a/b..", "out/1...2/..a/b.."},
		{"platform", "iidfile", "/ids/{{.Platform}}", "x", "/ids/linux/arm/v7"},
		{"conditional options", "output", `{{if eq .OS "linux"}}type=image,push=true{{else}}type=local,dest=x{{end}}`, "x", "type=image,push=true"},
		{"comparison with any value", "tag", `{{if eq (.Arg "V") "a,b"}}listed{{end}}`, `"a,b"`, "listed"},
		{"empty", "tag", `app{{.Arg "V"}}`, `""`, "app"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := valuesOf(t, test.v).expand(test.flag, test.text); err != nil || got != test.want {
				t.Errorf("expanded to %q, error %v, want %q", got, err, test.want)
			}
		})
	}
}

// TestLinksOutOfTheOutput expands templates to paths with symbolic links.
func TestLinksOutOfTheOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"out/real", "elsewhere"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"out/inside": "real", "out/escape": "../elsewhere", "linked": "out", "app": "elsewhere"} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.FromSlash(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, flag, text, v string
		ok                  bool
	}{
		{"link inside", "output", `type=local,dest=out/{{.Arg "V"}}`, "inside", true},
		{"link out", "output", `type=local,dest=out/{{.Arg "V"}}`, "escape", false},
		{"below a link out", "output", `type=local,dest=out/{{.Arg "V"}}/x`, "escape", false},
		{"named link", "output", `type=local,dest=linked/{{.Arg "V"}}`, "real", true},
		{"named link out", "output", `type=local,dest=out/escape/{{.Arg "V"}}`, "new", true},
		{"short output", "output", `out/{{.Arg "V"}}`, "escape", false},
		{"link in the working directory", "iidfile", `{{.Arg "V"}}/id`, "linked", true},
		{"cache", "cache-to", `type=local,dest=out/{{.Arg "V"}}`, "escape", false},
		{"metadata", "metadata-file", `out/{{.Arg "V"}}.json`, "escape", true},
		{"no path", "cache-to", `out/{{.Arg "V"}}`, "escape", true},
		{"other key", "output", `type=image,name=out/{{.Arg "V"}}`, "escape", true},
		{"stage", "output", `out/../{{.Stage}}`, "x", true},
		{"archive", "output", `type=tar,dest={{.Arg "V"}}.tar`, "x", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := valuesOf(t, test.v).expand(test.flag, test.text)
			if (err == nil) != test.ok || err != nil && !strings.Contains(err.Error(), "a link leads from") {
				t.Errorf("expanded to %q, error %v", got, err)
			}
		})
	}
}
