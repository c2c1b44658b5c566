package offline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/defaults"
)

// maxSize is the maximum size of a file, in bytes: that of a message in which BuildKit
// hands a file to a frontend (containerd's DefaultMaxRecvMsgSize).
const maxSize = defaults.DefaultMaxRecvMsgSize

// ReadFile reads a Dockerfile or an ignore file as a builder gets it: a regular file of at
// most 16 MiB. A link must not lead out of its directory.
func ReadFile(name string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.Unwrap(err)}
	}
	defer root.Close() //nolint:errcheck // nothing was written
	base := filepath.Base(name)
	if info, err := root.Lstat(base); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if _, err := root.Stat(base); err != nil {
			return nil, fmt.Errorf("%s is a link to a file outside of its directory, or to none; name the file itself", name)
		}
	}
	// Opening a named pipe would wait for its other end.
	info, err := root.Stat(base)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.Unwrap(err)}
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file; pass a Dockerfile that is none on standard input, with -", name)
	}
	f, err := root.Open(base)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	data, err := ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// ReadAll reads a file up to its maximum size.
func ReadAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(data) > maxSize {
		return nil, fmt.Errorf("the file is larger than %d MiB", maxSize>>20)
	}
	return data, err
}
