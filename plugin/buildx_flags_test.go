package plugin_test

import (
	"testing"

	"github.com/docker/buildx/commands"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stagebuild/stagebuild/plugin"
)

// notOurs has the flags of `docker buildx build` that the plugin omits, each with
// the reason. buildx hides all of them from its help.
var notOurs = map[string]string{
	"print":        "the former name of --call",
	"memory":       "the former way to write --resource=memory=",
	"memory-swap":  "the former way to write --resource=memory-swap=",
	"cpu-shares":   "the former way to write --resource=cpu-shares=",
	"cpu-period":   "the former way to write --resource=cpu-period=",
	"cpu-quota":    "the former way to write --resource=cpu-quota=",
	"cpuset-cpus":  "the former way to write --resource=cpuset-cpus=",
	"cpuset-mems":  "the former way to write --resource=cpuset-mems=",
	"compress":     "no effect: for the builder before BuildKit",
	"force-rm":     "no effect: for the builder before BuildKit",
	"isolation":    "no effect: for the builder before BuildKit",
	"rm":           "no effect: for the builder before BuildKit",
	"security-opt": "no effect: for the builder before BuildKit",
	"squash":       "no effect: for the builder before BuildKit",
}

// onlyOurs has the flags that the plugin adds to those of `docker buildx build`,
// each with the reason.
var onlyOurs = map[string]string{
	"stage":     "the language's word for --target",
	"fail-fast": "for several results, which buildx builds with bake",
	"frontend":  "where the frontend runs; with buildx it always runs on the daemon",
}

// TestFlagsAreBuildx compares the flags of the build command with those of the
// linked buildx, so that its command lines work with both.
func TestFlagsAreBuildx(t *testing.T) {
	// The defaults of some flags come from the environment.
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
			t.Errorf("--%s exists, but is listed in notOurs", name)
		case got == nil && !want.Hidden:
			t.Errorf("--%s is missing, but buildx's help shows it", name)
		case got != nil:
			compareFlag(t, want, got)
		}
	}
	for name, got := range ours {
		if _, known := onlyOurs[name]; theirs[name] == nil && !known {
			t.Errorf("--%s is not a flag of docker buildx build: %s", name, got.Usage)
		}
	}
	for name := range notOurs {
		if theirs[name] == nil {
			t.Errorf("--%s is listed in notOurs, but buildx does not have it", name)
		}
	}
	for name := range onlyOurs {
		if ours[name] == nil {
			t.Errorf("--%s is listed in onlyOurs, but does not exist", name)
		}
	}
}

// buildFlags returns the flags of a program's build command by name, with the
// flags that it inherits.
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

// compareFlag compares the properties of a flag that decide how a command line is
// parsed.
func compareFlag(t *testing.T, want, got *pflag.Flag) {
	t.Helper()
	for _, c := range []struct{ property, want, got string }{
		{"short form", want.Shorthand, got.Shorthand},
		{"default", want.DefValue, got.DefValue},
		{"value for a flag without one", want.NoOptDefVal, got.NoOptDefVal},
	} {
		if c.want != c.got {
			t.Errorf("--%s: the %s is %q, with buildx %q", want.Name, c.property, c.got, c.want)
		}
	}
	_, manyWanted := want.Value.(pflag.SliceValue)
	_, many := got.Value.(pflag.SliceValue)
	if manyWanted && !many {
		t.Errorf("--%s is of type %s, with buildx %s, which takes several", want.Name, got.Value.Type(), want.Value.Type())
	}
}
