package result

import (
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// templateHelp says what a template can use.
const templateHelp = `a template can use {{.Stage}}, {{.Platform}}, {{.OS}}, {{.Arch}}, {{.Variant}} and {{.Arg "NAME"}}`

// IsTemplate reports whether the value of a flag has something to be filled in.
func IsTemplate(text string) bool {
	return strings.Contains(text, "{{")
}

// Values are what the templates of one result are filled in with. Its
// methods are the fields and functions of the templates.
type Values struct {
	// Stage is the name of the result's stage.
	Stage string

	file *syntax.File
	env  plan.Env
	// platform is one of the result's platforms.
	platform guard.Platform
}

// Platform is "linux/arm/v7", for example.
func (v *Values) Platform() string {
	return guard.FormatPlatform(v.platform)
}

// OS is "linux", for example.
func (v *Values) OS() string {
	return v.platform.OS
}

// Arch is "arm", for example.
func (v *Values) Arch() string {
	return v.platform.Architecture
}

// Variant is "v7", for example, and mostly empty.
func (v *Values) Variant() string {
	return v.platform.Variant
}

// Arg is the value of a build arg: the given one, or the default of the file.
func (v *Values) Arg(name string) (string, error) {
	if value, ok := v.env.Args[name]; ok {
		return value, nil
	}
	globals := plan.Globals(v.file, v.env, v.platform)
	if arg, declared := globals.Lookup(name); declared && !arg.IsEnv {
		return arg.Value, nil
	}
	msg := fmt.Sprintf("no build arg %q is given or declared above the first stage", name)
	if near := source.DidYouMean(name, globals.Names()); near != "" {
		msg += ", " + near
	}
	return "", errors.New(msg)
}

// parseTemplate parses a flag's value. The error says what a template can use.
func parseTemplate(flag, text string) (*template.Template, error) {
	t, err := template.New(flag).Parse(text)
	if err != nil {
		return nil, templateError(flag, text, err)
	}
	return t, nil
}

// checkTemplate parses a flag's value if it has something to be filled in.
func checkTemplate(flag string, text *string) error {
	if !IsTemplate(*text) {
		return nil
	}
	_, err := parseTemplate(flag, *text)
	return err
}

// expand fills a flag's value in.
func (v *Values) expand(flag, text string) (string, error) {
	if !IsTemplate(text) {
		return text, nil
	}
	t, err := parseTemplate(flag, text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return "", templateError(flag, text, err)
	}
	return b.String(), nil
}

func templateError(flag, text string, err error) error {
	return fmt.Errorf("--%s %s: %s; %s", flag, text, templateFault(err), templateHelp)
}

// templateFault is a template's error without the place that text/template gives
// it: a flag has one line, and Go types say nothing to a user.
func templateFault(err error) string {
	msg := err.Error()
	if exec, ok := errors.AsType[template.ExecError](err); ok {
		if cause := errors.Unwrap(exec.Err); cause != nil {
			return cause.Error()
		}
		if _, field, ok := strings.Cut(msg, "can't evaluate field "); ok {
			name, _, _ := strings.Cut(field, " ")
			return "there is no ." + name
		}
		if _, _, ok := strings.Cut(msg, "can't iterate over"); ok {
			return "range takes a list, and there is none"
		}
	}
	if i := strings.LastIndex(msg, ": "); i >= 0 {
		return msg[i+2:]
	}
	return msg
}
