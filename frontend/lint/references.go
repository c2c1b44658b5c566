package lint

import "github.com/stagebuild/stagebuild/frontend/plan"

// referenceRules are the rules about stages and references.
var referenceRules = []*Rule{
	{
		Name:        plan.NoVariant,
		Description: "A stage that is used must have a variant whose guard holds",
		Doc: `The target uses a stage, but no variant of the stage is selected for this platform and
these build args. Add a last variant without a guard, which always holds. If the stage is
not needed here, guard the instruction that refers to it.`,
		Bad:  "FROM --for=linux/arm64 scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=tools /a /\n",
		Good: "FROM --for=linux/arm64 scratch AS tools\nCOPY a /\nFROM scratch AS tools\nCOPY b /a\nFROM scratch\nCOPY --from=tools /a /\n",
	},
	{
		Name:        plan.DroppedTarget,
		Description: "The default target must not be dropped",
		Doc: `Without --target the last stage of the file is built, but its guard does not hold.
Choose a target, or give the stage a name and a variant whose guard holds.`,
		Bad:  "FROM scratch AS app\nCOPY a /\nFROM --for=linux/arm64 app\nCOPY b /\n",
		Good: "FROM scratch AS app\nCOPY a /\nFROM app\nCOPY --for=linux/arm64 b /\n",
	},
	{
		Name:        plan.DroppedStage,
		Description: "A stage that is referred to by number must not be dropped",
		Doc: `COPY --from=0 counts the stages as they are written, and the guard of this stage does
not hold. Refer to the stage by its name. In an ONBUILD trigger, the number must mean the
same stage whether or not dropped stages are counted.`,
		Bad:  "FROM --for=linux/arm64 scratch\nCOPY a /\nFROM scratch\nCOPY --from=0 /a /\n",
		Good: "FROM --for=linux/arm64 scratch AS tools\nCOPY a /\nFROM scratch AS tools\nCOPY b /a\nFROM scratch\nCOPY --from=tools /a /\n",
	},
	{
		Name:        plan.StageBelow,
		Description: "A reference must name a stage above",
		Doc: `As in a plain Dockerfile, a stage can only use stages above it. This is true for all
platforms. The name of a stage below is never used as an image. To use the image, write
its tag too: late:latest.`,
		Bad:  "FROM --for=linux scratch AS app\nCOPY --from=late /a /\nFROM scratch AS late\nCOPY a /\nFROM app\n",
		Good: "FROM scratch AS late\nCOPY a /\nFROM --for=linux scratch AS app\nCOPY --from=late /a /\nFROM app\n",
	},
	{
		Name:        plan.InvalidReference,
		Description: "A reference must name a stage or an image",
		Doc: `After its variables are expanded, a reference must be the name of a stage or an image,
with at most one platform after ::.`,
		Bad:  "ARG TOOLS=\"a b\"\nFROM scratch\nCOPY --from=$TOOLS /a /\n",
		Good: "ARG TOOLS=a-b\nFROM scratch AS a-b\nCOPY a /\nFROM scratch\nCOPY --from=$TOOLS /a /\n",
	},
	{
		Name:        plan.EmptyReference,
		Description: "A reference must not be empty",
		Doc: `The variables in the reference are declared, but they are empty for this platform and
these build args.`,
		Bad:  "ARG TOOLS\nFROM scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=$TOOLS /a /\n",
		Good: "ARG TOOLS\nFROM scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=${TOOLS:-tools} /a /\n",
	},
	{
		Name:        plan.UnknownStage,
		Description: "A reference must not be a misspelled stage name",
		Doc: `In a staged Dockerfile, a name that is similar to the name of a stage is never looked up
in a registry, where anybody can publish an image under that name. Names in --needs are
always names of stages.`,
		Bad:  "FROM --for=linux scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=toosl /a /\n",
		Good: "FROM --for=linux scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=tools /a /\n",
	},
	{
		Name:        plan.PlatformConflict,
		Description: "--platform must not differ from the platform of the base",
		Doc: `FROM name::PLATFORM gives the new stage the platform of its base, but --platform requests
another one.`,
		Bad:  "FROM scratch AS app\nCOPY a /\nFROM --platform=linux/arm64 app::linux/amd64\n",
		Good: "FROM scratch AS app\nCOPY a /\nFROM app::linux/amd64\n",
	},
}
