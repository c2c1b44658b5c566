package inprocess

import "testing"

func TestServes(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for ref, want := range map[string]bool{
		"stagebuild/stagebuild":                       true,
		"stagebuild/stagebuild:1":                     true,
		"docker.io/stagebuild/stagebuild:1.2.3":       true,
		"registry.example:5000/stagebuild/stagebuild": true,
		"docker/dockerfile:1":                         true,
		"docker/dockerfile:1-labs":                    true,
		"docker.io/docker/dockerfile":                 true,

		"stagebuild/stagebuild:1" + digest:              false,
		"docker/dockerfile" + digest:                    false,
		"stagebuild/other:1":                            false,
		"registry.example/mirror/stagebuild/stagebuild": false,
		"registry.example/docker/dockerfile:1":          false,
		"docker/dockerfile-upstream:master":             false,
		"dockerfile":                                    false,
		"Not a reference":                               false,
		"":                                              false,
	} {
		if got := Serves(ref); got != want {
			t.Errorf("Serves(%q) = %v, want %v", ref, got, want)
		}
	}
}

func TestImage(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3":                               "stagebuild/stagebuild:1.2.3",
		"v1.2.3-rc.1":                          "stagebuild/stagebuild:1.2.3-rc.1",
		"v0.0.0-20260102030405-0123456789ab":   "stagebuild/stagebuild:1",
		"v1.2.4-0.20260102030405-0123456789ab": "stagebuild/stagebuild:1",
		"v1.2.3+dirty":                         "stagebuild/stagebuild:1",
		"(devel)":                              "stagebuild/stagebuild:1",
		"":                                     "stagebuild/stagebuild:1",
	} {
		if got := Image(version); got != want {
			t.Errorf("Image(%q) = %q, want %q", version, got, want)
		}
		if !Serves(Image(version)) {
			t.Errorf("Image(%q) is not a reference that is served in-process", version)
		}
	}
}
