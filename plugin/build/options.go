package build

import (
	dockeropts "github.com/docker/cli/opts"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// options are the flags of the build command, as the user wrote them.
type options struct {
	inputOptions
	result.Flags
	outputOptions
	cacheOptions
	stepOptions
	runOptions
}

func newOptions() *options {
	return &options{stepOptions: stepOptions{ulimits: dockeropts.NewUlimitOpt(nil)}}
}

// inputOptions select what is built, and give it its inputs.
type inputOptions struct {
	contextPath string
	file        string
	stages      cli.StagesValue
	platforms   []string
	buildArgs   []string
	contexts    []string
	secrets     []string
	ssh         []string
	pull        bool
}

// outputOptions describe the images and where they go, beside the flags that can be
// templates.
type outputOptions struct {
	push, load  bool
	labels      []string
	annotations []string
	attests     []string
	provenance  string
	sbom        string
}

// cacheOptions limit the use of the build cache.
type cacheOptions struct {
	noCache       bool
	noCacheFilter []string
}

// stepOptions are the environment and the limits of the steps of a build.
type stepOptions struct {
	allow        []string
	extraHosts   []string
	network      string
	cgroupParent string
	shmSize      dockeropts.MemBytes
	ulimits      *dockeropts.UlimitOpt
	resources    []string
	policies     []string
}

// runOptions choose the builder, the frontend and the display of a build.
type runOptions struct {
	builder  string
	frontend frontendValue
	call     string
	progress string
	quiet    bool
	failFast bool
}
