package build

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
)

// frontendValue is the value of --frontend: how the Dockerfile frontend runs.
type frontendValue struct {
	// image is false for the frontend in this program.
	image bool
	// ref is the image to run, or "" for the image in the Dockerfile's syntax
	// directive, otherwise the image of this program's version.
	ref string
}

// String returns the flag's value. It implements pflag.Value, as do Set and Type.
func (v *frontendValue) String() string {
	switch {
	case !v.image:
		return "inprocess"
	case v.ref == "":
		return "image"
	}
	return "image=" + v.ref
}

// Set accepts inprocess, image and image=REF.
func (v *frontendValue) Set(s string) error {
	kind, ref, hasRef := strings.Cut(s, "=")
	switch {
	case kind == "inprocess" && !hasRef:
		*v = frontendValue{}
	case kind == "image" && (!hasRef || ref != ""):
		*v = frontendValue{image: true, ref: ref}
	default:
		return errors.New(`must be "inprocess", "image" or "image=REF"`)
	}
	return nil
}

// Type returns the name of the value in a usage line.
func (v *frontendValue) Type() string { return "string" }

// syntaxArg is the build arg that names the frontend image of a build.
const syntaxArg = "BUILDKIT_SYNTAX"

// apply adds the build arg that selects the image to buildx, if an image is named.
func (v *frontendValue) apply(buildArgs map[string]string) error {
	if v.ref == "" {
		return nil
	}
	if other, ok := buildArgs[syntaxArg]; ok && other != v.ref {
		return fmt.Errorf("--frontend=%s and --build-arg %s=%s name different frontends", v, syntaxArg, other)
	}
	buildArgs[syntaxArg] = v.ref
	return nil
}

// newFrontend returns the frontend that this program runs or chooses. It returns nil
// for --frontend=image=REF, because buildx runs a named image without help.
func newFrontend(mode frontendValue) *inprocess.Frontend {
	switch {
	case !mode.image:
		return inprocess.New(frontend.Build)
	case mode.ref == "":
		return inprocess.NewImage(inprocess.Image(buildinfo.Read().Version))
	}
	return nil
}
