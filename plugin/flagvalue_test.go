package plugin

import (
	"strings"
	"testing"
)

func TestFrontendValue(t *testing.T) {
	for in, want := range map[string]frontendValue{
		"inprocess":           {},
		"image":               {image: true},
		"image=example/f:1":   {image: true, ref: "example/f:1"},
		"image=h/f@sha256:ab": {image: true, ref: "h/f@sha256:ab"},
	} {
		var v frontendValue
		if err := v.Set(in); err != nil || v != want {
			t.Errorf("Set(%q) = %+v, %v", in, v, err)
		}
		if v.String() != in {
			t.Errorf("Set(%q).String() = %q", in, v.String())
		}
	}
	for _, in := range []string{"", "image=", "inprocess=x", "gateway"} {
		var v frontendValue
		if err := v.Set(in); err == nil {
			t.Errorf("Set(%q): no error", in)
		}
	}
}

func TestStageValue(t *testing.T) {
	var v stageValue
	for _, s := range []string{"app", "app"} {
		if err := v.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	err := v.Set("other")
	if err == nil || !strings.Contains(err.Error(), `"app"`) {
		t.Errorf("a second stage: %v", err)
	}
	if v != "app" {
		t.Errorf("stage = %q", v)
	}
	if err := v.Set(""); err != nil || v != "app" {
		t.Errorf("an empty stage: %v, stage = %q", err, v)
	}
	var stages stagesValue
	if err := stages.Set(""); err != nil || len(stages.Patterns) > 0 {
		t.Errorf("empty stages: %v, %v", err, stages.Patterns)
	}
}
