package lint

import (
	"strings"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// structureRules are the rules about flags, heredocs, variants and "# platforms=".
var structureRules = []*Rule{
	{
		Name:        syntax.UnknownFlag,
		Description: "An instruction must not have an unknown flag",
		Doc: `Neither BuildKit nor stagebuild has the flag, but its name is similar to a flag of
stagebuild. In a staged Dockerfile, the error is also reported on instructions such as
ARG, where BuildKit does not parse flags and would ignore a misspelled guard.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --iff=DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        syntax.EmptyGuard,
		Description: "The flags --for, --if and --needs must have a value",
		Doc: `If a script generates the Dockerfile and the value can be empty, leave out the whole flag
in that case.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if= a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        syntax.DuplicateGuard,
		Description: "An instruction must not have the same guard twice",
		Doc: `It would be unclear whether both flags must hold or only one. In --for, list several
patterns: one of them must match. In --if, combine conditions with && or ||. If an
instruction has both --for and --if, both must hold.`,
		Bad:  "FROM scratch\nCOPY --for=linux --for=windows a /\n",
		Good: "FROM scratch\nCOPY --for=linux,windows a /\n",
	},
	{
		Name:        syntax.UnterminatedQuote,
		Description: "A quote in a flag must be closed",
		Doc: `Flags are unquoted as in BuildKit: a value can have single or double quotes, and inside
them the escape character escapes the next character. A quote that is not closed
includes the rest of the instruction.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG' a /\n",
	},
	{
		Name:        syntax.UnterminatedHeredoc,
		Description: "A heredoc must be terminated",
		Doc: `A heredoc ends with a line that contains only its name, without white space around it.
After <<- the name can follow tabs. Without such a line, the heredoc includes the rest
of the file.`,
		Bad:  "FROM scratch\nCOPY --for=linux <<EOF /motd\nWelcome\n EOF\n",
		Good: "FROM scratch\nCOPY --for=linux <<EOF /motd\nWelcome\nEOF\n",
	},
	{
		Name:        syntax.GuardInTrigger,
		Description: "The trigger of an ONBUILD must not have a guard",
		Doc: `The trigger is stored in the image and runs in other builds, perhaps with another
frontend. A guard on the ONBUILD itself decides, in this build, whether the image has
the trigger.`,
		Bad:  "ARG DEBUG\nFROM scratch\nONBUILD COPY --if=DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nONBUILD --if=DEBUG COPY a /\n",
	},
	{
		Name:        syntax.NeedsOutsideFrom,
		Description: "--needs must be on a FROM",
		Doc: `Only a whole stage can need other stages. If one of them fails to build, so does the
stage that needs it. Write --needs on the FROM of that stage.`,
		Bad:  "FROM scratch AS test\nCOPY a /\nFROM scratch\nCOPY --needs=test a /\n",
		Good: "FROM scratch AS test\nCOPY a /\nFROM --needs=test scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.EmptyNeed,
		Description: "The list in --needs must not have empty names",
		Doc:         `Separate names with single commas. White space around a name is ignored.`,
		Bad:         "FROM scratch AS test\nCOPY a /\nFROM --needs=test, scratch\n",
		Good:        "FROM scratch AS test\nCOPY a /\nFROM --needs=test scratch\n",
	},
	{
		Name:        syntax.InvalidPlatforms,
		Description: "Declared platforms must be complete",
		Doc: `"# platforms=" lists platforms, not patterns. Each has an operating system and an
architecture that exist.`,
		Bad:  "# platforms=linux\nFROM scratch\nCOPY a /\n",
		Good: "# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.DuplicatePlatforms,
		Description: "A file must declare its platforms only once",
		Doc:         `It would be unclear whether the second list adds to the first one or replaces it.`,
		Bad:         "# platforms=linux/amd64\n# platforms=linux/arm64\nFROM scratch\nCOPY a /\n",
		Good:        "# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.MisplacedDirective,
		Description: `Directives should be above "# platforms="`,
		Doc: `This is a warning. BuildKit reads "# syntax=", "# escape=" and "# check=" at the top of
the file, up to the first line that is not one of them. "# platforms=" is such a line, so
BuildKit reads a directive below it as a comment: the escape character does not change,
and "# check=skip=" skips rules only for the next instruction. If that is intended, leave
an empty line below "# platforms=".`,
		Bad:  "# platforms=linux/amd64\n# check=skip=all\nFROM scratch\nCOPY a /\n",
		Good: "# check=skip=all\n# platforms=linux/amd64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        plan.UndeclaredPlatform,
		Description: "A build should be for a platform that the file declares",
		Doc: `This is a warning. The build is for a platform that is not in "# platforms=", so a check,
which covers the declared platforms, does not cover it. The check rule of the same name reports
guards that match no declared platform.`,
		Bad:  "# platforms=linux/arm64\nFROM scratch\nCOPY a /\n",
		Good: "# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n",
	},
	{
		Name:        syntax.UnreachableVariant,
		Description: "A variant without a guard must be the last one of its name",
		Doc: `The first variant whose guard holds is selected. A variant without a guard always holds,
so a variant below it is never selected.`,
		Bad:  "FROM scratch AS base\nFROM --for=linux/arm64 busybox AS base\nFROM base\n",
		Good: "FROM --for=linux/arm64 busybox AS base\nFROM scratch AS base\nFROM base\n",
	},
}

// blockRules are the rules about IF, ELSE and ENDIF.
var blockRules = []*Rule{
	{
		Name:        syntax.UnknownInstruction,
		Description: "A line must begin with a known keyword",
		Doc: `The lines of a block are IF, ELSE IF, ELSE and ENDIF. A similar word, or a keyword from
another language such as ELIF, is an error, but is read as the keyword that it resembles,
so that it causes no other errors in the block. BuildKit reports other unknown
instructions.`,
		Bad:  "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELIF TARGETARCH == \"arm64\"\n  COPY b /\nENDIF\n",
		Good: "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELSE IF TARGETARCH == \"arm64\"\n  COPY b /\nENDIF\n",
	},
	{
		Name:        syntax.BlockWithoutEnd,
		Description: "Every IF must have an ENDIF",
		Doc: `A block ends with its ENDIF, after any number of ELSE IF branches and at most one ELSE.
Blocks inside it have their own ENDIF.`,
		Bad:  "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\n",
		Good: "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nENDIF\n",
	},
	{
		Name:        syntax.BlockWithoutIf,
		Description: "ELSE and ENDIF must belong to an IF",
		Doc:         `There is no open block above this line.`,
		Bad:         "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\nENDIF\n",
		Good:        "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nENDIF\n",
	},
	{
		Name:        syntax.BlockOrder,
		Description: "ELSE must be the last branch of a block",
		Doc:         `ELSE holds if no branch above it does, so a branch below it would never hold.`,
		Bad:         "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELSE\n  COPY b /\nELSE IF TARGETARCH == \"arm64\"\n  COPY c /\nENDIF\n",
		Good:        "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nELSE IF TARGETARCH == \"arm64\"\n  COPY c /\nELSE\n  COPY b /\nENDIF\n",
	},
	{
		Name:        syntax.BlockSyntax,
		Description: "IF and ELSE IF must have a condition, and ELSE and ENDIF must not",
		Doc: `The condition is the rest of the line, including continuation lines. It needs no quotes
around it, but white space before it.`,
		Bad:  "ARG DEBUG\nFROM scratch\nIF\n  COPY a /\nENDIF\n",
		Good: "ARG DEBUG\nFROM scratch\nIF DEBUG\n  COPY a /\nENDIF\n",
	},
	{
		Name:        syntax.BlockTooDeep,
		Description: "Blocks must not be nested more than 32 deep",
		Doc:         `Combine the conditions of nested blocks with &&.`,
		Bad:         "ARG DEBUG\nFROM scratch\n" + strings.Repeat("IF DEBUG\n", 33) + "COPY a /\n" + strings.Repeat("ENDIF\n", 33),
		Good:        "ARG DEBUG\nFROM scratch\nIF DEBUG && TARGETOS == \"linux\"\nCOPY a /\nENDIF\n",
	},
	{
		Name:        syntax.MixedBlock,
		Description: "A block must not mix instructions and stages",
		Doc: `A block contains instructions of one stage, ARGs before the first FROM, or whole stages.
In a block of stages every branch begins with a FROM.`,
		Bad:  "ARG DEBUG\nFROM scratch AS app\nIF DEBUG\n  COPY a /\n  FROM scratch AS debug\nENDIF\n",
		Good: "ARG DEBUG\nFROM scratch AS app\nIF DEBUG\n  COPY a /\nENDIF\nFROM scratch AS debug\n",
	},
	{
		Name:        syntax.InstructionInVoid,
		Description: "A block of stages must be followed by a stage",
		Doc: `The stages of the block end at its ENDIF, so an instruction below it belongs to no stage.
Begin a stage with FROM, or move the instruction into the block.`,
		Bad:  "ARG DEBUG\nIF DEBUG\n  FROM busybox AS base\nELSE\n  FROM scratch AS base\nENDIF\nCOPY a /\n",
		Good: "ARG DEBUG\nIF DEBUG\n  FROM busybox AS base\nELSE\n  FROM scratch AS base\nENDIF\nFROM base\nCOPY a /\n",
	},
}
