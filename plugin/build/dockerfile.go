package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/urlutil"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// dockerfile reads the Dockerfile from this machine, or through the builder if the context
// is remote, such as a Git repository.
func (r *buildRun) dockerfile(ctx context.Context, o options, env cli.LookupEnv) (*syntax.File, error) {
	remote := urlutil.IsRemoteURL(o.contextPath) || urlutil.IsHTTPURL(o.file)
	if !remote && (o.contextPath != "-" || o.file == "-") {
		return cli.ReadDockerfile(o.contextPath, o.file, r.stdin.reader())
	}
	return r.remoteDockerfile(ctx, o, env)
}

// remoteDockerfile reads the Dockerfile through the builder.
func (r *buildRun) remoteDockerfile(ctx context.Context, o options, env cli.LookupEnv) (*syntax.File, error) {
	req, err := o.dockerfileRequest(env)
	if err != nil {
		return nil, err
	}
	if err := req.attach(r.DockerCLI, r.stdin.reader()); err != nil {
		return nil, err
	}
	var src *dockerui.Source
	err = r.Evaluate(ctx, req.build, func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		bc, err := dockerui.NewClient(c)
		if err != nil {
			return nil, err
		}
		src, err = bc.ReadEntrypoint(ctx, "Dockerfile")
		return gateway.NewResult(), err
	})
	if err != nil {
		return nil, err
	}
	if src == nil {
		return nil, errors.New("the builder did not return a Dockerfile")
	}
	return syntax.Parse(source.NewFile(src.Filename, src.Data))
}

// dockerfileRequest returns the request that reads a remote Dockerfile: a request for the
// outline, which has no outputs. It has the flags that fetch the source, and the flags that a
// policy can depend on.
func (o *options) dockerfileRequest(env cli.LookupEnv) (*request, error) {
	target, _ := o.stages.Name()
	req := &request{build: build.Options{
		Inputs:                 build.Inputs{ContextPath: o.contextPath, DockerfilePath: o.file},
		NetworkMode:            o.network,
		Target:                 target,
		CallFunc:               &build.CallFunc{Name: "outline"},
		ProvenanceResponseMode: confutil.MetadataProvenanceModeDisabled,
	}}
	return req, req.parse(env, o.parseVariables, o.parseCredentials, o.parsePolicies)
}

// stdin is standard input for several readers.
type stdin struct {
	in   io.Reader
	file *os.File // holds the input after spool
	left bool     // set if the file can only be removed after it is closed
}

func newStdin(in io.Reader) *stdin {
	return &stdin{in: in}
}

// spool copies standard input to a temporary file if used is set. It removes the file at
// once, which stays readable, so that no file is left however the program ends. On Windows,
// close removes it.
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
		return ctx.Err() // the goroutine remains: reading a pipe cannot be canceled
	}
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	return nil
}

// reader returns standard input. After spool, each reader starts at the beginning.
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

// close removes the temporary file.
func (s *stdin) close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close()
	if s.left {
		_ = os.Remove(s.file.Name())
	}
}
