package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/docker/buildx/util/buildflags"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/session/filesync"
)

// OutputFiles are the files of the archives that a build exports. Each is written to a
// temporary file in the same directory, which replaces the file when the build succeeds. A
// failed build leaves no partial archive, and keeps the earlier one.
type OutputFiles struct {
	Directories []string // the directories that the build exports files to
	mu          sync.Mutex
	written     []*outputFile
	ended       bool
}

// Divert makes the exports of entries write to temporary files.
func (o *OutputFiles) Divert(entries []*buildflags.ExportEntry, exports []client.ExportEntry) {
	for i, e := range entries {
		if exports[i].OutputDir != "" {
			o.Directories = append(o.Directories, exports[i].OutputDir)
		}
		if exports[i].Output == nil || e.Destination == "-" {
			continue
		}
		exports[i].Output = o.open(e.Destination, exports[i].Output)
	}
}

// open returns a function that creates the temporary file for path, and its directory if
// necessary. If the file at path cannot be replaced, the function calls directly, which opens
// the file as buildx does.
func (o *OutputFiles) open(path string, directly filesync.FileOutputFunc) filesync.FileOutputFunc {
	return func(md map[string]string) (io.WriteCloser, error) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		f, err := newOutputFile(path)
		if err != nil {
			return nil, err
		}
		if f == nil {
			return directly(md)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.ended {
			return nil, errors.Join(errors.New("the build has ended"), f.discard())
		}
		o.written = append(o.written, f)
		return f, nil
	}
}

// End moves the temporary files into place if err is nil, and removes them otherwise. It
// returns err, the error of the build, or its own error.
func (o *OutputFiles) End(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	for _, f := range o.written {
		if err == nil {
			err = f.keep()
		} else if failed := f.discard(); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	return o.explain(err)
}

// explain adds the reason to the error of a build if an export to a directory failed.
// BuildKit's error only shows that a stream ended.
func (o *OutputFiles) explain(err error) error {
	if err == nil || !strings.HasSuffix(err.Error(), ": EOF") {
		return err
	}
	for _, dir := range o.Directories {
		if reason := tryToWrite(dir); reason != nil {
			return fmt.Errorf("%w: writing to %s: %w", err, dir, reason)
		}
	}
	return err
}

// tryToWrite returns the error of writing a file to a directory, which need not exist.
func tryToWrite(dir string) error {
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		defer func() { _ = os.Remove(dir) }()
	case errors.Is(err, fs.ErrNotExist):
		return nil // the build creates missing parents
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	f, err := newOutputFile(filepath.Join(dir, "try"))
	if f == nil {
		return err
	}
	_, err = f.Write(make([]byte, 1<<16))
	return errors.Join(err, f.discard())
}

// outputFile is a temporary file that replaces the file at path.
type outputFile struct {
	file *os.File
	path string
	mode fs.FileMode // of the existing file, or 0
}

// newOutputFile creates a temporary file in the directory of path. It returns nil if path
// must be written in place: a device, a pipe, or a file in a read-only directory.
func newOutputFile(path string) (*outputFile, error) {
	f := &outputFile{}
	info, err := os.Stat(path)
	there := err == nil
	switch {
	case there && !info.Mode().IsRegular():
		return nil, nil
	case there:
		f.mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if f.path, err = followLinks(path); err != nil {
		return nil, err
	}
	aside := filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+"."+identity.NewID()+".tmp")
	// os.Create uses the same mode, which the umask limits.
	f.file, err = os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil && there {
		return nil, nil
	}
	return f, f.named(err)
}

// maxLinks is the number of links that filepath.EvalSymlinks follows.
const maxLinks = 255

// followLinks returns the target of a link, or path itself if it is no link, so that an
// output replaces the target and not the link. Unlike for filepath.EvalSymlinks, the target
// need not exist.
func followLinks(path string) (string, error) {
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // it is no link, or nothing at all
		}
		if !filepath.IsAbs(target) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return "", &fs.PathError{Op: "open", Path: path, Err: errors.New("too many links")}
}

// Write appends p.
func (f *outputFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	return n, f.named(err)
}

// Close closes the temporary file. Only keep reports whether the file is complete.
func (f *outputFile) Close() error { return f.named(f.file.Close()) }

// keep moves the temporary file into place.
func (f *outputFile) keep() error {
	err := f.file.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	if err == nil && f.mode != 0 {
		err = os.Chmod(f.file.Name(), f.mode)
	}
	if err == nil {
		err = os.Rename(f.file.Name(), f.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", f.path, err), f.discard())
	}
	return nil
}

// discard removes the temporary file.
func (f *outputFile) discard() error {
	if err := f.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return f.named(err)
	}
	return os.Remove(f.file.Name())
}

// named replaces the name of the temporary file in an error with path.
func (f *outputFile) named(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Path = f.path
	}
	return err
}

// WriteOutput writes data to a file atomically, or to out if path is "" or "-".
func WriteOutput(out io.Writer, path string, data []byte) error {
	if path == "" || path == "-" {
		_, err := out.Write(data)
		return err
	}
	f, err := newOutputFile(path)
	if err != nil {
		return err
	}
	if f == nil { // a device or a pipe cannot be replaced
		return os.WriteFile(path, data, 0o666)
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.discard())
	}
	return f.keep()
}

// AbsolutePath returns the absolute form of path. It keeps "" and "-", which is standard
// output.
func AbsolutePath(path string) string {
	if path == "" || path == "-" {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// ResolvePath returns the absolute path with links resolved. The file need not exist.
func ResolvePath(path string) string {
	if path == "" || path == "-" {
		return path
	}
	target, err := followLinks(AbsolutePath(path))
	if err != nil {
		return path // writing to it fails too
	}
	parent := filepath.Dir(target)
	if parent == target {
		return target
	}
	return filepath.Join(ResolvePath(parent), filepath.Base(target))
}
