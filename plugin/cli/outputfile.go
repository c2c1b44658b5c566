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

// OutputFiles are the files that a build exports archives to. Each is written
// beside its place and put there when the build is done, so that a part of an
// archive is never taken for one, and an earlier one stays if the build fails.
type OutputFiles struct {
	Folders []string // that the build exports to, and not as archives
	mu      sync.Mutex
	written []*outputFile
	ended   bool
}

// Divert has the exports of entries write to files aside.
func (o *OutputFiles) Divert(entries []*buildflags.ExportEntry, exports []client.ExportEntry) {
	for i, e := range entries {
		if exports[i].OutputDir != "" {
			o.Folders = append(o.Folders, exports[i].OutputDir)
		}
		if exports[i].Output == nil || e.Destination == "-" {
			continue
		}
		exports[i].Output = o.open(e.Destination, exports[i].Output)
	}
}

// open returns the function that opens the file at path, in a folder that is made if it
// is not there. It opens the file directly, as buildx does, where no file can take its place.
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

// End puts the files in their places if the build was done without an error, and
// removes them otherwise. It returns the error of the build, or its own.
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

// explain returns the error of a build. Where an output to a folder broke off,
// of which BuildKit says no more than that a stream ended, it finds out why.
func (o *OutputFiles) explain(err error) error {
	if err == nil || !strings.HasSuffix(err.Error(), ": EOF") {
		return err
	}
	for _, folder := range o.Folders {
		if reason := tryToWrite(folder); reason != nil {
			return fmt.Errorf("%w: writing to %s: %w", err, folder, reason)
		}
	}
	return err
}

// tryToWrite says why no file can be written to a folder, which may not be there yet,
// or returns nil.
func tryToWrite(folder string) error {
	switch err := os.Mkdir(folder, 0o700); {
	case err == nil:
		defer func() { _ = os.Remove(folder) }()
	case errors.Is(err, fs.ErrNotExist):
		return nil // it is another one that is not there
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	f, err := newOutputFile(filepath.Join(folder, "try"))
	if f == nil {
		return err
	}
	_, err = f.Write(make([]byte, 1<<16))
	return errors.Join(err, f.discard())
}

// outputFile is a file that is to be at path in the end.
type outputFile struct {
	file *os.File
	path string
	mode fs.FileMode // of the file that was there before, or 0
}

// newOutputFile creates a file beside path. It returns nil if what is at path has
// to be written itself: a device, a pipe, or a file in a folder that takes no
// other.
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
	// As os.Create does: the umask decides.
	f.file, err = os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil && there {
		return nil, nil
	}
	return f, f.named(err)
}

// maxLinks is how many links are followed: as many as filepath.EvalSymlinks follows.
const maxLinks = 255

// followLinks returns what a path leads to, and the path itself if it is no link. What
// a link leads to is replaced, and not the link. Other than for filepath.EvalSymlinks
// it may not be there yet.
func followLinks(path string) (string, error) {
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // it is no link, or nothing at all
		}
		if !filepath.IsAbs(target) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			target = filepath.Join(folder, target)
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

// Close ends the writing. It says nothing about whether all was written: see keep.
func (f *outputFile) Close() error { return f.named(f.file.Close()) }

// keep puts the file in its place.
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

// discard removes the file.
func (f *outputFile) discard() error {
	if err := f.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return f.named(err)
	}
	return os.Remove(f.file.Name())
}

// named returns an error of the file under the name that the user knows.
func (f *outputFile) named(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Path = f.path
	}
	return err
}

// WriteOutput writes to a file, which is then there whole or not at all, or to
// standard output.
func WriteOutput(out io.Writer, path string, data []byte) error {
	if path == "" || path == "-" {
		_, err := out.Write(data)
		return err
	}
	f, err := newOutputFile(path)
	if err != nil {
		return err
	}
	if f == nil { // a device or a pipe, which no file can take the place of
		return os.WriteFile(path, data, 0o666)
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.discard())
	}
	return f.keep()
}

func AbsolutePath(path string) string {
	if path == "" || path == "-" {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// resolved is the absolute path that a path leads to over links. What it leads to need
// not be there yet.
func ResolvePath(path string) string {
	if path == "" || path == "-" {
		return path
	}
	target, err := followLinks(AbsolutePath(path))
	if err != nil {
		return path // writing it fails, too
	}
	parent := filepath.Dir(target)
	if parent == target {
		return target
	}
	return filepath.Join(ResolvePath(parent), filepath.Base(target))
}
