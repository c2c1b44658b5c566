package build

import (
	"strconv"

	"github.com/docker/buildx/util/cobrautil"
	dockeropts "github.com/docker/cli/opts"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// inputOptions select the stages and platforms, and their inputs.
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

// outputOptions describe the images and where they go. [result.Flags] has those that can be
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

// addFlags adds the flags of `docker buildx build`, with their names, short forms and
// defaults, and the flags that only this command has.
func (o *options) addFlags(cmd *cobra.Command, getenv func(string) string) {
	flags := cmd.Flags()
	flags.SortFlags = true
	o.addInputFlags(flags, getenv)
	o.addOutputFlags(flags)
	o.addCacheFlags(flags)
	o.addStepFlags(flags)
	o.addRunFlags(flags)
}

func (o *inputOptions) addInputFlags(flags *pflag.FlagSet, getenv func(string) string) {
	flags.StringVarP(&o.file, "file", "f", "", `Name of the Dockerfile (default: "PATH/Dockerfile")`)
	flags.Var(&o.stages, "stage", `Build stages by name or glob, and exclude them with "!" (e.g., "api,test-*,!*-debug") (default: the last stage)`)
	flags.Var(&o.stages, "target", "Build stages (same as --stage)")
	cli.AddPlatformFlag(flags, &o.platforms, `Set target platforms for build ("all": the declared platforms, "local": the builder's platform) (default: "local")`, getenv)
	flags.StringArrayVar(&o.buildArgs, "build-arg", nil, "Set build-time variables")
	flags.StringArrayVar(&o.contexts, "build-context", nil, "Additional build contexts (e.g., name=path)")
	flags.BoolVar(&o.pull, "pull", false, "Always attempt to pull all referenced images")
	flags.StringArrayVar(&o.secrets, "secret", nil, `Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")`)
	flags.StringArrayVar(&o.ssh, "ssh", nil, `SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")`)
}

func (o *options) addOutputFlags(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&o.Outputs, "output", "o", nil, `Output destination (format: "type=local,dest=path")`)
	flags.StringArrayVarP(&o.Tags, "tag", "t", nil, `Image identifier (format: "[registry/]repository[:tag]")`)
	flags.StringArrayVar(&o.labels, "label", nil, "Set metadata for an image")
	flags.StringArrayVar(&o.annotations, "annotation", nil, "Add annotation to the image")
	flags.BoolVar(&o.push, "push", false, `Shorthand for "--output=type=registry,unpack=false"`)
	flags.BoolVar(&o.load, "load", false, `Shorthand for "--output=type=docker"`)
	flags.StringVar(&o.MetadataFile, "metadata-file", "", "Write build result metadata to a file")
	flags.StringVar(&o.ImageIDFile, "iidfile", "", "Write the image ID to a file")
	flags.StringArrayVar(&o.attests, "attest", nil, `Attestation parameters (format: "type=sbom,generator=image")`)
	flags.StringVar(&o.provenance, "provenance", "", `Shorthand for "--attest=type=provenance"`)
	flags.StringVar(&o.sbom, "sbom", "", `Shorthand for "--attest=type=sbom"`)
}

func (o *options) addCacheFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.CacheFrom, "cache-from", nil, `External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")`)
	flags.StringArrayVar(&o.CacheTo, "cache-to", nil, `Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")`)
	flags.BoolVar(&o.noCache, "no-cache", false, "Do not use cache when building the image")
	flags.StringArrayVar(&o.noCacheFilter, "no-cache-filter", nil, "Do not cache specified stages")
}

func (o *stepOptions) addStepFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.allow, "allow", nil, `Allow extra privileged entitlement (e.g., "network.host", "security.insecure", "device", "buildx.local.delete")`)
	flags.StringSliceVar(&o.extraHosts, "add-host", nil, `Add a custom host-to-IP mapping (format: "host:ip")`)
	flags.StringVar(&o.network, "network", "default", `Set the networking mode for the "RUN" instructions during build`)
	flags.StringVar(&o.cgroupParent, "cgroup-parent", "", `Set the parent cgroup for the "RUN" instructions during build`)
	flags.Var(&o.shmSize, "shm-size", "Shared memory size for build containers")
	flags.Var(o.ulimits, "ulimit", "Ulimit options")
	flags.StringArrayVar(&o.resources, "resource", nil, `Resource limits for build containers (format: "memory=2g", "cpu-quota=50000")`)
	flags.StringArrayVar(&o.policies, "policy", nil, `Policy configuration (format: "filename=path[,filename=path][,reset=true|false][,disabled=true|false][,strict=true|false][,log-level=level]")`)
}

func (o *runOptions) addRunFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.builder, "builder", "", `Override the configured builder instance ("embedded": a BuildKit daemon that this command starts)`)
	flags.Var(&o.frontend, "frontend", `Run the Dockerfile frontend in this program ("inprocess"), from the image that the Dockerfile names ("image"), or from another one ("image=REF")`)
	flags.StringVar(&o.call, "call", "build", `Set method for evaluating build ("check", "outline", "targets", "explain", "graph", "matrix")`)
	flags.Var(checkValue(&o.call), "check", `Shorthand for "--call=check"`)
	flags.Lookup("check").NoOptDefVal = "true"
	flags.StringVar(&o.progress, "progress", "auto", `Set type of progress output ("auto", "none", "plain", "quiet", "rawjson", "tty"). Use plain to show container output`)
	flags.BoolVar(&o.failFast, "fail-fast", false, "Stop the other builds when one fails (default: let them finish)")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Suppress the build output and print image ID on success")
}

// checkValue returns the value of --check, a boolean flag that sets call to "check".
func checkValue(call *string) cobrautil.BoolFuncValue {
	return func(s string) error {
		on, err := strconv.ParseBool(s)
		if err != nil {
			return err
		}
		if on {
			*call = "check"
		}
		return nil
	}
}
