package integration

import (
	"slices"
	"strings"
	"testing"
)

// What rules find, one of BuildKit's and two of our own.
const (
	jsonArgs   = "JSONArgsRecommended"
	undeclared = "UndeclaredPlatform"
	misplaced  = "MisplacedDirective"
)

// checkDirective is a file with "# check=" at the top or above an instruction, what a
// build for linux/amd64 warns of, and whether it fails for that.
type checkDirective struct {
	name       string
	dockerfile string
	warned     []string
	fails      bool
}

// commands are those that build the file: with the frontend image, too, where a
// warning has to find its way to the client.
func (d checkDirective) commands() []string {
	if len(d.warned) == 0 {
		return []string{"docker-stagebuild"}
	}
	return []string{"docker-stagebuild", "docker-buildx"}
}

var directives = []checkDirective{
	{
		name:       "none",
		dockerfile: "# platforms=linux/arm64\nFROM busybox\nCMD --for=linux echo\n",
		warned:     []string{jsonArgs, undeclared},
	},
	{
		name:       "below platforms",
		dockerfile: "# platforms=linux/amd64\n# check=skip=all\nFROM busybox\nCMD --for=linux echo\n",
		warned:     []string{jsonArgs, misplaced},
	},
	{
		name:       "skip rules",
		dockerfile: "# check=skip=UndeclaredPlatform,JSONArgsRecommended\n# platforms=linux/arm64\nFROM busybox\nCMD --for=linux echo\n",
	},
	{
		name:       "skip all",
		dockerfile: "# check=skip=all;error=true\n# platforms=linux/arm64\nFROM busybox\nCMD --for=linux echo\n",
	},
	{
		name:       "error",
		dockerfile: "# check=error=true\nFROM busybox\nCMD --for=linux echo\n",
		warned:     []string{jsonArgs},
		fails:      true,
	},
	{
		name:       "error of our own",
		dockerfile: "# check=error=true\n# platforms=linux/arm64\nFROM busybox\n",
		warned:     []string{undeclared},
		fails:      true,
	},
	{
		name:       "error in a dropped instruction and in a dropped stage",
		dockerfile: "# check=error=true\nFROM --for=windows busybox AS Dropped\nCMD echo\nFROM busybox\nCMD --if=false echo\n",
	},
	{
		name: "skip above an instruction",
		dockerfile: "# check=error=true\nFROM busybox\n# check=skip=JSONArgsRecommended\nCMD --for=linux \\\n  echo\n" +
			"IF true\n# check=skip=JSONArgsRecommended\n  ENTRYPOINT echo\nENDIF\n",
	},
	{
		name:       "skip above a dropped instruction, which is not for the next one",
		dockerfile: "FROM busybox\n# check=skip=JSONArgsRecommended\nCMD --if=false echo\nENTRYPOINT echo\n",
		warned:     []string{jsonArgs},
	},
}

// TestCheckDirectives builds files with "# check=": what BuildKit warns of, and
// what we do, is skipped and made an error alike, and only where it is written.
func TestCheckDirectives(t *testing.T) {
	env, frontend := productEnv(t)
	for _, test := range directives {
		for _, command := range test.commands() {
			dir := request{dockerfile: test.dockerfile}.context(t, frontend)
			out, err := env.Run(t.Context(), command, "build", "--progress=plain", "--platform=linux/amd64", dir)
			if (err != nil) != test.fails {
				t.Errorf("%s: %s fails: %v, want %v:\n%s", test.name, command, err != nil, test.fails, out.Stderr)
			}
			var warned []string
			for _, rule := range []string{jsonArgs, undeclared, misplaced} {
				if strings.Contains(out.Stderr, " - "+rule+": ") {
					warned = append(warned, rule)
				}
			}
			if !slices.Equal(warned, test.warned) {
				t.Errorf("%s: %s warns of %v, want %v:\n%s", test.name, command, warned, test.warned, out.Stderr)
			}
			if wrong := "lint violation found for rules: " + strings.Join(test.warned, ", "); test.fails && !strings.Contains(out.Stderr, wrong) {
				t.Errorf("%s: %s does not say %q:\n%s", test.name, command, wrong, out.Stderr)
			}
		}
	}
}
