package build

import (
	"strings"
	"testing"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/confutil"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"
)

// parse returns the request of the arguments of a build, in the environment env.
func parse(t *testing.T, env map[string]string, args ...string) (*request, error) {
	t.Helper()
	o := newOptions()
	o.contextPath = "."
	cmd := &cobra.Command{Use: "build"}
	o.addFlags(cmd, func(k string) string { return env[k] })
	if err := cmd.ParseFlags(args); err != nil {
		return nil, err
	}
	target, _ := o.stages.Name()
	return o.request(target, func(k string) (string, bool) {
		v, ok := env[k]
		return v, ok
	})
}

func TestRequest(t *testing.T) {
	linux := func(arch, variant string) ocispecs.Platform {
		return ocispecs.Platform{OS: "linux", Architecture: arch, Variant: variant}
	}
	export := func(typ string, attrs map[string]string) []client.ExportEntry {
		return []client.ExportEntry{{Type: typ, Attrs: attrs}}
	}
	for _, test := range []struct {
		args string
		env  map[string]string
		get  func(*request) any
		want any
	}{
		{"", nil, func(r *request) any { return r.build.Inputs.DockerfilePath }, ""},
		{"-f other", nil, func(r *request) any { return r.build.Inputs.DockerfilePath }, "other"},
		{"--stage app", nil, func(r *request) any { return r.build.Target }, "app"},
		{"--target app", nil, func(r *request) any { return r.build.Target }, "app"},
		{
			"--platform linux/amd64,linux/arm --platform linux/arm64", nil,
			func(r *request) any { return r.build.Platforms },
			[]ocispecs.Platform{linux("amd64", ""), linux("arm", "v7"), linux("arm64", "")},
		},
		{
			"", map[string]string{"DOCKER_DEFAULT_PLATFORM": "linux/s390x"},
			func(r *request) any { return r.platforms },
			[]ocispecs.Platform{linux("s390x", "")},
		},
		{
			"--build-arg A=1 --build-arg B --build-arg C --build-arg D=", map[string]string{"B": "from env"},
			func(r *request) any { return r.build.BuildArgs },
			map[string]string{"A": "1", "B": "from env", "D": ""},
		},
		{
			"", map[string]string{"SOURCE_DATE_EPOCH": "7"},
			func(r *request) any { return r.build.BuildArgs },
			map[string]string{"SOURCE_DATE_EPOCH": "7"},
		},
		{
			"--build-arg SOURCE_DATE_EPOCH=8", map[string]string{"SOURCE_DATE_EPOCH": "7"},
			func(r *request) any { return r.build.BuildArgs },
			map[string]string{"SOURCE_DATE_EPOCH": "8"},
		},
		{
			"--frontend image=example/f:1", nil,
			func(r *request) any { return r.build.BuildArgs },
			map[string]string{"BUILDKIT_SYNTAX": "example/f:1"},
		},
		{
			"--label a=b --label c", map[string]string{"c": "no environment here"},
			func(r *request) any { return r.build.Labels },
			map[string]string{"a": "b", "c": ""},
		},
		{
			"--build-context base=docker-image://debian:12", nil,
			func(r *request) any { return r.build.Inputs.NamedContexts },
			map[string]build.NamedContext{"base": {Path: "docker-image://debian:12"}},
		},
		{
			"--push", nil, func(r *request) any { return r.build.Exports },
			export("image", map[string]string{"push": "true", "unpack": "false"}),
		},
		{
			"--push -o type=image,name=n,unpack=true", nil, func(r *request) any { return r.build.Exports },
			export("image", map[string]string{"name": "n", "push": "true", "unpack": "true"}),
		},
		{
			"--load --annotation k=v", nil, func(r *request) any { return r.build.Exports },
			export("docker", map[string]string{"annotation.k": "v"}),
		},
		{
			"-o type=registry,name=n --annotation index:k=v", nil, func(r *request) any { return r.build.Exports },
			export("image", map[string]string{"name": "n", "push": "true", "unpack": "false", "annotation-index.k": "v"}),
		},
		{
			"--provenance mode=max --sbom true", nil,
			func(r *request) any { return *r.build.Attests["provenance"] + "|" + *r.build.Attests["sbom"] },
			"type=provenance,mode=max|type=sbom",
		},
		{
			"--cache-from user/app:cache --cache-to type=inline", nil,
			func(r *request) any { return append(r.build.CacheFrom, r.build.CacheTo...) },
			[]client.CacheOptionsEntry{
				{Type: "registry", Attrs: map[string]string{"ref": "user/app:cache"}},
				{Type: "inline", Attrs: map[string]string{}},
			},
		},
		{"--check", nil, func(r *request) any { return *r.build.CallFunc }, build.CallFunc{Name: "lint"}},
		{"--call outline,format=json", nil, func(r *request) any { return *r.build.CallFunc }, build.CallFunc{Name: "outline", Format: "json"}},
		{"--call build", nil, func(r *request) any { return r.build.CallFunc == nil }, true},
		{"--check=false", nil, func(r *request) any { return r.build.CallFunc == nil }, true},
		{"", nil, func(r *request) any { return r.build.ProvenanceResponseMode }, confutil.MetadataProvenanceModeDisabled},
		{"--metadata-file m", nil, func(r *request) any { return r.build.ProvenanceResponseMode }, confutil.MetadataProvenanceModeMin},
		{"--secret id=s,env=TOKEN", nil, func(r *request) any { return r.secrets[0].Env }, "TOKEN"},
		{"--ssh default", nil, func(r *request) any { return r.ssh[0].ID }, "default"},
		{"--shm-size 64m", nil, func(r *request) any { return r.build.ShmSize.Value() }, int64(64 << 20)},
		{"--network none --add-host a:1.2.3.4,b:5.6.7.8", nil, func(r *request) any {
			return append(r.build.ExtraHosts, r.build.NetworkMode)
		}, []string{"a:1.2.3.4", "b:5.6.7.8", "none"}},
		{"--allow network.host", nil, func(r *request) any { return r.build.Allow }, []string{"network.host"}},
		{"--resource memory=64m", nil, func(r *request) any { return r.build.ResourceLimits.Memory.Value() }, int64(64 << 20)},
	} {
		t.Run(test.args, func(t *testing.T) {
			req, err := parse(t, test.env, strings.Fields(test.args)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, test.get(req)); diff != "" {
				t.Errorf("with %v (-want +got):\n%s", test.env, diff)
			}
		})
	}
}

func TestDisplay(t *testing.T) {
	for _, test := range []struct {
		args     string
		variable string // BUILDKIT_PROGRESS
		display  progressui.DisplayMode
		printID  bool
	}{
		{"", "", progressui.AutoMode, false},
		{"--progress plain", "", progressui.PlainMode, false},
		{"--progress rawjson", "", progressui.RawJSONMode, false},
		{"--progress none", "", progressui.QuietMode, false},
		{"--progress quiet", "", progressui.QuietMode, true},
		{"-q", "", progressui.QuietMode, true},
		{"-q --progress quiet", "", progressui.QuietMode, true},
		{"", "rawjson", progressui.RawJSONMode, false},
		{"", "none", progressui.QuietMode, false},
		{"--progress tty", "rawjson", progressui.TtyMode, false},
		{"-q", "plain", progressui.QuietMode, true},
	} {
		t.Run(test.args+" "+test.variable, func(t *testing.T) {
			req, err := parse(t, map[string]string{"BUILDKIT_PROGRESS": test.variable}, strings.Fields(test.args)...)
			if err != nil {
				t.Fatal(err)
			}
			if req.display != test.display || req.printID != test.printID {
				t.Errorf("%q, %v", req.display, req.printID)
			}
		})
	}
	if _, err := parse(t, map[string]string{"BUILDKIT_PROGRESS": "loud"}); err == nil || !strings.HasPrefix(err.Error(), "invalid BUILDKIT_PROGRESS=loud:") {
		t.Errorf("BUILDKIT_PROGRESS=loud: %v", err)
	}
}

func TestRequestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--platform linux/":                                "--platform",
		"--progress loud":                                  "--progress=loud",
		"--progress plain -q":                              "cannot be used together",
		"--no-cache --no-cache-filter a":                   "cannot be used together",
		"--build-arg =hunter2":                             "--build-arg: the name before the value is missing",
		"--label =x":                                       "--label: the name before the value is missing",
		"--output dest=x,type":                             "--output",
		"--output type=tar,dest=. --push":                  "--output",
		"--iidfile id --output type=local,dest=out":        "--iidfile",
		"--secret id=a,nonsense=b":                         "--secret",
		"--annotation novalue":                             "--annotation",
		"--resource memory":                                "--resource",
		"--call a,b":                                       "--call",
		"--frontend neither":                               `"inprocess"`,
		"--frontend image=a --build-arg BUILDKIT_SYNTAX=b": "different frontends",
	} {
		t.Run(args, func(t *testing.T) {
			_, err := parse(t, nil, strings.Fields(args)...)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not contain %q", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the value is in the error: %s", err)
			}
		})
	}
}
