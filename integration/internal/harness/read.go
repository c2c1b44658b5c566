package harness

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Result is the pushed or exported result of a build.
type Result struct {
	// Digest is the digest of the index, or of the only manifest.
	Digest v1.Hash
	// Index is true if the result is an index: a build for several platforms,
	// or one with attestations.
	Index bool
	// Images holds the image of each platform, sorted by platform.
	Images []Image
}

// Image is the image of one platform.
type Image struct {
	// Platform is "linux/arm64", from the image's own config.
	Platform string
	Digest   v1.Hash
	Config   v1.ConfigFile
	// Layers holds the digests of the layers as pushed, lowest first.
	Layers []v1.Hash
	// Size is the download size in bytes: the config and the compressed layers.
	Size int64
	// Attestations are BuildKit's statements about the image, in the order of
	// its attestation manifest.
	Attestations []Attestation

	image v1.Image
}

// Attestation is one in-toto statement about an image.
type Attestation struct {
	// PredicateType is a URL, "https://spdx.dev/Document" for an SBOM.
	PredicateType string
	// Subjects are the digests of the images that the statement is about.
	Subjects []v1.Hash
	// Predicate is the statement's content, in JSON.
	Predicate json.RawMessage
}

// Platforms lists the platforms of the result.
func (r *Result) Platforms() []string {
	var platforms []string
	for _, img := range r.Images {
		platforms = append(platforms, img.Platform)
	}
	return platforms
}

// Image returns the image of a platform.
func (r *Result) Image(platform string) (Image, error) {
	for _, img := range r.Images {
		if img.Platform == platform {
			return img, nil
		}
	}
	return Image{}, fmt.Errorf("no image for %s; the platforms are %s", platform, strings.Join(r.Platforms(), ", "))
}

// Read reads "repository:tag" or "repository@digest" from the registry.
func (r *Registry) Read(ctx context.Context, repo string) (*Result, error) {
	ref, err := r.parse(repo)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(ref, remote.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", repo, err)
	}
	res := &Result{Digest: desc.Digest, Index: desc.MediaType.IsIndex()}
	if res.Index {
		index, err := desc.ImageIndex()
		if err != nil {
			return nil, err
		}
		return res, res.addIndex(index)
	}
	img, err := desc.Image()
	if err != nil {
		return nil, err
	}
	return res, res.addImage(img)
}

// ReadOCI reads the output of the oci exporter: an OCI layout in a directory or a
// tar file. It unpacks a tar file below dir.
func ReadOCI(file, dir string) (*Result, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		out := filepath.Join(dir, filepath.Base(file)+".oci")
		if err := unpackTar(file, out); err != nil {
			return nil, fmt.Errorf("unpacking %s: %w", file, err)
		}
		file = out
	}
	index, err := layout.ImageIndexFromPath(file)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s: index.json lists %d results, want 1", file, len(manifest.Manifests))
	}
	top := manifest.Manifests[0]
	res := &Result{Digest: top.Digest, Index: top.MediaType.IsIndex()}
	return res, res.addDescriptor(index, top)
}

func (r *Result) addIndex(index v1.ImageIndex) error {
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, desc := range manifest.Manifests {
		if err := r.addDescriptor(index, desc); err != nil {
			return err
		}
	}
	// An attestation manifest may come before its image.
	for _, desc := range manifest.Manifests {
		if isAttestation(desc) {
			if err := r.attest(index, desc); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(r.Images, func(a, b Image) int { return strings.Compare(a.Platform, b.Platform) })
	return nil
}

func (r *Result) addDescriptor(parent v1.ImageIndex, desc v1.Descriptor) error {
	switch {
	case isAttestation(desc):
		return nil
	case desc.MediaType.IsIndex():
		index, err := parent.ImageIndex(desc.Digest)
		if err != nil {
			return err
		}
		return r.addIndex(index)
	}
	img, err := parent.Image(desc.Digest)
	if err != nil {
		return err
	}
	return r.addImage(img)
}

// isAttestation reports whether a manifest holds attestations of another manifest
// in the index (BuildKit's docs/attestations/attestation-storage.md).
func isAttestation(desc v1.Descriptor) bool {
	return desc.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// attest reads an attestation manifest into its image.
func (r *Result) attest(index v1.ImageIndex, desc v1.Descriptor) error {
	subject := desc.Annotations["vnd.docker.reference.digest"]
	i := slices.IndexFunc(r.Images, func(img Image) bool { return img.Digest.String() == subject })
	if i < 0 {
		return fmt.Errorf("the attestation manifest %s refers to %q, which is not an image of the index", desc.Digest, subject)
	}
	manifest, err := index.Image(desc.Digest)
	if err != nil {
		return err
	}
	layers, err := manifest.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		statement, err := readStatement(layer)
		if err != nil {
			return fmt.Errorf("the attestation manifest %s: %w", desc.Digest, err)
		}
		r.Images[i].Attestations = append(r.Images[i].Attestations, statement)
	}
	return nil
}

func readStatement(layer v1.Layer) (Attestation, error) {
	rc, err := layer.Compressed() // as it is stored, which for a statement is plain JSON
	if err != nil {
		return Attestation{}, err
	}
	defer func() { _ = rc.Close() }() // only read
	var statement struct {
		PredicateType string
		Subject       []struct{ Digest map[string]string }
		Predicate     json.RawMessage
	}
	if err := json.NewDecoder(rc).Decode(&statement); err != nil {
		return Attestation{}, err
	}
	a := Attestation{PredicateType: statement.PredicateType, Predicate: statement.Predicate}
	for _, subject := range statement.Subject {
		for algorithm, hex := range subject.Digest {
			a.Subjects = append(a.Subjects, v1.Hash{Algorithm: algorithm, Hex: hex})
		}
	}
	return a, nil
}

func (r *Result) addImage(image v1.Image) error {
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	platform := config.Platform()
	platform.OSVersion = "" // Windows has one
	img := Image{Platform: platform.String(), Digest: digest, Config: *config, Size: manifest.Config.Size, image: image}
	for _, layer := range manifest.Layers {
		img.Layers = append(img.Layers, layer.Digest)
		img.Size += layer.Size
	}
	r.Images = append(r.Images, img)
	return nil
}

// Env returns the value of an environment variable of the image, "" if unset.
func (img Image) Env(name string) string {
	for _, kv := range img.Config.Config.Env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

// errStop ends a walk early.
var errStop = errors.New("stop")

// ReadFile returns a file from the uppermost layer that has it. It does not follow links.
// The error about a missing file wraps [fs.ErrNotExist].
func (img Image) ReadFile(file string) ([]byte, error) {
	want := strings.Trim(path.Clean(file), "/")
	var data []byte
	err := img.walk(func(h *tar.Header, content io.Reader) error {
		if strings.Trim(path.Clean(h.Name), "/") != want || h.Typeflag != tar.TypeReg {
			return nil
		}
		var err error
		if data, err = io.ReadAll(content); err != nil {
			return err
		}
		return errStop
	})
	switch {
	case errors.Is(err, errStop):
		return data, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%s image: /%s: %w", img.Platform, want, fs.ErrNotExist)
}

// Files lists the regular files of the image, without a leading slash, sorted.
func (img Image) Files() ([]string, error) {
	var files []string
	err := img.walk(func(h *tar.Header, _ io.Reader) error {
		if h.Typeflag == tar.TypeReg {
			files = append(files, strings.Trim(path.Clean(h.Name), "/"))
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// walk visits the files of the merged layers.
func (img Image) walk(visit func(*tar.Header, io.Reader) error) error {
	rc := mutate.Extract(img.image)
	defer func() { _ = rc.Close() }() // ends the writing side; its error is Next's
	tr := tar.NewReader(rc)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(h, tr)
		}
		if err != nil {
			return err
		}
	}
}

func unpackTar(file, dir string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	tr := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		dst := filepath.Join(dir, filepath.FromSlash(path.Clean("/"+h.Name)))
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
			return err
		}
		content, err := io.ReadAll(tr)
		if err == nil {
			err = os.WriteFile(dst, content, 0o644)
		}
		if err != nil {
			return err
		}
	}
}
