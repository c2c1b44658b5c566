//go:build unix

package offline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadFile reads files that are links, and files of other kinds.
func TestReadFile(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("TOKEN=x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real"), []byte("FROM scratch\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "large"), bytes.Repeat([]byte("#"), maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"inside": "real", "twice": "inside", "outside": outside, "environ": "/proc/self/environ", "dangling": "nothing"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	const ofLink = "is a link to a file outside of its directory, or to none; name the file itself"
	for _, test := range []struct{ name, want string }{
		{"real", ""}, {"inside", ""}, {"twice", ""},
		{"outside", ofLink}, {"environ", ofLink}, {"dangling", ofLink},
		{"pipe", "is not a regular file"}, {"directory", "is not a regular file"},
		{"large", "the file is larger than 16 MiB"},
		{"missing", "no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(dir, test.name)
			data, err := ReadFile(path)
			switch {
			case test.want == "" && (err != nil || string(data) != "FROM scratch\n"):
				t.Errorf("read %q, error %v", data, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path)):
				t.Errorf("error %v, want %s: %s", err, path, test.want)
			case strings.Contains(string(data), "TOKEN"):
				t.Errorf("read %q", data)
			}
		})
	}
	if _, err := ReadAll(strings.NewReader(strings.Repeat("#", maxSize+1))); err == nil {
		t.Error("a file of any size is read")
	}
}
