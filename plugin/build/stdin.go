package build

import (
	"context"
	"fmt"
	"io"
	"os"
)

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
