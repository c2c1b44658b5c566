package frontend

import "testing"

func TestIsServedHere(t *testing.T) {
	const digest = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for ref, want := range map[string]bool{
		"stagebuild/stagebuild":                                 true,
		"stagebuild/stagebuild:1":                               true,
		"docker.io/stagebuild/stagebuild:1.2.3":                 true,
		"registry.example.com/stagebuild/stagebuild:1":          true,
		"registry.example.com:5000/stagebuild/stagebuild":       true,
		"localhost:5000/stagebuild/stagebuild:1":                true,
		"registry.example.com/team/stagebuild/stagebuild:1":     true,
		"registry.example.com/a/b/c/stagebuild/stagebuild:1":    true,
		"team/stagebuild/stagebuild":                            true,
		"ghcr.io/owner/stagebuild/stagebuild:1":                 true,
		"docker/dockerfile":                                     true,
		"docker/dockerfile:1.20-labs":                           true,
		"docker.io/docker/dockerfile:1":                         true,
		"stagebuild":                                            false,
		"library/stagebuild":                                    false,
		"docker.io/library/stagebuild:1":                        false,
		"stagebuild.example.com/stagebuild":                     false,
		"notstagebuild/stagebuild:1":                            false,
		"registry.example.com/notstagebuild/stagebuild:1":       false,
		"registry.example.com/stagebuild/notstagebuild:1":       false,
		"registry.example.com/stagebuild/stagebuild/next:1":     false,
		"registry.example.com/stagebuild-stagebuild:1":          false,
		"registry.example.com/docker/dockerfile:1":              false,
		"registry.example.com/team/docker/dockerfile:1":         false,
		"docker/dockerfile-upstream:master":                     false,
		"stagebuild/stagebuild" + digest:                        false,
		"registry.example.com/t/stagebuild/stagebuild" + digest: false,
		"docker/dockerfile:1" + digest:                          false,
		"Stagebuild/Stagebuild":                                 false, // not a valid reference
		"":                                                      false,
	} {
		t.Run(ref, func(t *testing.T) {
			if got := isServedHere(ref); got != want {
				t.Errorf("served here: %t, want %t", got, want)
			}
		})
	}
}
