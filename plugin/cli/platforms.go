package cli

import (
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/util/platformutil"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/selection"
)

// requestedPlatforms is what --platform asks for.
type requestedPlatforms struct {
	Names []string // of platforms
	All   bool     // those that the file declares
	Local bool     // the builder's own
}

// ParsePlatforms reads the values of --platform.
func ParsePlatforms(given []string) (requestedPlatforms, error) {
	var w requestedPlatforms
	for name := range strings.SplitSeq(strings.Join(given, ","), ",") {
		switch name = strings.TrimSpace(name); strings.ToLower(name) {
		case "":
		case "all":
			w.All = true
		case "local":
			w.Local = true
		default:
			w.Names = append(w.Names, name)
		}
	}
	_, err := platformutil.Parse(w.Names)
	if err != nil {
		err = fmt.Errorf("--platform: %w", err)
	}
	return w, err
}

// LocalPlatform is what a builder on this machine would build for: its
// architecture, and Linux on machines of other systems too.
func LocalPlatform() ocispecs.Platform {
	p := platforms.DefaultSpec()
	return platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: p.Architecture, Variant: p.Variant})
}

// AskedPlatforms returns what --platform asks for, where "local" is this machine's own.
func AskedPlatforms(given []string, own guard.Platform) (selection.Platforms, error) {
	wanted, err := ParsePlatforms(given)
	if err != nil {
		return selection.Platforms{}, err
	}
	named, err := platformutil.Parse(wanted.Names)
	if err != nil {
		return selection.Platforms{}, fmt.Errorf("--platform: %w", err)
	}
	if wanted.Local {
		named = append([]guard.Platform{own}, named...)
	}
	return selection.Platforms{Requested: named, All: wanted.All}, nil
}
