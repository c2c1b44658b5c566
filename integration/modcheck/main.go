// Command modcheck compares the versions of the module files whose programs
// share compiled packages: those of the product with those of the tools that
// the tests and the demo run. A package is compiled once for both only if its
// module, and those of all its imports, have the same version in both.
//
//	go run ./integration/modcheck
package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// product is the directory of the product's module file.
const product = "."

// tools returns the directories of the module files that are compared with the
// product's. The engine and the linters are apart: they pin older or newer
// dependencies than the product can have.
func tools() []string { return []string{"tools", "tools/docs"} }

func main() {
	lines, err := compare(".", product, tools()...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "modcheck:", err)
		os.Exit(2)
	}
	for _, line := range lines {
		fmt.Fprintln(os.Stderr, line)
	}
	if len(lines) > 0 {
		os.Exit(1)
	}
}

// compare returns one line for each module that two of the module files below
// root require at different versions, with the command that raises the lower.
func compare(root, product string, others ...string) ([]string, error) {
	want, err := readVersions(root, product)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, dir := range others {
		mod, err := read(root, dir)
		if err != nil {
			return nil, err
		}
		for _, r := range mod.Require {
			here, ok := want[r.Mod.Path]
			if !ok || here == r.Mod.Version {
				continue
			}
			lower, version := dir, here
			if semver.Compare(here, r.Mod.Version) < 0 {
				lower, version = product, r.Mod.Version
			}
			lines = append(lines, fmt.Sprintf("%s: %s is %s here and %s in %s: (cd %s && go get %s@%s && go mod tidy)",
				path.Join(dir, "go.mod"), r.Mod.Path, r.Mod.Version, here, path.Join(product, "go.mod"), lower, r.Mod.Path, version))
		}
	}
	return lines, nil
}

// readVersions returns the versions that the module file in dir requires, by
// module.
func readVersions(root, dir string) (map[string]string, error) {
	mod, err := read(root, dir)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, r := range mod.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions, nil
}

// read parses the module file in dir.
func read(root, dir string) (*modfile.File, error) {
	name := filepath.Join(root, filepath.FromSlash(dir), "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return modfile.Parse(name, data, nil)
}
