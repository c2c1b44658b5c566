package gateway

// The options of a request that this project reads or sets. BuildKit does not export
// their names (frontend/dockerui/config.go and frontend/dockerfile/builder).
const (
	// OptionCaps lists the capabilities that the request needs, separated by commas.
	OptionCaps = "frontend.caps"
	// OptionCmdline is the reference of the frontend image that a client chose, with
	// its arguments.
	OptionCmdline = "cmdline"
	// OptionSource is the frontend image that the daemon is to run.
	OptionSource = "source"
	// OptionSyntax is the build arg that names a frontend image.
	OptionSyntax = OptionBuildArg + "BUILDKIT_SYNTAX"
	// OptionRequestID names a subrequest.
	OptionRequestID = "requestid"
	// OptionFilename is the path of the Dockerfile.
	OptionFilename = "filename"
	// OptionTarget is the name of the target stage.
	OptionTarget = "target"
	// OptionPlatform lists the target platforms, separated by commas.
	OptionPlatform = "platform"
	// OptionMultiPlatform is "true" for a result that is an index even of one platform.
	OptionMultiPlatform = "multi-platform"
	// OptionResolveMode is how images are resolved: "pull", "local" or "default".
	OptionResolveMode = "image-resolve-mode"

	// OptionBuildArg is the prefix of a build arg's name.
	OptionBuildArg = "build-arg:"
	// OptionContext is the prefix of a named context's name.
	OptionContext = "context:"
	// OptionInputMetadata is the prefix of an input's name. The value is the input's
	// image config.
	OptionInputMetadata = "input-metadata:"
)

// The capabilities of BuildKit's Dockerfile frontend (builder/caps.go).
const (
	CapInputs         = "moby.buildkit.frontend.inputs"
	CapSubrequests    = "moby.buildkit.frontend.subrequests"
	CapContexts       = "moby.buildkit.frontend.contexts"
	CapGitQueryString = "moby.buildkit.frontend.gitquerystring"
	CapContextsZstd   = "moby.buildkit.frontend.contexts.zstd"
)

// CapForward is the suffix of a capability that lets a frontend without it forward the
// request to the frontend that the Dockerfile names.
const CapForward = "+forward"

// The entries of a subrequest's result (BuildKit's frontend/subrequests).
const (
	ResultJSON       = "result.json"
	ResultText       = "result.txt"
	ResultStatusCode = "result.statuscode"
	ResultVersion    = "version"
)
