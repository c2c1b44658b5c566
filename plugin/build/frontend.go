package build

import (
	"errors"
	"fmt"
	"strings"
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
