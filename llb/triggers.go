package llb

import (
	"context"
	"encoding/json"
	"fmt"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
)

// withoutTriggers resolves images as if they had no ONBUILD triggers.
type withoutTriggers struct {
	buildkit.ImageMetaResolver
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (r withoutTriggers) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	ref, dgst, config, err := r.ImageMetaResolver.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return ref, dgst, config, err
	}
	// BuildKit's own type, so that no other field is lost.
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal(config, &img); err != nil {
		return "", "", nil, fmt.Errorf("reading the config of %s: %w", ref, err)
	}
	img.Config.OnBuild = nil
	config, err = json.Marshal(img)
	return ref, dgst, config, err
}
