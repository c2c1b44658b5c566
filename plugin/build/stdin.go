package build

import (
	"context"
	"fmt"
	"io"
	"os"
)

// stdin is standard input for several readers.
type stdin struct {
	in   io.Reader
	file *os.File // holds the input after spool
	left bool     // set if the file can only be removed after it is closed
}

func newStdin(in io.Reader) *stdin {
	return &stdin{in: in}
}

// spool copies standard input to a temporary file if used is set. The file is removed at
// once and stays readable, so that it is not left behind however the program ends. On
// Windows, close removes it.
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
