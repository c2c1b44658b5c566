package plugin

import (
	"slices"
	"testing"
)

func TestCompletePlatforms(t *testing.T) {
	all, _ := completePlatforms(nil, nil, "")
	if !slices.Contains(all, "linux/amd64") || !slices.Contains(all, "linux/arm64") {
		t.Errorf("platforms: %v", all)
	}
	next, _ := completePlatforms(nil, nil, "linux/amd64,linux/a")
	if !slices.Contains(next, "linux/amd64,linux/arm64") {
		t.Errorf("after a comma: %v", next)
	}
	if slices.Contains(next, "linux/amd64,linux/amd64") {
		t.Errorf("a platform that was given is offered again: %v", next)
	}
}
