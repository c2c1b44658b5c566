package main

import "testing"

func TestSlug(t *testing.T) {
	for _, test := range []struct{ title, want string }{
		{"Hello, World", "hello-world"},
		{"  buildkit 0.33  ", "buildkit-0-33"},
		{"straßen & brücken", "straßen-brücken"},
		{"already-a-slug", "already-a-slug"},
		{"?!", ""},
	} {
		if got := slug(test.title); got != test.want {
			t.Errorf("slug(%q) = %q, want %q", test.title, got, test.want)
		}
	}
}
