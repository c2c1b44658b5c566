package harness

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// File is a file of an image that [Registry.PushFiles] makes.
type File struct {
	// Mode is the permission bits; 0 means 0644.
	Mode uint32
	// Content is given, or the path of a file of this machine is.
	Content, Source string
}

// parse parses a repository with tag or digest in this registry.
func (r *Registry) parse(repo string) (name.Reference, error) {
	ref, err := name.ParseReference(r.Ref(repo), name.Insecure)
	if err != nil {
		return nil, fmt.Errorf("%q is not a repository with a tag or digest: %w", repo, err)
	}
	return ref, nil
}

// PushIndex pushes a multi-platform image under "repository:tag".
func (r *Registry) PushIndex(ctx context.Context, repo string, index v1.ImageIndex) error {
	ref, err := r.parse(repo)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, index, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("pushing %s: %w", repo, err)
	}
	return nil
}

// PushImage pushes a single-platform image under "repository:tag".
func (r *Registry) PushImage(ctx context.Context, repo string, img v1.Image) error {
	ref, err := r.parse(repo)
	if err != nil {
		return err
	}
	if err := remote.Write(ref, img, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("pushing %s: %w", repo, err)
	}
	return nil
}

// PushFiles pushes an image that contains only the given files, for one platform, under
// "repository:tag": a frontend image, or a base image that a test recognizes. Paths are
// below the root, without a leading slash. The platform of a Windows image can end with a
// colon and a version.
func (r *Registry) PushFiles(ctx context.Context, repo, platform string, config v1.Config, files map[string]File) error {
	layer, err := filesLayer(files)
	if err != nil {
		return fmt.Errorf("making %s: %w", repo, err)
	}
	index, err := appendImage(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), platform, config, layer)
	if err != nil {
		return fmt.Errorf("making %s: %w", repo, err)
	}
	return r.PushIndex(ctx, repo, index)
}

// Tag copies an image from one "repository:tag" to another, also to another
// repository: Tag(ctx, "library/busybox:latest", "library/other:1").
func (r *Registry) Tag(ctx context.Context, from, to string) error {
	ref, err := r.parse(from)
	if err != nil {
		return err
	}
	desc, err := remote.Get(ref, remote.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	if desc.MediaType.IsIndex() {
		index, err := desc.ImageIndex()
		if err != nil {
			return err
		}
		return r.PushIndex(ctx, to, index)
	}
	img, err := desc.Image()
	if err != nil {
		return err
	}
	return r.PushImage(ctx, to, img)
}

// Delete removes a manifest, by its tag or digest. A tag's manifest stays if it
// has another tag.
func (r *Registry) Delete(ctx context.Context, repo, tagOrDigest string) error {
	sep := ":"
	if strings.Contains(tagOrDigest, ":") {
		sep = "@"
	}
	ref, err := r.parse(repo + sep + tagOrDigest)
	if err != nil {
		return err
	}
	if err := remote.Delete(ref, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("deleting %s of %s: %w", tagOrDigest, repo, err)
	}
	return nil
}
