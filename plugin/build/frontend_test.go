package build

import "testing"

func TestFrontendValue(t *testing.T) {
	for in, want := range map[string]frontendValue{
		"inprocess":           {},
		"image":               {image: true},
		"image=example/f:1":   {image: true, ref: "example/f:1"},
		"image=h/f@sha256:ab": {image: true, ref: "h/f@sha256:ab"},
	} {
		t.Run(in, func(t *testing.T) {
			var v frontendValue
			if err := v.Set(in); err != nil || v != want {
				t.Errorf("Set sets %+v, %v", v, err)
			}
			if v.String() != in {
				t.Errorf("String() = %q", v.String())
			}
		})
	}
	for _, in := range []string{"", "image=", "inprocess=x", "gateway"} {
		t.Run("invalid "+in, func(t *testing.T) {
			var v frontendValue
			if err := v.Set(in); err == nil {
				t.Error("no error")
			}
		})
	}
}
