package lint

import (
	"strings"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// structureRules are the rules of flags, heredocs, variants and of the comment that
// declares platforms.
var structureRules = []*Rule{
	{
		Name:        syntax.UnknownFlag,
		Description: "A flag exists",
		Doc: `Neither BuildKit nor the language has the flag, and it is almost one of the language.
In a file that uses the language this is also said where BuildKit would look at no flags,
on ARG for example: a guard would be gone without a word.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --iff=DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        syntax.EmptyGuard,
		Description: "A flag of the language has a value",
		Doc: `An empty --for, --if or --needs says nothing. Where it comes from a template that
fills in nothing, leave the flag out.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if= a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        syntax.DuplicateGuard,
		Description: "An instruction has each guard once",
		Doc: `Of two flags it would not be plain whether both have to hold, or one. --for takes a
list of patterns of which one has to match, --if combines conditions with && and
||. --for and --if together have to hold both.`,
		Bad:  "FROM scratch\nCOPY --for=linux --for=windows a /\n",
		Good: "FROM scratch\nCOPY --for=linux,windows a /\n",
	},
	{
		Name:        syntax.UnterminatedQuote,
		Description: "A quote in a flag is closed",
		Doc: `Flags are unquoted as BuildKit does it: either quote, and inside it the escape
character takes the next one as it is. Without its end, the quote takes in the
rest of the instruction.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG' a /\n",
	},
	{
		Name:        syntax.UnterminatedHeredoc,
		Description: "A heredoc ends",
		Doc: `A heredoc ends with a line that holds its name alone, without blanks around it;
with <<- tabs may stand before it. Otherwise the rest of the file is taken in.`,
		Bad:  "FROM scratch\nCOPY --for=linux <<EOF /motd\nWelcome\n EOF\n",
		Good: "FROM scratch\nCOPY --for=linux <<EOF /motd\nWelcome\nEOF\n",
	},
	{
		Name:        syntax.GuardInTrigger,
		Description: "The trigger of an ONBUILD has no guard",
		Doc: `The trigger is stored in the image and runs in a build of somebody else, perhaps
with another frontend. A guard on the ONBUILD itself decides, in this build, whether
the image has the trigger.`,
		Bad:  "ARG DEBUG\nFROM scratch\nONBUILD COPY --if=DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nONBUILD --if=DEBUG COPY a /\n",
	},
	{
		Name:        syntax.NeedsOutsideFrom,
		Description: "--needs stands on FROM",
		Doc: `What is needed is needed by a stage: its result is handed over when the needed
stages have been built.`,
		Bad:  "FROM scratch AS test\nCOPY a /\nFROM scratch\nCOPY --needs=test a /\n",
		Good: "FROM scratch AS test\nCOPY a /\nFROM --needs=test scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.EmptyNeed,
		Description: "The list of --needs has no empty names",
		Doc:         `Names are separated by single commas. White space around a name does not count.`,
		Bad:         "FROM scratch AS test\nCOPY a /\nFROM --needs=test, scratch\n",
		Good:        "FROM scratch AS test\nCOPY a /\nFROM --needs=test scratch\n",
	},
	{
		Name:        syntax.InvalidPlatforms,
		Description: "The platforms that a file declares are written out",
		Doc: `"# platforms=" lists platforms, not patterns: each has an operating system and an
architecture that exist.`,
		Bad:  "# platforms=linux\nFROM scratch\nCOPY a /\n",
		Good: "# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.DuplicatePlatforms,
		Description: "A file declares its platforms once",
		Doc:         `Of two lists it would not be plain whether the second adds to the first or replaces it.`,
		Bad:         "# platforms=linux/amd64\n# platforms=linux/arm64\nFROM scratch\nCOPY a /\n",
		Good:        "# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.MisplacedDirective,
		Description: "Directives stand above the declared platforms",
		Doc: `This is a warning. BuildKit reads "# syntax=", "# escape=" and "# check=" at the top of
the file, up to the first line that is none of them. "# platforms=" is such a line, so that
what stands below it is a comment: an escape character stays what it was, and rules are
skipped for the next instruction alone. With an empty line between them, that is taken to
be meant.`,
		Bad:  "# platforms=linux/amd64\n# check=skip=all\nFROM scratch\nCOPY a /\n",
		Good: "# check=skip=all\n# platforms=linux/amd64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        plan.UndeclaredPlatform,
		Description: "A file is built for platforms that it declares",
		Doc: `This is a warning. "# platforms=" lists what the file is made for, and it is built
for another one: checks have not looked at it there. The check rule of the same name
finds guards that match no declared platform.`,
		Bad:  "# platforms=linux/arm64\nFROM scratch\nCOPY a /\n",
		Good: "# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.UnreachableVariant,
		Description: "A variant without a guard is the last of its name",
		Doc: `Of the stages of one name the first whose guard holds is taken. One without a guard
always holds, so that none below it could be.`,
		Bad:  "FROM scratch AS base\nFROM --for=linux/arm64 busybox AS base\nFROM base\n",
		Good: "FROM --for=linux/arm64 busybox AS base\nFROM scratch AS base\nFROM base\n",
	},
}

// blockRules are the rules of IF, ELSE and ENDIF.
var blockRules = []*Rule{
	{
		Name:        syntax.UnknownInstruction,
		Description: "A keyword exists",
		Doc: `The lines of a block are IF, ELSE IF, ELSE and ENDIF. What almost is one, or would be
one in another language, is taken for it, so that nothing else is said of the block.
Other instructions that do not exist are refused by BuildKit.`,
		Bad:  "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELIF TARGETARCH == \"arm64\"\n  COPY b /\nENDIF\n",
		Good: "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELSE IF TARGETARCH == \"arm64\"\n  COPY b /\nENDIF\n",
	},
	{
		Name:        syntax.BlockWithoutEnd,
		Description: "Every IF has an ENDIF",
		Doc: `A block goes on to its ENDIF, over any number of ELSE IF and an ELSE. Blocks inside it
have their own.`,
		Bad:  "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\n",
		Good: "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nENDIF\n",
	},
	{
		Name:        syntax.BlockWithoutIf,
		Description: "ELSE and ENDIF belong to an IF",
		Doc:         `There is no IF above whose block is still open here.`,
		Bad:         "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\nENDIF\n",
		Good:        "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nENDIF\n",
	},
	{
		Name:        syntax.BlockOrder,
		Description: "ELSE is the last branch of a block",
		Doc:         `ELSE holds when no branch above it does, so that one below it never could.`,
		Bad:         "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELSE\n  COPY b /\nELSE IF TARGETARCH == \"arm64\"\n  COPY c /\nENDIF\n",
		Good:        "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELSE IF TARGETARCH == \"arm64\"\n  COPY c /\nELSE\n  COPY b /\nENDIF\n",
	},
	{
		Name:        syntax.BlockSyntax,
		Description: "IF and ELSE IF have a condition, ELSE and ENDIF have none",
		Doc: `The condition is the rest of the line, with its continuation lines, as it is written.
White space stands before it.`,
		Bad:  "ARG DEBUG\nFROM scratch\nIF\n  COPY a /\nENDIF\n",
		Good: "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nENDIF\n",
	},
	{
		Name:        syntax.BlockTooDeep,
		Description: "Blocks nest at most 32 deep",
		Doc:         `Combine the conditions of blocks that stand directly in each other.`,
		Bad:         "ARG DEBUG\nFROM scratch\n" + strings.Repeat("IF DEBUG\n", 33) + "COPY a /\n" + strings.Repeat("ENDIF\n", 33),
		Good:        "ARG DEBUG\nFROM scratch\nIF DEBUG && TARGETOS == \"linux\"\nCOPY a /\nENDIF\n",
	},
	{
		Name:        syntax.MixedBlock,
		Description: "The branches of a block hold one kind of thing",
		Doc: `A block holds instructions of the stage that it stands in, ARGs before the first
FROM, or whole stages, and then each of its branches begins with a FROM.`,
		Bad:  "ARG DEBUG\nFROM scratch AS app\nIF DEBUG\n  COPY a /\n  FROM scratch AS debug\nENDIF\n",
		Good: "ARG DEBUG\nFROM scratch AS app\nIF DEBUG\n  COPY a /\nENDIF\nFROM scratch AS debug\n",
	},
	{
		Name:        syntax.InstructionInVoid,
		Description: "What follows a block of stages is a stage",
		Doc: `The stages of the block ended with it, so that an instruction below would belong to
one of them or to none, as it happens.`,
		Bad:  "ARG DEBUG\nIF DEBUG\n  FROM busybox AS base\nELSE\n  FROM scratch AS base\nENDIF\nCOPY a /\n",
		Good: "ARG DEBUG\nIF DEBUG\n  FROM busybox AS base\nELSE\n  FROM scratch AS base\nENDIF\nFROM base\nCOPY a /\n",
	},
}
