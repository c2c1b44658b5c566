package build

import (
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
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/util/progress/progressui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/plugin/cli"
)

// request is one build, parsed from the flags.
type request struct {
	// build is the input of buildx's pipeline. Method attach completes it.
	build build.Options
	// platforms are the requested platforms. They are kept because buildx modifies
	// build.Platforms.
	platforms []ocispecs.Platform
	// dests are the files and directories of the outputs, "-" for standard output.
	dests []string
	// files replaces the archives among dests when the build succeeds.
	files   cli.OutputFiles
	display progressui.DisplayMode
	// printID prints only the image ID to standard output.
	printID bool
	secrets buildflags.Secrets
	ssh     []*buildflags.SSH
}

// request parses the flags for a build of the target stage, with buildx's parsers. It opens no
// file and no connection, so an error is a mistake in the command line.
func (o *options) request(target string, env cli.LookupEnv) (*request, error) {
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
	err := req.parse(env,
		o.parseDisplay,
		o.parseCall,
		o.parsePlatforms,
		o.parseVariables,
		o.parseContexts,
		o.parseCredentials,
		o.parseOutputs,
		o.parseAttestations,
		o.parseCaches,
		o.parseResources,
		o.parsePolicies,
	)
	if err != nil {
		return nil, err
	}
	return req, nil
}

// parse runs parsers until one fails.
func (r *request) parse(env cli.LookupEnv, parsers ...func(*request, cli.LookupEnv) error) error {
	for _, parse := range parsers {
		if err := parse(r, env); err != nil {
			return err
		}
	}
	return nil
}

// check parses the flags without the Dockerfile, and returns how to display progress. It does
// not fill in templates.
func (o *options) check(env cli.LookupEnv) (progressui.DisplayMode, error) {
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

// progressVariable is the variable that BuildKit's display reads for the progress "auto"
// (util/progress/progressui).
const progressVariable = "BUILDKIT_PROGRESS"

// parseDisplay parses --progress and --quiet. --progress=quiet equals --quiet, and
// --progress=none is BuildKit's "quiet", which does not print the image ID.
func (o *options) parseDisplay(req *request, env cli.LookupEnv) error {
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
		return fmt.Errorf(`invalid %s=%s: use "auto", "none", "plain", "quiet", "rawjson" or "tty"`, from, progress)
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

func (o *options) parseCall(req *request, _ cli.LookupEnv) error {
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

func (o *options) parsePlatforms(req *request, _ cli.LookupEnv) (err error) {
	if req.platforms, err = platformutil.Parse(o.platforms); err != nil {
		return fmt.Errorf("--platform: %w", err)
	}
	req.build.Platforms = slices.Clone(req.platforms)
	return nil
}

// parseVariables parses the build args and labels.
func (o *options) parseVariables(req *request, env cli.LookupEnv) (err error) {
	if req.build.BuildArgs, err = cli.BuildArgs(o.buildArgs, env); err != nil {
		return err
	}
	if err := o.frontend.apply(req.build.BuildArgs); err != nil {
		return err
	}
	req.build.Labels, err = cli.KeyValues("label", o.labels, nil)
	return err
}

func (o *options) parseContexts(req *request, _ cli.LookupEnv) error {
	contexts, err := buildflags.ParseContextNames(o.contexts)
	if err != nil {
		return fmt.Errorf("--build-context: %w", err)
	}
	req.build.Inputs.NamedContexts = make(map[string]build.NamedContext, len(contexts))
	for name, path := range contexts {
		req.build.Inputs.NamedContexts[name] = build.NamedContext{Path: path}
	}
	return nil
}

// parseCredentials parses the secrets and the SSH agents and keys.
func (o *options) parseCredentials(req *request, _ cli.LookupEnv) (err error) {
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

func (o *options) parseAttestations(req *request, _ cli.LookupEnv) error {
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

func (o *options) parseCaches(req *request, _ cli.LookupEnv) error {
	if o.noCache && len(o.noCacheFilter) > 0 {
		return errors.New("--no-cache and --no-cache-filter cannot be used together")
	}
	var err error
	req.build.CacheFrom, req.build.CacheTo, err = o.Flags.ParseCaches()
	return err
}

func (o *options) parseResources(req *request, _ cli.LookupEnv) (err error) {
	if req.build.ResourceLimits, err = build.ParseResourceLimits(o.resources); err != nil {
		return fmt.Errorf("--resource: %w", err)
	}
	return nil
}

func (o *options) parsePolicies(req *request, _ cli.LookupEnv) (err error) {
	if req.build.Policy, err = buildflags.ParsePolicyConfigs(o.policies); err != nil {
		return fmt.Errorf("--policy: %w", err)
	}
	return nil
}

// attach adds the inputs of the running build: standard input, registry credentials,
// secrets, SSH agents and the source policy of the environment.
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
