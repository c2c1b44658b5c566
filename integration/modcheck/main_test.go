package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name, product, tools string
		want                 []string
	}{
		{"equal", "example.com/a v1.2.0", "example.com/a v1.2.0 // indirect", nil},
		{"not shared", "example.com/a v1.2.0", "example.com/b v1.3.0", nil},
		{"the tool's is lower", "example.com/a v1.10.0", "example.com/a v1.9.0", []string{
			"tools/go.mod: example.com/a is v1.9.0 here and v1.10.0 in go.mod: (cd tools && go get example.com/a@v1.10.0 && go mod tidy)",
		}},
		{"the product's is lower", "example.com/a v1.2.0", "example.com/a v1.2.1-0.20260101000000-0123456789ab", []string{
			"tools/go.mod: example.com/a is v1.2.1-0.20260101000000-0123456789ab here and v1.2.0 in go.mod: " +
				"(cd . && go get example.com/a@v1.2.1-0.20260101000000-0123456789ab && go mod tidy)",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for dir, require := range map[string]string{".": test.product, "tools": test.tools} {
				if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(root, dir, "go.mod"), []byte("module example.com/m\n\nrequire "+require+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := compare(root, ".", "tools")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("compare (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVersions compares the module files of this repository.
func TestVersions(t *testing.T) {
	lines, err := compare(filepath.Join("..", ".."), product, tools()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		t.Error(line)
	}
}
