package cli

import (
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/util/platformutil"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/pflag"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/selection"
)

// RequestedPlatforms are the values of --platform.
type RequestedPlatforms struct {
	Names []string // the platforms given by name
	All   bool     // the declared platforms
	Local bool     // the builder's platform
}

// QueryPlatformsUsage is the help of --platform for commands that need no builder.
const QueryPlatformsUsage = `Set target platforms ("all": the declared platforms, "local": "linux" on this machine's architecture) (default: "all" if the file declares platforms, otherwise "local")`

// AddPlatformFlag adds --platform to flags. As for docker buildx build, its default is
// DOCKER_DEFAULT_PLATFORM.
func AddPlatformFlag(flags *pflag.FlagSet, platforms *[]string, usage string, getenv func(string) string) {
	var fallback []string
	if value := getenv(DefaultPlatform); value != "" {
		fallback = []string{value}
	}
	flags.StringArrayVar(platforms, "platform", fallback, usage)
}

// DefaultPlatform is the environment variable with the default of --platform.
const DefaultPlatform = "DOCKER_DEFAULT_PLATFORM"

// ParsePlatforms parses the values of --platform. The error names the flag and an invalid
// platform.
func ParsePlatforms(given []string) (RequestedPlatforms, error) {
	var w RequestedPlatforms
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

// LocalPlatform returns the platform of a builder on this machine: Linux on the machine's
// architecture, also on other operating systems.
func LocalPlatform() ocispecs.Platform {
	p := platforms.DefaultSpec()
	return platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: p.Architecture, Variant: p.Variant})
}

// SelectPlatforms returns the platforms of --platform. own is the platform for "local".
func SelectPlatforms(given []string, own guard.Platform) (selection.Platforms, error) {
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
