package build

import (
	"github.com/stagebuild/stagebuild/plugin/cli"

	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/buildflags"
	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/dockerutil/dockerconfig"
	"github.com/docker/buildx/util/platformutil"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/util/progress/progressui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// epochArg is the build arg and the variable that fix a build's timestamps
// (https://reproducible-builds.org/specs/source-date-epoch).
const epochArg = "SOURCE_DATE_EPOCH"

// request is a build command line, parsed and checked.
type request struct {
	// build is what buildx's pipeline takes; attach completes it.
	build build.Options
	// platforms are the requested ones: buildx changes those in build.
	platforms []ocispecs.Platform
	// dests are the files and folders of the outputs, "-" for standard output.
	dests []string
	// files are those of dests that are written aside first.
	files   cli.OutputFiles
	display progressui.DisplayMode
	// printID asks for the image ID and nothing else on standard output.
	printID bool
	secrets buildflags.Secrets
	ssh     []*buildflags.SSH
}

// request parses the flags, with buildx's own parsers. It opens and connects
// nothing. An error is a mistake in the command line.
func (o *buildOptions) request(target string, env cli.LookupEnv) (*request, error) {
	req := &request{build: build.Options{
		Inputs: build.Inputs{
			ContextPath:    o.contextPath,
			DockerfilePath: o.file,
		},
		CgroupParent:  o.cgroupParent,
		ExtraHosts:    o.extraHosts,
		NetworkMode:   o.network,
		NoCache:       o.noCache,
		NoCacheFilter: o.noCacheFilter,
		Pull:          o.pull,
		ShmSize:       o.shmSize,
		Tags:          o.Tags,
		Target:        target,
		Ulimits:       o.ulimits,
	}}
	for _, parse := range []func(*request, cli.LookupEnv) error{
		o.parseDisplay,
		o.parseCall,
		o.parseInputs,
		o.parseOutputs,
		o.parseAttestations,
		o.parseCaches,
		o.parseLimits,
	} {
		if err := parse(req, env); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// check finds the mistakes of a command line that need no Dockerfile to be seen,
// and returns how progress is displayed.
func (o *buildOptions) check(env cli.LookupEnv) (progressui.DisplayMode, error) {
	options := *o
	if err := options.CheckTemplates(); err != nil {
		return "", err
	}
	options.Flags = o.WithoutTemplates()
	wanted, err := cli.ParsePlatforms(o.platforms)
	if err != nil {
		return "", err
	}
	options.platforms = wanted.Names
	req, err := options.request("", env)
	if err != nil {
		return "", err
	}
	return req.display, nil
}

// progressVariable is what BuildKit's display reads where the progress is "auto"
// (util/progress/progressui).
const progressVariable = "BUILDKIT_PROGRESS"

// parseDisplay reads --progress and --quiet. "quiet" of the former is the
// latter, and "none" is what BuildKit calls quiet: no image ID either.
func (o *buildOptions) parseDisplay(req *request, env cli.LookupEnv) error {
	progress, from := o.progress, "--progress"
	if value, _ := env(progressVariable); value != "" && progress == "auto" && !o.quiet {
		progress, from = value, progressVariable
	}
	req.printID = o.quiet || progress == "quiet"
	switch progress {
	case "none", "quiet":
		req.display = progressui.QuietMode
	case "auto", "plain", "tty", "rawjson":
		req.display = progressui.DisplayMode(progress)
	default:
		return fmt.Errorf(`%s=%s is none of "auto", "none", "plain", "quiet", "rawjson", "tty"`, from, progress)
	}
	if !req.printID {
		return nil
	}
	if req.display != progressui.AutoMode && req.display != progressui.QuietMode {
		return fmt.Errorf("--progress=%s and --quiet cannot be used together", progress)
	}
	req.display = progressui.QuietMode
	return nil
}

func (o *buildOptions) parseCall(req *request, _ cli.LookupEnv) error {
	call, err := buildflags.ParseCallFunc(o.call)
	if err != nil {
		return fmt.Errorf("--call: %w", err)
	}
	mode := confutil.MetadataProvenance()
	if call != nil {
		req.build.CallFunc = &build.CallFunc{Name: call.Name, Format: call.Format, IgnoreStatus: call.IgnoreStatus}
	}
	if call != nil || o.MetadataFile == "" {
		mode = confutil.MetadataProvenanceModeDisabled
	}
	req.build.ProvenanceResponseMode = mode
	return nil
}

func (o *buildOptions) parseInputs(req *request, env cli.LookupEnv) error {
	var err error
	if req.platforms, err = platformutil.Parse(o.platforms); err != nil {
		return fmt.Errorf("--platform: %w", err)
	}
	req.build.Platforms = slices.Clone(req.platforms)
	if req.build.BuildArgs, err = buildArgs(o.buildArgs, env); err != nil {
		return err
	}
	if err := o.frontend.apply(req.build.BuildArgs); err != nil {
		return err
	}
	if req.build.Labels, err = cli.KeyValues("label", o.labels, nil); err != nil {
		return err
	}
	contexts, err := buildflags.ParseContextNames(o.contexts)
	if err != nil {
		return fmt.Errorf("--build-context: %w", err)
	}
	req.build.Inputs.NamedContexts = make(map[string]build.NamedContext, len(contexts))
	for name, path := range contexts {
		req.build.Inputs.NamedContexts[name] = build.NamedContext{Path: path}
	}
	if req.secrets, err = buildflags.ParseSecretSpecs(o.secrets); err != nil {
		return fmt.Errorf("--secret: %w", err)
	}
	if req.ssh, err = buildflags.ParseSSHSpecs(o.ssh); err != nil {
		return fmt.Errorf("--ssh: %w", err)
	}
	if len(req.ssh) == 0 && buildflags.IsGitSSH(o.contextPath) {
		req.ssh = []*buildflags.SSH{{ID: "default"}}
	}
	return nil
}

func (o *buildOptions) parseOutputs(req *request, _ cli.LookupEnv) error {
	entries, err := buildflags.ParseExports(o.Outputs)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	outputs, _, err := build.CreateExports(entries)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	req.dests = destinations(entries)
	req.files.Divert(entries, outputs)
	for _, out := range outputs {
		if o.ImageIDFile != "" && (out.Type == client.ExporterLocal || out.Type == client.ExporterTar) {
			return fmt.Errorf("--iidfile: output of type %q has no image ID", out.Type)
		}
	}
	if o.push {
		outputs = withPush(outputs)
	}
	if o.load {
		outputs = withLoad(outputs)
	}
	allow, allowDelete, err := buildflags.ParseEntitlements(o.allow)
	if err != nil {
		return fmt.Errorf("--allow: %w", err)
	}
	if err := build.ValidateLocalExportDelete(outputs, allowDelete); err != nil {
		return err
	}
	if req.build.Annotations, err = buildflags.ParseAnnotations(o.annotations); err != nil {
		return fmt.Errorf("--annotation: %w", err)
	}
	for _, out := range outputs {
		for k, v := range req.build.Annotations {
			out.Attrs[k.String()] = v
		}
	}
	req.build.Exports, req.build.Allow = outputs, allow
	return nil
}

// destinations are the files and folders of outputs: those of archives are on
// standard output when they have none.
func destinations(entries []*buildflags.ExportEntry) []string {
	var dests []string
	for _, e := range entries {
		dest := e.Destination
		if dest == "" && (e.Type == client.ExporterTar || e.Type == client.ExporterOCI) {
			dest = "-"
		}
		if dest != "" {
			dests = append(dests, dest)
		}
	}
	return dests
}

// withPush has every image output pushed, or adds one that is.
func withPush(outputs []client.ExportEntry) []client.ExportEntry {
	var pushed bool
	for _, out := range outputs {
		if out.Type != client.ExporterImage {
			continue
		}
		pushed = true
		out.Attrs["push"] = "true"
		// Unpacking into the daemon's own image store is of no use for a push.
		if _, ok := out.Attrs["unpack"]; !ok {
			out.Attrs["unpack"] = "false"
		}
	}
	if pushed {
		return outputs
	}
	return append(outputs, client.ExportEntry{
		Type:  client.ExporterImage,
		Attrs: map[string]string{"push": "true", "unpack": "false"},
	})
}

// withLoad adds an output to the engine, unless there is one. An output of type
// docker with a dest goes to a file instead.
func withLoad(outputs []client.ExportEntry) []client.ExportEntry {
	for _, out := range outputs {
		if out.Type != client.ExporterDocker {
			continue
		}
		if _, toFile := out.Attrs["dest"]; !toFile {
			return outputs
		}
	}
	return append(outputs, client.ExportEntry{Type: client.ExporterDocker, Attrs: map[string]string{}})
}

func (o *buildOptions) parseAttestations(req *request, _ cli.LookupEnv) error {
	specs := slices.Clone(o.attests)
	if o.provenance != "" {
		specs = append(specs, buildflags.CanonicalizeAttest("provenance", o.provenance))
	}
	if o.sbom != "" {
		specs = append(specs, buildflags.CanonicalizeAttest("sbom", o.sbom))
	}
	attests, err := buildflags.ParseAttests(specs)
	if err != nil {
		return fmt.Errorf("--attest: %w", err)
	}
	req.build.Attests = attests.ToMap()
	return nil
}

func (o *buildOptions) parseCaches(req *request, _ cli.LookupEnv) error {
	if o.noCache && len(o.noCacheFilter) > 0 {
		return errors.New("--no-cache and --no-cache-filter cannot be used together")
	}
	var err error
	req.build.CacheFrom, req.build.CacheTo, err = o.Flags.ParseCaches()
	return err
}

func (o *buildOptions) parseLimits(req *request, _ cli.LookupEnv) (err error) {
	if req.build.ResourceLimits, err = build.ParseResourceLimits(o.resources); err != nil {
		return fmt.Errorf("--resource: %w", err)
	}
	if req.build.Policy, err = buildflags.ParsePolicyConfigs(o.policies); err != nil {
		return fmt.Errorf("--policy: %w", err)
	}
	return nil
}

// attach gives the build what it needs at run time: standard input, registry
// credentials, secrets, ssh agents and the source policy of the environment.
func (r *request) attach(dockerCLI command.Cli, stdin io.Reader) error {
	r.build.Inputs.InStream = build.NewSyncMultiReader(stdin)
	secrets, err := build.CreateSecrets(r.secrets)
	if err != nil {
		return err
	}
	ssh, err := build.CreateSSH(r.ssh)
	if err != nil {
		return err
	}
	auth := authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: dockerconfig.LoadAuthConfig(dockerCLI),
	})
	r.build.Session = append(r.build.Session, auth, secrets, ssh)
	r.build.SourcePolicy, err = build.ReadSourcePolicy()
	return err
}

// buildArgs are the values of --build-arg; one without a value gets that of the
// environment, or is left out.
func buildArgs(given []string, env cli.LookupEnv) (map[string]string, error) {
	args, err := cli.KeyValues("build-arg", given, env)
	if err != nil {
		return nil, err
	}
	if _, ok := args[epochArg]; !ok {
		if v, _ := env(epochArg); v != "" {
			args[epochArg] = v
		}
	}
	return args, nil
}
