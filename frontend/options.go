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

// Repository is the name under which this frontend is published, on any registry.
const Repository = "stagebuild/stagebuild"

// dockerRepository is BuildKit's own frontend, of whose language this one's is a
// superset.
const dockerRepository = "docker/dockerfile"

// capabilities lists those of BuildKit's Dockerfile frontend (builder/caps.go).
var capabilities = []string{
	gateway.CapInputs,
	gateway.CapSubrequests,
	gateway.CapContexts,
	gateway.CapGitQueryString,
	gateway.CapContextsZstd,
}

// checkCaps refuses a request that needs what this frontend does not have. With
// forward the request allows another frontend to be tried: the one that the file
// names.
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

// anotherFrontend reports whether a request is for a frontend image: because the
// BUILDKIT_SYNTAX build arg or the file's "# syntax=" says so, and no client has
// followed that already (the cmdline option). The frontend itself and BuildKit's
// own are served here, unless a digest pins them.
func anotherFrontend(opts map[string]string, dockerfile []byte) bool {
	if _, followed := opts[gateway.OptionCmdline]; followed {
		return false
	}
	ref, ok := opts[gateway.OptionSyntax]
	if ok {
		ref, _, _ = strings.Cut(strings.TrimSpace(ref), " ")
	} else if ref, _, _, ok = parser.DetectSyntax(dockerfile); !ok {
		return false
	}
	return !servedHere(ref)
}

// servedHere reports whether a frontend image's reference means this frontend.
func servedHere(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return false
	}
	if _, pinned := named.(reference.Digested); pinned {
		return false
	}
	switch reference.Path(named) {
	case Repository:
		return true
	case dockerRepository:
		return reference.Domain(named) == "docker.io"
	}
	return false
}
