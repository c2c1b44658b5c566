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

// templateHelp lists the values of a template, for errors.
const templateHelp = `a template can use {{.Stage}}, {{.Platform}}, {{.OS}}, {{.Arch}}, {{.Variant}} and {{.Arg "NAME"}}`

// IsTemplate reports whether the value of a flag is a template.
func IsTemplate(text string) bool {
	return strings.Contains(text, "{{")
}

// Values are the values that the templates of one result can use: its methods are their
// fields and functions.
type Values struct {
	// Stage is the name of the result's stage.
	Stage string

	file *syntax.File
	env  plan.Env
	// platform is one of the result's platforms.
	platform guard.Platform
}

// Platform returns the platform, such as "linux/arm/v7".
func (v *Values) Platform() string {
	return guard.FormatPlatform(v.platform)
}

// OS returns the operating system, such as "linux".
func (v *Values) OS() string {
	return v.platform.OS
}

// Arch returns the architecture, such as "arm".
func (v *Values) Arch() string {
	return v.platform.Architecture
}

// Variant returns the variant of the architecture, such as "v7". Most have none.
func (v *Values) Variant() string {
	return v.platform.Variant
}

// Arg returns the value of a build arg: that of --build-arg, or the default in the Dockerfile.
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
		msg += "; " + near
	}
	return "", errors.New(msg)
}

// parseTemplate parses the value of a flag. Its error lists the values of a template.
func parseTemplate(flag, text string) (*template.Template, error) {
	t, err := template.New(flag).Parse(text)
	if err != nil {
		return nil, templateError(flag, text, err)
	}
	return t, nil
}

// checkTemplate parses the value of a flag if it is a template.
func checkTemplate(flag string, text *string) error {
	if !IsTemplate(*text) {
		return nil
	}
	_, err := parseTemplate(flag, *text)
	return err
}

func templateError(flag, text string, err error) error {
	return fmt.Errorf("--%s %s: %s; %s", flag, text, templateCause(err), templateHelp)
}

// templateCause returns the message of a template's error without the position and the Go
// types that text/template adds.
func templateCause(err error) string {
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
			return "range needs a list, and a template has none"
		}
	}
	if i := strings.LastIndex(msg, ": "); i >= 0 {
		return msg[i+2:]
	}
	return msg
}
