package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// debianEngine returns the programs of Debian 12's Docker Engine. It does not install the
// packages, because that would start the engine.
func (e *Env) debianEngine(ctx context.Context) (*programs, error) {
	// Also the libraries that a small installation lacks.
	root, err := debianPrograms(ctx, e.log, "docker-20.10",
		"docker.io=20.10*", "containerd", "runc", "tini", "libdevmapper1.02.1", "libseccomp2")
	if lacksPackage(err) {
		return nil, &UnavailableError{"this system has no package of Docker Engine 20.10; Debian 12 has"}
	}
	if err != nil {
		return nil, err
	}
	var libs []string
	for _, dir := range []string{"lib", "usr/lib"} {
		found, err := filepath.Glob(filepath.Join(root, dir, "*-linux-gnu*"))
		if err != nil {
			return nil, err
		}
		libs = append(libs, found...)
	}
	sbin := filepath.Join(root, "usr", "sbin")
	path := []string{sbin, filepath.Join(root, "usr", "bin")}
	missing, err := missingCapabilities()
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		dir := filepath.Join(e.Dir, "runc")
		if err := writeRunc(dir, filepath.Join(sbin, "runc"), missing); err != nil {
			return nil, err
		}
		path = append([]string{dir}, path...)
	}
	return &programs{bin: sbin, env: []string{
		pathVar(path...),
		"LD_LIBRARY_PATH=" + strings.Join(libs, string(os.PathListSeparator)),
	}}, nil
}

// writeRunc writes to dir a script called runc, which drops some capabilities. Engine 20.10
// gives a privileged container all capabilities that exist, which fails if root has
// fewer; newer engines give it root's.
func writeRunc(dir, runc string, without []string) error {
	var edits []string
	for _, name := range without {
		for _, text := range []string{`,"` + name + `"`, `"` + name + `",`, `"` + name + `"`} {
			edits = append(edits, "s/"+text+"//g")
		}
	}
	script := fmt.Sprintf(`#!/bin/sh
edit() { sed -i '%s' "$1"; }
for arg; do
	case $before in
	--bundle) edit "$arg/config.json" ;;
	--process) edit "$arg" ;;
	esac
	before=$arg
done
exec '%s' "$@"
`, strings.Join(edits, ";"), runc)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "runc"), []byte(script), 0o755)
}

// debianInit returns the path of docker-init, the first process of containers that are
// created with --init, such as those of docker-container builders.
func debianInit(ctx context.Context, out io.Writer) (string, error) {
	root, err := debianPrograms(ctx, out, "tini", "tini")
	if lacksPackage(err) {
		err = &UnavailableError{"an engine needs tini, a package of Debian, and this system has no such package"}
	}
	return filepath.Join(root, "usr", "bin", "tini-static"), err
}

// lacksPackage reports whether err means that apt is missing, or does not know a
// package or its version. Other errors, such as those of the network, are failures.
func lacksPackage(err error) bool {
	return err != nil && (errors.Is(err, exec.ErrNotFound) ||
		strings.Contains(err.Error(), "was not found") || strings.Contains(err.Error(), "Unable to locate package"))
}
