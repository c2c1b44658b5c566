package lint

import "github.com/stagebuild/stagebuild/frontend/plan"

// referenceRules are the rules of the stages that there are, and of what refers to
// them.
var referenceRules = []*Rule{
	{
		Name:        plan.NoVariant,
		Description: "A stage that is needed has a variant that holds",
		Doc: `What is built refers to a stage none of whose variants holds for the platform and
the build args. A last variant without a guard always holds. A guard on what refers
to the stage says that it is not needed.`,
		Bad:  "FROM --for=linux/arm64 scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=tools /a /\n",
		Good: "FROM --for=linux/arm64 scratch AS tools\nCOPY a /\nFROM scratch AS tools\nCOPY b /a\nFROM scratch\nCOPY --from=tools /a /\n",
	},
	{
		Name:        plan.DroppedTarget,
		Description: "The default target is there",
		Doc: `Without --target the last stage of the file is built, and its guard does not hold.
Name a target, or give the stage a name and a variant that holds.`,
		Bad:  "FROM scratch AS app\nCOPY a /\nFROM --for=linux/arm64 app\nCOPY b /\n",
		Good: "FROM scratch AS app\nCOPY a /\nFROM app\nCOPY --for=linux/arm64 b /\n",
	},
	{
		Name:        plan.DroppedStage,
		Description: "A stage that is counted is there",
		Doc: `COPY --from=0 counts the stages as they are written, and the guard of this one does
not hold. In a trigger, which is run elsewhere, the number has to be the same with
and without the stages that were dropped.`,
		Bad:  "FROM --for=linux/arm64 scratch\nCOPY a /\nFROM scratch\nCOPY --from=0 /a /\n",
		Good: "FROM --for=linux/arm64 scratch AS tools\nCOPY a /\nFROM scratch AS tools\nCOPY b /a\nFROM scratch\nCOPY --from=tools /a /\n",
	},
	{
		Name:        plan.StageBelow,
		Description: "A reference means a stage above",
		Doc: `A stage is made from stages that stand above it, as in any Dockerfile, on every
platform. A name of a stage below is never taken for an image. Where the image is
meant, say more than a stage's name can: late:latest.`,
		Bad:  "FROM --for=linux scratch AS app\nCOPY --from=late /a /\nFROM scratch AS late\nCOPY a /\nFROM app\n",
		Good: "FROM scratch AS late\nCOPY a /\nFROM --for=linux scratch AS app\nCOPY --from=late /a /\nFROM app\n",
	},
	{
		Name:        plan.InvalidReference,
		Description: "A reference names a stage or an image",
		Doc: `With its variables expanded, a reference is the name of a stage or of an image, with
at most one platform behind ::.`,
		Bad:  "ARG TOOLS=\"a b\"\nFROM scratch\nCOPY --from=$TOOLS /a /\n",
		Good: "ARG TOOLS=a-b\nFROM scratch AS a-b\nCOPY a /\nFROM scratch\nCOPY --from=$TOOLS /a /\n",
	},
	{
		Name:        plan.EmptyReference,
		Description: "A reference has a value",
		Doc: `The variables of the reference are declared and have no value on this platform, with
these build args.`,
		Bad:  "ARG TOOLS\nFROM scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=$TOOLS /a /\n",
		Good: "ARG TOOLS\nFROM scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=${TOOLS:-tools} /a /\n",
	},
	{
		Name:        plan.UnknownStage,
		Description: "A name that is almost a stage's is not taken for an image",
		Doc: `In a file that uses the language, a name that is a typo away from that of a stage is
never looked for in a registry, where anybody could have put an image of that name.
Names in --needs are always those of stages.`,
		Bad:  "FROM --for=linux scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=toosl /a /\n",
		Good: "FROM --for=linux scratch AS tools\nCOPY a /\nFROM scratch\nCOPY --from=tools /a /\n",
	},
	{
		Name:        plan.PlatformConflict,
		Description: "A stage that is FROM a stage for a platform has that platform",
		Doc: `FROM name::PLATFORM gives the new stage the platform of what it is made from, and
--platform asks for another one.`,
		Bad:  "FROM scratch AS app\nCOPY a /\nFROM --platform=linux/arm64 app::linux/amd64\n",
		Good: "FROM scratch AS app\nCOPY a /\nFROM app::linux/amd64\n",
	},
}
