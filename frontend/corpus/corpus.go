package corpus

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// Archive is a Dockerfile with expectations. The name of an expectation tells the test
// which output to compare.
type Archive struct {
	*txtar.Archive
	Path string
}

// Dockerfile returns the Dockerfile. The marks [crlf] and [bom] in the archive's comment
// give it CRLF line ends and a byte-order mark.
func (a Archive) Dockerfile() []byte {
	dockerfile := a.Files[0].Data
	if bytes.Contains(a.Comment, []byte("[crlf]")) {
		dockerfile = bytes.ReplaceAll(dockerfile, []byte("\n"), []byte("\r\n"))
	}
	if bytes.Contains(a.Comment, []byte("[bom]")) {
		dockerfile = append([]byte("\ufeff"), dockerfile...)
	}
	return dockerfile
}

// Expectations returns the archive's own list of expectations, which Run updates.
func (a Archive) Expectations() []txtar.File {
	return a.Files[1:]
}

// Archives returns the archives that match a pattern, sorted by path.
func Archives(t testing.TB, pattern string) []Archive {
	t.Helper()
	var archives []Archive
	for _, path := range Files(t, pattern) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, Archive{archive, path})
	}
	return archives
}

// Run compares each expectation of the archives that match a pattern with the output
// for its name. With -update it writes the output to the archive instead.
func Run(t *testing.T, pattern string, output func(t *testing.T, a Archive, name string) string) {
	for _, a := range Archives(t, pattern) {
		t.Run(strings.TrimSuffix(filepath.Base(a.Path), ".txtar"), func(t *testing.T) {
			for i, want := range a.Expectations() {
				got := output(t, a, want.Name)
				if *update {
					a.Expectations()[i].Data = []byte(got)
				} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", want.Name, diff)
				}
			}
			if *update {
				if err := os.WriteFile(a.Path, txtar.Format(a.Archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Files returns the paths that match a pattern. The test fails if there are none.
func Files(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

// Environment is the input of a plan beside the Dockerfile.
type Environment struct {
	// Build is the build platform, always linux/amd64.
	Build ocispecs.Platform
	// Platforms are the requested platforms.
	Platforms []ocispecs.Platform
	Args      map[string]string
	// Stage is the target, or "" for the default target.
	Stage string
	// Contexts has the names of the named contexts.
	Contexts map[string]bool
	// All is set if unreached stages are requested, too.
	All bool
}

// ParseEnvironment parses platforms, build args and options:
//
//	linux/amd64,linux/arm64 DEBUG=1 --target=app --context=base --all
func ParseEnvironment(t testing.TB, text string) Environment {
	t.Helper()
	env := Environment{Build: platforms.MustParse("linux/amd64"), Args: map[string]string{}, Contexts: map[string]bool{}}
	for word := range strings.FieldsSeq(text) {
		name, value, assigned := strings.Cut(word, "=")
		switch {
		case name == "--target":
			env.Stage = value
		case name == "--context":
			env.Contexts[value] = true
		case name == "--all":
			env.All = true
		case assigned:
			env.Args[name] = value
		default:
			var err error
			if env.Platforms, err = platforms.ParseAll(strings.Split(word, ",")); err != nil {
				t.Fatal(err)
			}
		}
	}
	return env
}

// File is a file of the BuildKit module.
type File struct {
	Path string
	Data []byte
}

// BuildKit returns the files of BuildKit's module that match a pattern, sorted by path.
func BuildKit(t testing.TB, pattern string) []File {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/moby/buildkit").Output()
	if err != nil {
		t.Fatalf("find BuildKit's module: %v", err)
	}
	var files []File
	for _, path := range Files(t, filepath.Join(strings.TrimSpace(string(out)), pattern)) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{path, data})
	}
	return files
}

// BuildKitDockerfiles returns the Dockerfiles of BuildKit's parser tests.
func BuildKitDockerfiles(t testing.TB) []File {
	t.Helper()
	files := BuildKit(t, "frontend/dockerfile/parser/testfile*/*/Dockerfile")
	return append(files, BuildKit(t, "frontend/dockerfile/parser/testfile-line/Dockerfile")...)
}
