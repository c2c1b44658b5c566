package frontend

import (
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// Repository is the name under which this frontend is published, on any registry and in
// any group of one.
const Repository = "stagebuild/stagebuild"

// dockerRepository is the repository of BuildKit's own frontend on Docker Hub. Its
// language is a part of ours.
const dockerRepository = "docker/dockerfile"

// capabilities lists those of BuildKit's Dockerfile frontend (builder/caps.go).
var capabilities = []string{
	gateway.CapInputs,
	gateway.CapSubrequests,
	gateway.CapContexts,
	gateway.CapGitQueryString,
	gateway.CapContextsZstd,
}

// checkCaps returns an error if the request needs a capability that this frontend lacks.
// If the request allows it, checkCaps returns forward instead, because the frontend that
// the file names can have the capability.
func checkCaps(requested string) (forward bool, err error) {
	for request := range strings.SplitSeq(requested, ",") {
		name, mode, _ := strings.Cut(request, "+")
		if name == "" || slices.Contains(capabilities, name) {
			continue
		}
		if mode == "forward" {
			forward = true
			continue
		}
		return false, grpcerrors.WrapCode(errdefs.NewUnsupportedFrontendCapError(name), codes.Unimplemented)
	}
	return forward, nil
}

// isForOtherFrontend reports whether the BUILDKIT_SYNTAX build arg, or else the file's
// "# syntax=", names a frontend image to run. A request with the cmdline option is
// served here: its client has already chosen the frontend.
func isForOtherFrontend(opts map[string]string, dockerfile []byte) bool {
	if _, chosen := opts[gateway.OptionCmdline]; chosen {
		return false
	}
	ref, ok := opts[gateway.OptionSyntax]
	if ok {
		ref, _, _ = strings.Cut(strings.TrimSpace(ref), " ")
	} else if ref, _, _, ok = parser.DetectSyntax(dockerfile); !ok {
		return false
	}
	return !isServedHere(ref)
}

// isServedHere reports whether the reference of a frontend image means this frontend:
// any repository whose path ends in stagebuild/stagebuild, or BuildKit's own frontend on
// Docker Hub. A reference with a digest always means that image.
func isServedHere(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return false
	}
	if _, pinned := named.(reference.Digested); pinned {
		return false
	}
	path := reference.Path(named)
	if path == dockerRepository {
		return reference.Domain(named) == "docker.io"
	}
	return path == Repository || strings.HasSuffix(path, "/"+Repository)
}
