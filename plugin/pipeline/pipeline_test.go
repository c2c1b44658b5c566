package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestWithoutTarget(t *testing.T) {
	cause := errors.New("exit code 3")
	other := fmt.Errorf("target api linux/amd64: %w", cause)
	wrapped := fmt.Errorf("failed to solve: %w", cause)
	foreign := fmt.Errorf("target other: %w", wrapped)
	for _, test := range []struct {
		name string
		err  error
		want error
	}{
		{"no error", nil, nil},
		{"no target", wrapped, wrapped},
		{"another target", foreign, foreign},
		{"this target", fmt.Errorf("target api linux/amd64: %w", wrapped), wrapped},
		{"an error that names the target", fmt.Errorf("target api linux/amd64: %w", other), other},
		{"canceled", fmt.Errorf("target api linux/amd64: %w", context.Canceled), context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := withoutTarget(test.err, "api linux/amd64")
			if got != test.want { //nolint:errorlint // it is the same error
				t.Errorf("withoutTarget(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}
