package harness

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// TestImageBusybox reads busybox from an image, in a local registry instead of
// Docker Hub.
func TestImageBusybox(t *testing.T) {
	ctx := t.Context()
	dir, err := makeDir("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := startRegistry(ctx, filepath.Join(dir, "r"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(stopGrace); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}()
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	index, err := busyboxIndex(ctx, os.Stderr, cache, []string{"linux/amd64", "linux/arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.PushIndex(ctx, "library/busybox:stable", index); err != nil {
		t.Fatal(err)
	}
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		path := filepath.Join(t.TempDir(), "busybox")
		if err := imageBusybox(ctx, r.Ref("library/busybox:stable"), platform, path); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(cache, "debian", strings.TrimPrefix(platform, "linux/"), "busybox"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the busybox from the image is not the one that was put in", platform)
		}
	}
	if err := imageBusybox(ctx, r.Ref("library/none:1"), "linux/amd64", filepath.Join(t.TempDir(), "b")); err == nil {
		t.Error("busybox came out of an image that does not exist")
	}
}
