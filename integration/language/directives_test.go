package language

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// Rules that warn, one of BuildKit and two of stagebuild.
const (
	jsonArgs   = "JSONArgsRecommended"
	undeclared = "UndeclaredPlatform"
	misplaced  = "MisplacedDirective"
)

// checkDirective is a file with a "# check=" directive, with the warnings of a build for
// linux/amd64 and whether it fails because of them.
type checkDirective struct {
	name       string
	dockerfile string
	warned     []string
	fails      bool
}

// commands returns the programs that build the file. Warnings are also tested with the
// frontend image, which has to send them to the client.
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
		name:       "error of a stagebuild rule",
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
		name:       "skip above a dropped instruction does not apply to the next one",
		dockerfile: "FROM busybox\n# check=skip=JSONArgsRecommended\nCMD --if=false echo\nENTRYPOINT echo\n",
		warned:     []string{jsonArgs},
	},
}

// TestCheckDirectives builds files with "# check=" directives, which skip the warnings of
// BuildKit and of stagebuild or turn them into errors, where the directive applies.
func TestCheckDirectives(t *testing.T) {
	env, frontend := suite.Product(t)
	for _, test := range directives {
		for _, command := range test.commands() {
			t.Run(test.name+" "+command, func(t *testing.T) {
				dir := testkit.Request{Dockerfile: test.dockerfile}.WriteContext(t, frontend)
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
					t.Errorf("%s: %s does not contain %q:\n%s", test.name, command, wrong, out.Stderr)
				}
			})
		}
	}
}
