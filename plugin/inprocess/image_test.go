package inprocess

import "testing"

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
		t.Run(version, func(t *testing.T) {
			if got := Image(version); got != want {
				t.Errorf("Image() = %q, want %q", got, want)
			}
		})
	}
}
