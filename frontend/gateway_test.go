package frontend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
	"google.golang.org/protobuf/proto"
)

// gateway is a fake BuildKit gateway. It serves the files of local sources, makes up image
// configs, and records the definitions to solve, the requests and the warnings.
type gateway struct {
	client.Client // nil: the other methods are never called

	opts   map[string]string
	files  map[string][]byte
	inputs map[string]llb.State
	worker ocispecs.Platform

	mu          sync.Mutex
	definitions []string       // marshalled, in the order of the requests
	configs     map[string]int // requests for image configs, by "ref platform"
	loads       map[string]int // of local sources, by "identifier paths"
	warnings    []warning
}

// warning is one call of Warn.
type warning struct {
	Message string
	URL     string
	Detail  string
	Level   int
	Ranges  []string
	Source  string
}

func newGateway(dockerfile []byte, opts map[string]string) *gateway {
	return &gateway{
		opts:    opts,
		files:   map[string][]byte{"Dockerfile": dockerfile, ".dockerignore": []byte("ignored\n")},
		worker:  platforms.MustParse("linux/amd64"),
		configs: map[string]int{},
		loads:   map[string]int{},
	}
}

// BuildOpts implements client.Client.
func (g *gateway) BuildOpts() client.BuildOpts {
	return client.BuildOpts{
		Opts:      maps.Clone(g.opts),
		SessionID: "session",
		Product:   "test",
		Caps:      gwpb.Caps.CapSet(gwpb.Caps.All()),
		LLBCaps:   pb.Caps.CapSet(pb.Caps.All()),
		Workers:   []client.WorkerInfo{{ID: "worker", Platforms: []ocispecs.Platform{g.worker}}},
	}
}

// Inputs implements client.Client.
func (g *gateway) Inputs(context.Context) (map[string]llb.State, error) {
	return g.inputs, nil
}

// Solve implements client.Client.
func (g *gateway) Solve(_ context.Context, req client.SolveRequest) (*client.Result, error) {
	if req.Frontend != "" {
		return nil, fmt.Errorf("frontend %s with %s is unavailable", req.Frontend, req.FrontendOpt["source"])
	}
	res := client.NewResult()
	if source := localOf(req.Definition); source != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.loads[source.Identifier+" "+source.Attrs[pb.AttrFollowPaths]]++
		res.SetRef(reference{files: g.files})
		return res, nil
	}
	dt, err := proto.MarshalOptions{Deterministic: true}.Marshal(req.Definition)
	if err != nil {
		return nil, err
	}
	for _, entry := range req.CacheImports {
		dt = fmt.Appendf(dt, "cache from %v", entry)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.definitions = append(g.definitions, string(dt))
	res.SetRef(reference{definition: digest.FromBytes(dt)})
	return res, nil
}

// localOf returns the local source of a definition that consists only of it, or nil.
func localOf(def *pb.Definition) *pb.SourceOp {
	if len(def.Def) != 2 { // the last op only refers to the result
		return nil
	}
	var op pb.Op
	if err := op.UnmarshalVT(def.Def[0]); err != nil {
		return nil
	}
	if !strings.HasPrefix(op.GetSource().GetIdentifier(), "local://") {
		return nil
	}
	return op.GetSource()
}

// ResolveImageConfig implements client.Client. The name of an image decides its kind:
// "missing" is not found, "trigger" has an ONBUILD that copies from "tools", and "s390x" is
// for linux/s390x only.
func (g *gateway) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	platform := g.worker
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	if strings.Contains(ref, "s390x") {
		platform = platforms.MustParse("linux/s390x")
	}
	key := ref + " " + platforms.FormatAll(platform)
	g.mu.Lock()
	g.configs[key]++
	g.mu.Unlock()
	if strings.Contains(ref, "missing") {
		return "", "", nil, errors.New(ref + ": not found")
	}

	img := ocispecs.Image{Platform: platform}
	img.Config.Env = []string{"PATH=/bin", "FROM_IMAGE=" + ref}
	img.Config.Cmd = []string{"run"}
	img.Config.User = "nobody"
	img.Config.WorkingDir = "/from/image"
	img.RootFS = ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString(key)}}
	dt, err := json.Marshal(img)
	if err != nil {
		return "", "", nil, err
	}
	if strings.Contains(ref, "trigger") {
		dt = []byte(strings.Replace(string(dt), `"config":{`, `"config":{"OnBuild":["COPY --from=tools /a /b","RUN made"],`, 1))
	}
	return ref, digest.FromBytes(dt), dt, nil
}

// lastModified is the time of all HTTP sources, in seconds since 1970.
const lastModified = 1700000000

// ResolveSourceMetadata implements client.Client, for the SBOM scanner and for the source
// that SOURCE_DATE_EPOCH names.
func (g *gateway) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	if strings.HasPrefix(op.Identifier, "https://") {
		modified := time.Unix(lastModified, 0)
		return &sourceresolver.MetaResponse{Op: op, HTTP: &sourceresolver.ResolveHTTPResponse{LastModified: &modified}}, nil
	}
	ref, ok := strings.CutPrefix(op.Identifier, "docker-image://")
	if !ok {
		return nil, fmt.Errorf("no metadata for %s", op.Identifier)
	}
	_, dgst, config, err := g.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return nil, err
	}
	return &sourceresolver.MetaResponse{Op: op, Image: &sourceresolver.ResolveImageResponse{Digest: dgst, Config: config}}, nil
}

// Warn implements client.Client.
func (g *gateway) Warn(_ context.Context, _ digest.Digest, message string, opts client.WarnOpts) error {
	w := warning{Message: message, URL: opts.URL, Level: opts.Level, Ranges: rangesOf(opts.Range)}
	for _, line := range opts.Detail {
		w.Detail += string(line) + "\n"
	}
	if opts.SourceInfo != nil {
		w.Source = opts.SourceInfo.Filename + "\n" + string(opts.SourceInfo.Data)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.warnings = append(g.warnings, w)
	return nil
}

// rangesOf formats ranges, as "8:9-8:14" for example.
func rangesOf(ranges []*pb.Range) []string {
	var list []string
	for _, r := range ranges {
		list = append(list, fmt.Sprintf("%d:%d-%d:%d", r.Start.Line, r.Start.Character, r.End.Line, r.End.Character))
	}
	return list
}

// reference is the result of a Solve.
type reference struct {
	files      map[string][]byte
	definition digest.Digest
}

// ReadFile implements client.Reference.
func (r reference) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	dt, ok := r.files[req.Filename]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", req.Filename, fs.ErrNotExist)
	}
	return dt, nil
}

// StatFile implements client.Reference.
func (r reference) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	dt, ok := r.files[req.Path]
	if !ok {
		return nil, fmt.Errorf("stat %s: %w", req.Path, fs.ErrNotExist)
	}
	return &fstypes.Stat{Path: req.Path, Size: int64(len(dt))}, nil
}

// ToState implements client.Reference.
func (r reference) ToState() (llb.State, error) { return llb.Scratch(), nil }

// Evaluate implements client.Reference.
func (r reference) Evaluate(context.Context) error { return nil }

// ReadDir implements client.Reference.
func (r reference) ReadDir(context.Context, client.ReadDirRequest) ([]*fstypes.Stat, error) {
	return nil, nil
}

// build runs a frontend with a new gateway.
func build(t testing.TB, f client.BuildFunc, dockerfile []byte, opts map[string]string) (*gateway, outcome) {
	t.Helper()
	g := newGateway(dockerfile, opts)
	res, err := f(t.Context(), g)
	return g, g.outcome(res, err)
}
