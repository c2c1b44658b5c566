package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/buildflags"
	"github.com/google/go-cmp/cmp"
)

// TestOutputFiles writes an output file as an exporter does, and ends the build.
func TestOutputFiles(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		// before and after are the files of the directory.
		before, after map[string]string
		dest          string
		err           error
	}{
		{"a new file", nil, map[string]string{"a.tar": "new"}, "a.tar", nil},
		{"a new file, and the build fails", nil, map[string]string{}, "a.tar", broken},
		{"a new file, and the build is interrupted", nil, map[string]string{}, "a.tar", context.Canceled},
		{"another file", map[string]string{"a.tar": "old"}, map[string]string{"a.tar": "new"}, "a.tar", nil},
		{"another file, and the build fails", map[string]string{"a.tar": "old"}, map[string]string{"a.tar": "old"}, "a.tar", broken},
		{"a link", map[string]string{"a.tar": "old", "link": "-> a.tar"}, map[string]string{"a.tar": "new", "link": "-> a.tar"}, "link", nil},
		{"a link to a link to a missing file", map[string]string{"link": "-> other", "other": "-> a.tar"}, map[string]string{"link": "-> other", "other": "-> a.tar", "a.tar": "new"}, "link", nil},
		{"a link to a missing file, and the build fails", map[string]string{"link": "-> a.tar"}, map[string]string{"link": "-> a.tar"}, "link", broken},
		{"a device", map[string]string{"null": "-> " + os.DevNull}, map[string]string{"null": "-> " + os.DevNull}, "null", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, content := range test.before {
				makeFile(t, name, content)
			}
			var files OutputFiles
			entries := []*buildflags.ExportEntry{{Type: "tar", Destination: test.dest}}
			exports, _, err := build.CreateExports(entries)
			if err != nil {
				t.Fatal(err)
			}
			files.Divert(entries, exports)
			w, err := exports[0].Output(nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("new")); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := files.End(test.err); !errors.Is(err, test.err) {
				t.Errorf("End(%v) = %v", test.err, err)
			}
			if diff := cmp.Diff(test.after, readFiles(t)); diff != "" {
				t.Error("files (-want +got):\n" + diff)
			}
		})
	}
}

// makeFile creates a file in the current directory, or a link for "-> TARGET".
func makeFile(t *testing.T, name, content string) {
	t.Helper()
	var err error
	if len(content) > 3 && content[:3] == "-> " {
		err = os.Symlink(content[3:], name)
	} else {
		err = os.WriteFile(name, []byte(content), 0o640)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readFiles returns the files of the current directory, with links as for makeFile.
func readFiles(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(e.Name())
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = "-> " + target
			continue
		}
		data, err := os.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func TestOutputFileKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := newOutputFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.keep(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestOutputFileErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := newOutputFile("absent/a.tar"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "open absent/a.tar: no such file or directory" {
		t.Errorf("in a missing directory: %v", err)
	}
	makeFile(t, "link", "-> absent/a.tar")
	if _, err := newOutputFile("link"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "absent/a.tar") {
		t.Errorf("behind a link, in a missing directory: %v", err)
	}
	makeFile(t, "loop", "-> loop")
	if _, err := newOutputFile("loop"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link to itself: %v", err)
	}
	var files OutputFiles
	if err := files.End(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := files.open("a.tar", nil)(nil); err == nil {
		t.Error("a file is opened after the end of the build")
	}
	if diff := cmp.Diff(map[string]string{"link": "-> absent/a.tar", "loop": "-> loop"}, readFiles(t)); diff != "" {
		t.Error("files (-want +got):\n" + diff)
	}
}

// TestBrokenExportIsExplained explains the error of an export to a directory, and leaves no
// files.
func TestBrokenExportIsExplained(t *testing.T) {
	broken := errors.New("failed to send stat bin/nl: EOF")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for export, want := range map[string]error{
		filepath.Join(file, "out"):           syscall.ENOTDIR,
		filepath.Join(dir, "out"):            nil,
		filepath.Join(dir, "missing", "out"): nil,
		dir:                                  nil,
	} {
		t.Run(export, func(t *testing.T) {
			err := (&OutputFiles{Directories: []string{export}}).explain(broken)
			if !errors.Is(err, broken) || want != nil && !errors.Is(err, want) || want == nil && err.Error() != broken.Error() {
				t.Errorf("%v, want %v", err, want)
			}
		})
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has the files %v, %v", entries, err)
	}
}
