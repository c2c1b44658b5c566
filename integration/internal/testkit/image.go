package testkit

import (
	"slices"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// Attestations returns the type and predicate of each attestation of an image.
func Attestations(img harness.Image) []string {
	var list []string
	for _, a := range img.Attestations {
		list = append(list, a.PredicateType+" "+string(a.Predicate))
	}
	return list
}

// WantFile checks a file of one platform's image.
func WantFile(t *testing.T, res *harness.Result, platform, path, want string) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	got, err := img.ReadFile(path)
	if err != nil {
		t.Error(err)
	} else if string(got) != want {
		t.Errorf("%s: /%s is %q, want %q", platform, path, got, want)
	}
}

// WantFiles checks which of the given files one platform's image contains.
func WantFiles(t *testing.T, res *harness.Result, platform string, want map[string]bool) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	files, err := img.Files()
	if err != nil {
		t.Fatal(err)
	}
	for path, exists := range want {
		if slices.Contains(files, path) != exists {
			t.Errorf("%s: /%s exists: %v, want %v", platform, path, !exists, exists)
		}
	}
}

// WantEnv checks an environment variable of one platform's image, "" if it must be unset.
func WantEnv(t *testing.T, res *harness.Result, platform, name, want string) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Env(name); got != want {
		t.Errorf("%s: %s is %q, want %q", platform, name, got, want)
	}
}

// FileContents returns the files of an image.
func FileContents(t *testing.T, img harness.Image) map[string]string {
	t.Helper()
	names, err := img.Files()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range names {
		data, err := img.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

// ReadImage reads the image of one platform from the registry.
func ReadImage(t *testing.T, env *harness.Env, repo, platform string) harness.Image {
	t.Helper()
	res, err := env.Registry.Read(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
