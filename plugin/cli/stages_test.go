package cli

import (
	"strings"
	"testing"
)

func TestStageValue(t *testing.T) {
	var v StageValue
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
	var stages StagesValue
	if err := stages.Set(""); err != nil || len(stages.Patterns) > 0 {
		t.Errorf("empty stages: %v, %v", err, stages.Patterns)
	}
}
