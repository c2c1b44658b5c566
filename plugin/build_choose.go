package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/buildflags"
	"github.com/docker/buildx/util/platformutil"
	"github.com/docker/buildx/util/urlutil"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
	"github.com/stagebuild/stagebuild/plugin/selection"
)

// wantedPlatforms is what --platform asks for.
type wantedPlatforms struct {
	names []string // of platforms
	all   bool     // those that the file declares
	local bool     // the builder's own
}

// parsePlatforms reads the values of --platform.
func parsePlatforms(given []string) (wantedPlatforms, error) {
	var w wantedPlatforms
	for name := range strings.SplitSeq(strings.Join(given, ","), ",") {
		switch name = strings.TrimSpace(name); strings.ToLower(name) {
		case "":
		case "all":
			w.all = true
		case "local":
			w.local = true
		default:
			w.names = append(w.names, name)
		}
	}
	_, err := platformutil.Parse(w.names)
	if err != nil {
		err = fmt.Errorf("--platform: %w", err)
	}
	return w, err
}

// choose returns the results that the flags ask for. It reads the Dockerfile when
// they do not say all about them.
func (r *buildRun) choose(ctx context.Context, o buildOptions, env lookupEnv) ([]*result, error) {
	wanted, err := parsePlatforms(o.platforms)
	if err != nil {
		return nil, err
	}
	if wanted.local && (wanted.all || len(wanted.names) > 0) {
		own, err := r.ownPlatform(ctx)
		if err != nil {
			return nil, err
		}
		wanted.names = append([]string{guard.FormatPlatform(own)}, wanted.names...)
	}
	o.platforms = wanted.names
	if _, one := o.stages.Name(); one && !wanted.all && !o.templated() {
		return o.only(env)
	}
	return r.selectResults(ctx, o, wanted.all, env)
}

// selectResults chooses the results with the Dockerfile.
func (r *buildRun) selectResults(ctx context.Context, o buildOptions, all bool, lookup lookupEnv) ([]*result, error) {
	if err := r.stdin.spool(ctx, o.contextPath == "-" || o.file == "-"); err != nil {
		return nil, err
	}
	own, err := r.ownPlatform(ctx)
	if err != nil {
		return nil, err
	}
	file, err := r.dockerfile(ctx, o, lookup)
	if err != nil {
		return nil, err
	}
	if len(file.Stages) == 0 {
		return nil, fmt.Errorf("%s: %w", file.Source.Name, file.BuildKitError())
	}
	env, err := planEnv(own, o.buildArgs, o.contexts, lookup)
	if err != nil {
		return nil, err
	}
	named, err := platformutil.Parse(o.platforms)
	if err != nil {
		return nil, err
	}
	chosen, err := o.selection(file, env, selection.Platforms{Named: named, All: all})
	if err != nil {
		return nil, err
	}
	r.notes = chosen.Notes
	results, err := o.results(file, env, chosen.Results, lookup)
	if err != nil {
		return nil, err
	}
	if len(results) > 1 && results[0].build.CallFunc != nil {
		return nil, fmt.Errorf("--call=%s answers about one stage, and %d are meant", results[0].build.CallFunc.Name, len(results))
	}
	return results, nil
}

// selection returns the stages that are asked for. Of all that the file declares, a check and
// a matrix say themselves what cannot be built: then it is for no platforms. What a check was
// asked for by name is an error.
func (o *buildOptions) selection(file *syntax.File, env plan.Env, asked selection.Platforms) (*selection.Selection, error) {
	call, err := buildflags.ParseCallFunc(o.call)
	if err != nil {
		return nil, err
	}
	saysItself := call != nil && (call.Name == "lint" || call.Name == "matrix") && len(file.Platforms) > 0 && asked.Declared(file)
	if !saysItself {
		return selection.Select(file, env, o.stages.Patterns, asked)
	}
	if call.Name == "lint" && len(asked.Named) > 0 {
		if _, err := selection.Select(file, env, o.stages.Patterns, asked); err != nil {
			return nil, err
		}
	}
	return selection.Stages(file, o.stages.Patterns)
}

// ownPlatform is what the builder builds for when no platform is asked for.
func (r *buildRun) ownPlatform(ctx context.Context) (ocispecs.Platform, error) {
	for _, node := range r.builder.Nodes {
		if node.Driver == nil || node.Err != nil {
			continue
		}
		// A builder may have to be started first.
		c, err := driver.Boot(ctx, ctx, node.Driver, r.printer)
		if err != nil {
			return ocispecs.Platform{}, fmt.Errorf("asking the builder for its platform: %w", err)
		}
		workers, err := c.ListWorkers(ctx)
		if err != nil {
			return ocispecs.Platform{}, fmt.Errorf("asking the builder for its platform: %w", err)
		}
		if len(workers) > 0 && len(workers[0].Platforms) > 0 {
			return platforms.Normalize(workers[0].Platforms[0]), nil
		}
	}
	return localPlatform(), nil
}

// dockerfile reads the Dockerfile: here, or through the builder when that alone
// has it, as for a git context.
func (r *buildRun) dockerfile(ctx context.Context, o buildOptions, env lookupEnv) (*syntax.File, error) {
	remote := urlutil.IsRemoteURL(o.contextPath) || urlutil.IsHTTPURL(o.file)
	if !remote && (o.contextPath != "-" || o.file == "-") {
		return readDockerfile(o.contextPath, o.file, r.stdin.reader())
	}
	req, err := o.forDockerfile().request(env)
	if err != nil {
		return nil, err
	}
	if err := req.attach(r.dockerCLI, r.stdin.reader()); err != nil {
		return nil, err
	}
	var src *dockerui.Source
	reader := inprocess.New(func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		bc, err := dockerui.NewClient(c)
		if err != nil {
			return nil, err
		}
		src, err = bc.ReadEntrypoint(ctx, "Dockerfile")
		return gateway.NewResult(), err
	})
	if _, err := r.solve(ctx, reader.Handler(), &req.build, r.printer); err != nil {
		return nil, fmt.Errorf("failed to build: %w", r.builder.Explain(ctx, err))
	}
	if src == nil {
		return nil, errors.New("the builder read no Dockerfile")
	}
	return syntax.Parse(source.NewFile(src.Filename, src.Data))
}

// forDockerfile returns the flags that decide how a Dockerfile is read from elsewhere:
// how the source is reached and checked out, and what a policy is asked about it.
func (o *buildOptions) forDockerfile() *buildOptions {
	reading := &buildOptions{
		contextPath: o.contextPath, file: o.file, buildArgs: o.buildArgs, labels: o.labels, policies: o.policies,
		secrets: o.secrets, ssh: o.ssh, network: o.network, frontend: o.frontend,
		progress: o.progress, quiet: o.quiet, call: "outline",
	}
	reading.target, _ = o.stages.Name()
	return reading
}

// stdin is standard input, which several readers can need.
type stdin struct {
	in   io.Reader
	file *os.File // what was read of it
	left bool     // that the file can only be removed when it is closed
}

func newStdin(in io.Reader) *stdin {
	return &stdin{in: in}
}

// spool keeps standard input in a file, if it is used. The file has no name, so that
// none is left however the program ends, except on Windows.
func (s *stdin) spool(ctx context.Context, used bool) error {
	if !used {
		return nil
	}
	f, err := os.CreateTemp("", "stagebuild-stdin-*")
	if err != nil {
		return err
	}
	s.file, s.left = f, os.Remove(f.Name()) != nil
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(f, s.in)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		return ctx.Err() // a read of a pipe cannot be cancelled, and is left to itself
	}
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	return nil
}

// reader returns standard input, from its beginning where it was kept.
func (s *stdin) reader() io.Reader {
	if s.file == nil {
		return s.in
	}
	info, err := s.file.Stat()
	if err != nil {
		return s.in
	}
	return io.NewSectionReader(s.file, 0, info.Size())
}

// close removes what was kept.
func (s *stdin) close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close()
	if s.left {
		_ = os.Remove(s.file.Name())
	}
}
