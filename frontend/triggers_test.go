package frontend_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend"
)

// TestFilesRunNoTriggers checks that copying from an image for a platform does not run the
// triggers of the image.
func TestFilesRunNoTriggers(t *testing.T) {
	g, got := build(t, frontend.Build, []byte("FROM scratch\nCOPY --from=trigger::linux/arm64 /a /a\n"), nil)
	if got.Error != "" || len(g.definitions) != 1 {
		t.Fatalf("%d definitions, error: %s", len(g.definitions), got.Error)
	}
	if strings.Contains(g.definitions[0], "made") {
		t.Error("the build runs the triggers of an image that it only copies from")
	}
	if diff := cmp.Diff(map[string]int{"docker.io/library/trigger:latest linux/arm64": 1}, g.configs); diff != "" {
		t.Errorf("requests for image configs (-want +got):\n%s", diff)
	}
}

// triggerTests are staged Dockerfiles FROM an image with the trigger COPY --from=tools /a /b.
var triggerTests = []struct {
	name       string
	opts       map[string]string
	dockerfile string
	err        string
	built      string // a part of the definitions
	configs    map[string]int
}{
	{
		name:       "a variant, with a stage for another platform",
		dockerfile: "FROM --for=windows never AS tools\nFROM scratch AS tools\nCOPY --from=busybox::linux/arm64 /x /a\nFROM trigger\n",
		built:      "docker-image://docker.io/library/busybox",
		configs: map[string]int{
			"docker.io/library/busybox:latest linux/arm64": 1,
			"docker.io/library/trigger:latest linux/amd64": 1,
		},
	},
	{
		name:       "a stage that needs another one",
		dockerfile: "FROM busybox AS lint\nFROM --needs=lint scratch AS tools\nCOPY a /a\nFROM trigger\n",
		built:      "docker-image://docker.io/library/busybox",
		configs: map[string]int{
			"docker.io/library/busybox:latest linux/amd64": 1,
			"docker.io/library/trigger:latest linux/amd64": 1,
		},
	},
	{
		name:       "a trigger of the file, with a stage for another platform and an unreached stage",
		dockerfile: "FROM busybox AS x\nFROM scratch AS tools\nCOPY --from=x::linux/arm64 /x /a\nFROM never AS never\nRUN never\nFROM scratch AS base\nONBUILD COPY --from=tools /a /b\nFROM base\n",
		built:      "docker-image://docker.io/library/busybox",
		configs:    map[string]int{"docker.io/library/busybox:latest linux/arm64": 1},
	},
	{
		name:       "no variant",
		opts:       map[string]string{"platform": "linux/amd64,linux/arm64"},
		dockerfile: "FROM --for=linux/amd64 busybox AS tools\nFROM --platform=$BUILDPLATFORM trigger AS app\nFROM app\n",
		err: `Dockerfile:2:32: in the trigger "ONBUILD COPY --from=tools /a /b" of the base image: stage "tools" has no variant for linux/arm64:
  line 1: --for=linux/amd64 does not match linux/arm64
add a variant whose guard holds, or one without a guard below the others: FROM … AS tools`,
		configs: map[string]int{"docker.io/library/trigger:latest linux/amd64": 1},
	},
	{
		name:       "an invalid reference",
		dockerfile: "FROM scratch AS tools\nARG EMPTY\nCOPY --from=$EMPTY / /\nFROM trigger::linux/arm64\n",
		err:        `Dockerfile:3:13: COPY --from=$EMPTY is empty for linux/amd64; set EMPTY with ARG EMPTY=… or --build-arg EMPTY=…, or write ${EMPTY:-STAGE}`,
		configs:    map[string]int{"docker.io/library/trigger:latest linux/arm64": 1},
	},
	{
		name:       "a named context that replaces the stage",
		opts:       map[string]string{"context:tools": "docker-image://busybox"},
		dockerfile: "FROM --for=windows never AS tools\nCOPY --from=never / /\nFROM trigger\n",
		built:      "docker-image://docker.io/library/busybox",
		configs: map[string]int{
			"docker.io/library/busybox:latest linux/amd64": 1,
			"docker.io/library/trigger:latest linux/amd64": 1,
		},
	},
	{
		name:       "a named context that replaces the image",
		opts:       map[string]string{"context:base": "docker-image://trigger"},
		dockerfile: "FROM --for=windows never AS tools\nFROM base\n",
		err: `Dockerfile:2:6: in the trigger "ONBUILD COPY --from=tools /a /b" of the base image: stage "tools" has no variant for linux/amd64:
  line 1: --for=windows does not match linux/amd64
add a variant whose guard holds, or one without a guard below the others: FROM … AS tools`,
		configs: map[string]int{"docker.io/library/trigger:latest linux/amd64": 1},
	},
}

// TestImageTriggers checks builds FROM images whose triggers name stages of the file: the
// stages are built, and are not looked up as images.
func TestImageTriggers(t *testing.T) {
	for _, tt := range triggerTests {
		t.Run(tt.name, func(t *testing.T) {
			g, got := build(t, frontend.Build, []byte(tt.dockerfile), tt.opts)
			if diff := cmp.Diff(tt.err, got.Error); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.configs, g.configs); diff != "" {
				t.Errorf("requests for image configs (-want +got):\n%s", diff)
			}
			built := strings.Join(g.definitions, "\n")
			if !strings.Contains(built, tt.built) {
				t.Errorf("%s is not built", tt.built)
			}
			if strings.Contains(built, "docker-image://stagebuild.invalid") {
				t.Error("a cross-platform input is looked up in a registry")
			}
		})
	}
}
