package harness

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/lockedfile"
)

// tree writes a reproducible layer: its bytes depend only on the added files and
// their order. It has USTAR headers without times and owners.
type tree struct {
	tw   *tar.Writer
	seen map[string]bool // directories written
	err  error           // the first error; later calls do nothing
}

func newTree(w io.Writer) *tree {
	return &tree{tw: tar.NewWriter(w), seen: map[string]bool{".": true}}
}

// dir adds a directory and its parents.
func (t *tree) dir(name string, mode fs.FileMode) {
	if t.seen[name] {
		return
	}
	t.parents(name)
	t.seen[name] = true
	t.header(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: int64(mode)}, nil)
}

// parents adds the directories above name.
func (t *tree) parents(name string) {
	if parent := filepath.ToSlash(filepath.Dir(name)); !t.seen[parent] {
		t.dir(parent, 0o755)
	}
}

// file adds a file with the given content.
func (t *tree) file(name string, mode fs.FileMode, content string) {
	t.parents(name)
	t.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: int64(len(content))}, strings.NewReader(content))
}

// symlink adds a symbolic link to target.
func (t *tree) symlink(name, target string) {
	t.parents(name)
	t.header(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

// copyFile adds a file of this machine. Of its mode it keeps only the executable bit.
func (t *tree) copyFile(name, src string) {
	if t.err != nil {
		return
	}
	f, err := os.Open(src)
	if err != nil {
		t.err = err
		return
	}
	info, err := f.Stat()
	if err == nil {
		t.parents(name)
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		t.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size()}, f)
	}
	t.err = errors.Join(t.err, err, f.Close())
}

func (t *tree) header(h tar.Header, content io.Reader) {
	if t.err != nil {
		return
	}
	h.Format = tar.FormatUSTAR
	h.ModTime = time.Unix(0, 0)
	if t.err = t.tw.WriteHeader(&h); t.err == nil && content != nil {
		_, t.err = io.Copy(t.tw, content)
	}
}

func (t *tree) close() error {
	if t.err != nil {
		return t.err
	}
	return t.tw.Close()
}

// cachedLayer is a gzipped layer in a file.
type cachedLayer struct {
	path string
	info layerInfo
}

type layerInfo struct {
	Digest, DiffID v1.Hash
	Size           int64 // bytes, compressed
}

var _ v1.Layer = (*cachedLayer)(nil)

// Digest is the hash of the compressed layer.
func (l *cachedLayer) Digest() (v1.Hash, error) { return l.info.Digest, nil }

// DiffID is the hash of the uncompressed layer.
func (l *cachedLayer) DiffID() (v1.Hash, error) { return l.info.DiffID, nil }

// Size is that of the compressed layer, in bytes.
func (l *cachedLayer) Size() (int64, error) { return l.info.Size, nil }

// MediaType is that of gzipped OCI layers.
func (l *cachedLayer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// Compressed opens the layer's file.
func (l *cachedLayer) Compressed() (io.ReadCloser, error) { return os.Open(l.path) }

// Uncompressed is not needed to push a layer whose hashes are known.
func (l *cachedLayer) Uncompressed() (io.ReadCloser, error) {
	return nil, fmt.Errorf("the layer %s is kept compressed", l.path)
}

// makeLayer returns the layer that fill writes. It calls fill once for each key, which
// must name everything that fill reads.
func makeLayer(ctx context.Context, cache, name string, key []string, fill func(*tree)) (*cachedLayer, error) {
	sum := sha256.Sum256([]byte(strings.Join(key, "\x00")))
	base := filepath.Join(cache, "layers", name+"-"+hex.EncodeToString(sum[:8]))
	l := &cachedLayer{path: base + ".tar.gz"}
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return nil, err
	}
	unlock, err := lockedfile.MutexAt(base + ".lock").Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if data, err := os.ReadFile(base + ".json"); err == nil {
		return l, json.Unmarshal(data, &l.info)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.info, err = writeLayer(l.path, fill); err != nil {
		return nil, fmt.Errorf("making the layer %s: %w", name, err)
	}
	data, err := json.Marshal(l.info)
	if err != nil {
		return nil, err
	}
	// Written last, because its presence means that the layer is complete.
	return l, os.WriteFile(base+".json", data, 0o644)
}

func writeLayer(path string, fill func(*tree)) (info layerInfo, err error) {
	f, err := os.Create(path)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	digest, diffID := sha256.New(), sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(f, digest), 1<<20)
	// Speed: the layer never leaves the machine.
	gz, err := gzip.NewWriterLevel(buf, gzip.BestSpeed)
	if err != nil {
		return info, err
	}
	t := newTree(io.MultiWriter(gz, diffID))
	fill(t)
	if err := errors.Join(t.close(), gz.Close(), buf.Flush()); err != nil {
		return info, err
	}
	st, err := f.Stat()
	if err != nil {
		return info, err
	}
	sha := func(b []byte) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(b)} }
	return layerInfo{Digest: sha(digest.Sum(nil)), DiffID: sha(diffID.Sum(nil)), Size: st.Size()}, nil
}

// addTree adds a directory of this machine below name, in the order of names, but
// leaves out the paths that skip reports. These are slash-separated, below src.
func (t *tree) addTree(name, src string, skip func(path string, dir bool) bool) {
	if t.err != nil {
		return
	}
	t.err = filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == src {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case skip(rel, d.IsDir()) && d.IsDir():
			return fs.SkipDir
		case skip(rel, d.IsDir()), !d.IsDir() && !d.Type().IsRegular():
			return nil
		case d.IsDir():
			t.dir(name+"/"+rel, 0o755)
		default:
			t.copyFile(name+"/"+rel, path)
		}
		return t.err
	})
}

// sortedKeys returns a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// filesLayer makes a small layer in memory.
func filesLayer(files map[string]File) (v1.Layer, error) {
	var buf bytes.Buffer
	t := newTree(&buf)
	for _, name := range sortedKeys(files) {
		f := files[name]
		mode := fs.FileMode(f.Mode)
		if mode == 0 {
			mode = 0o644
		}
		content := f.Content
		if f.Source != "" {
			data, err := os.ReadFile(f.Source)
			if err != nil {
				return nil, err
			}
			content = string(data)
		}
		t.file(name, mode, content)
	}
	if err := t.close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}
