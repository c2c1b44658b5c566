package frontend

import (
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
)

// The frontend options that are read here. All others are dockerui's.
const (
	keyCaps          = "frontend.caps"
	keyCmdline       = "cmdline"
	keySyntaxArg     = "build-arg:BUILDKIT_SYNTAX"
	keyContextPrefix = "context:"
	keyInputMetadata = "input-metadata:"
	keyResolveMode   = "image-resolve-mode"
	keyTarget        = "target"
	keyPlatform      = "platform"
	keyMultiPlatform = "multi-platform"
)

// Repository is the name under which this frontend is published, on any registry.
const Repository = "stagebuild/stagebuild"

// dockerRepository is BuildKit's own frontend, of whose language this one's is a
// superset.
const dockerRepository = "docker/dockerfile"

// capabilities are those of BuildKit's Dockerfile frontend (builder/caps.go).
var capabilities = []string{
	"moby.buildkit.frontend.inputs",
	"moby.buildkit.frontend.subrequests",
	"moby.buildkit.frontend.contexts",
	"moby.buildkit.frontend.gitquerystring",
	"moby.buildkit.frontend.contexts.zstd",
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
	if _, followed := opts[keyCmdline]; followed {
		return false
	}
	ref, ok := opts[keySyntaxArg]
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
