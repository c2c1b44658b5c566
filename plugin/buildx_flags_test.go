package plugin_test

import (
	"testing"

	"github.com/docker/buildx/commands"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stagebuild/stagebuild/plugin"
)

// notOurs are the flags of `docker buildx build` that ours does not have, each
// with the reason. Buildx shows none of them in its help.
var notOurs = map[string]string{
	"print":        "the former name of --call",
	"memory":       "the former way to write --resource=memory=",
	"memory-swap":  "the former way to write --resource=memory-swap=",
	"cpu-shares":   "the former way to write --resource=cpu-shares=",
	"cpu-period":   "the former way to write --resource=cpu-period=",
	"cpu-quota":    "the former way to write --resource=cpu-quota=",
	"cpuset-cpus":  "the former way to write --resource=cpuset-cpus=",
	"cpuset-mems":  "the former way to write --resource=cpuset-mems=",
	"compress":     "without effect: of the builder before BuildKit",
	"force-rm":     "without effect: of the builder before BuildKit",
	"isolation":    "without effect: of the builder before BuildKit",
	"rm":           "without effect: of the builder before BuildKit",
	"security-opt": "without effect: of the builder before BuildKit",
	"squash":       "without effect: of the builder before BuildKit",
}

// onlyOurs are the flags that `docker buildx build` does not have, each with the
// reason.
var onlyOurs = map[string]string{
	"stage":     "the language's word for --target",
	"fail-fast": "for several results, which buildx builds with bake",
	"frontend":  "who runs the frontend: with buildx it is always the daemon",
}

// TestFlagsAreBuildx holds the flags of the build command against those of the
// buildx that it is built with: a command line of one is one of the other.
func TestFlagsAreBuildx(t *testing.T) {
	// What defaults are made of.
	t.Setenv("BUILDX_BUILDER", "")
	t.Setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
	cli, err := command.NewDockerCli()
	if err != nil {
		t.Fatal(err)
	}
	theirs := buildFlags(t, commands.NewRootCmd("buildx", true, cli))
	ours := buildFlags(t, plugin.NewRootCommand("stagebuild", cli, nil))
	for name, want := range theirs {
		got := ours[name]
		switch _, known := notOurs[name]; {
		case got == nil && !known:
			t.Errorf("--%s of docker buildx build is missing: %s", name, want.Usage)
		case got != nil && known:
			t.Errorf("--%s is listed as missing, and is there", name)
		case got == nil && !want.Hidden:
			t.Errorf("--%s is missing, and buildx's help shows it", name)
		case got != nil:
			compareFlag(t, want, got)
		}
	}
	for name, got := range ours {
		if _, known := onlyOurs[name]; theirs[name] == nil && !known {
			t.Errorf("--%s is no flag of docker buildx build: %s", name, got.Usage)
		}
	}
	for name := range notOurs {
		if theirs[name] == nil {
			t.Errorf("--%s is listed as missing, and buildx has none either", name)
		}
	}
	for name := range onlyOurs {
		if ours[name] == nil {
			t.Errorf("--%s is listed as ours, and does not exist", name)
		}
	}
}

// buildFlags are the flags that a program's build command takes, those of all
// commands included.
func buildFlags(t *testing.T, root *cobra.Command) map[string]*pflag.Flag {
	t.Helper()
	cmd, _, err := root.Find([]string{"build"})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]*pflag.Flag{}
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = f })
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = f })
	return flags
}

// compareFlag compares what a command line depends on.
func compareFlag(t *testing.T, want, got *pflag.Flag) {
	t.Helper()
	for _, c := range []struct{ what, want, got string }{
		{"short form", want.Shorthand, got.Shorthand},
		{"default", want.DefValue, got.DefValue},
		{"value when it is given none", want.NoOptDefVal, got.NoOptDefVal},
	} {
		if c.want != c.got {
			t.Errorf("--%s: the %s is %q, with buildx %q", want.Name, c.what, c.got, c.want)
		}
	}
	_, manyWanted := want.Value.(pflag.SliceValue)
	_, many := got.Value.(pflag.SliceValue)
	if manyWanted && !many {
		t.Errorf("--%s is of type %s, with buildx %s, which takes several", want.Name, got.Value.Type(), want.Value.Type())
	}
}
