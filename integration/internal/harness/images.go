package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// baseImage is an image that the harness makes and serves under a name of Docker Hub.
type baseImage struct {
	contents string // "busybox" or "golang"
	tag      string // with {go} for 1.26.8 and {gominor} for 1.26
	// standIn is the reason why the image may differ from Docker Hub's image of
	// that name. It is "" for an image that does not differ in any tested way.
	standIn string
}

// baseImages returns all base images. No other name can be pulled, so an example with a
// wrong base fails.
func baseImages() []baseImage {
	const goAlpine = "tests use only the go command and the shell of Alpine's image: the same Go release, with busybox as its shell, as in Alpine; there is no apk"
	return []baseImage{
		{contents: "busybox", tag: "busybox:latest"},
		{contents: "golang", tag: "golang:latest"},
		{contents: "golang", tag: "golang:{go}"},
		{contents: "golang", tag: "golang:{gominor}"},
		{contents: "golang", tag: "golang:{gominor}-alpine", standIn: goAlpine},
		{contents: "golang", tag: "golang:alpine", standIn: goAlpine},
	}
}

// busyboxPath is the PATH of Docker Hub's busybox image.
const busyboxPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// makeImages makes the base images and pushes them under library/.
func makeImages(ctx context.Context, out io.Writer, r *Registry, platforms []string) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	busybox, err := busyboxIndex(ctx, out, cache, platforms)
	if err != nil {
		return fmt.Errorf("making busybox: %w", err)
	}
	golang, version, err := golangIndex(ctx, out, cache)
	if err != nil {
		return fmt.Errorf("making golang: %w", err)
	}
	minor := version[:strings.LastIndex(version, ".")]
	for _, img := range baseImages() {
		index := busybox
		if img.contents == "golang" {
			index = golang
		}
		tag := strings.NewReplacer("{go}", version, "{gominor}", minor).Replace(img.tag)
		if err := r.PushIndex(ctx, "library/"+tag, index); err != nil {
			return err
		}
	}
	return nil
}

// busyboxIndex makes the image of Debian's static busybox, with all its
// applets linked, for every platform.
func busyboxIndex(ctx context.Context, out io.Writer, cache string, platforms []string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range platforms {
		layer, err := busyboxLayer(ctx, out, cache, platform)
		if err != nil {
			return nil, err
		}
		index, err = appendImage(index, platform, v1.Config{Env: []string{"PATH=" + busyboxPath}, Cmd: []string{"sh"}}, layer)
		if err != nil {
			return nil, err
		}
	}
	return index, nil
}

func busyboxLayer(ctx context.Context, out io.Writer, cache, platform string) (*cachedLayer, error) {
	bin, err := busyboxBinary(ctx, out, cache, platform)
	if err != nil {
		return nil, err
	}
	// List the applets with the host's busybox, which is from the same package. The
	// busybox of another architecture cannot run here.
	host, err := busyboxBinary(ctx, out, cache, Platform())
	if err != nil {
		return nil, err
	}
	list, err := exec.CommandContext(ctx, host, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list: %w", host, err)
	}
	info, err := os.Stat(bin)
	if err != nil {
		return nil, err
	}
	key := []string{"1", platform, string(list), fmt.Sprint(info.Size(), info.ModTime().UnixNano())}
	return makeLayer(ctx, cache, "busybox-"+strings.ReplaceAll(platform, "/", "-"), key, func(t *tree) {
		t.dir("bin", 0o755)
		t.copyFile("bin/busybox", bin)
		for applet := range strings.FieldsSeq(string(list)) {
			if applet != "busybox" {
				t.symlink("bin/"+applet, "busybox")
			}
		}
		t.file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
		t.file("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")
		t.dir("root", 0o700)
		t.dir("tmp", 0o1777)
		t.dir("var/tmp", 0o1777)
	})
}

// golangIndex makes an image of the Go toolchain, for this machine's platform
// only, and returns Go's version ("1.26.8").
func golangIndex(ctx context.Context, out io.Writer, cache string) (v1.ImageIndex, string, error) {
	goroot, version, err := toolchain.GoRoot(ctx)
	if err != nil {
		return nil, "", err
	}
	base, err := busyboxLayer(ctx, out, cache, Platform())
	if err != nil {
		return nil, "", err
	}
	layer, err := makeLayer(ctx, cache, "golang-"+version, []string{"1", goroot, version, Platform()}, func(t *tree) {
		fmt.Fprintf(out, "packing Go %s for the golang image (once)\n", version)
		t.addTree("usr/local/go", goroot, isUnneeded)
		t.dir("go/src", 0o1777)
		t.dir("go/bin", 0o1777)
	})
	if err != nil {
		return nil, "", err
	}
	index, err := appendImage(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), Platform(), v1.Config{
		// As in Docker Hub's golang:alpine, where Go disables cgo because it finds no C
		// compiler.
		Env: []string{
			"PATH=/go/bin:/usr/local/go/bin:" + busyboxPath,
			"GOLANG_VERSION=" + version, "GOTOOLCHAIN=local", "GOPATH=/go",
		},
		WorkingDir: "/go",
		Cmd:        []string{"sh"},
	}, base, layer)
	return index, version, err
}

// isUnneeded reports whether no compilation reads a file or directory of GOROOT.
func isUnneeded(path string, dir bool) bool {
	if dir {
		switch path {
		case "api", "doc", "misc", "test":
			return true
		}
		return filepath.Base(path) == "testdata"
	}
	return strings.HasSuffix(path, "_test.go")
}

// appendImage adds the image of some layers to an index.
func appendImage(index v1.ImageIndex, platform string, config v1.Config, layers ...v1.Layer) (v1.ImageIndex, error) {
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: p.OS, OSVersion: p.OSVersion, Architecture: p.Architecture, Variant: p.Variant, Config: config,
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	img, err = mutate.AppendLayers(mutate.ConfigMediaType(img, types.OCIConfigJSON), layers...)
	if err != nil {
		return nil, err
	}
	return mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}}), nil
}
