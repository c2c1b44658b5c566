package lint

import "github.com/stagebuild/stagebuild/frontend/guard"

// conditionRules are the rules of platform patterns and conditions.
var conditionRules = []*Rule{
	{
		Name:        guard.InvalidPattern,
		Description: "A platform pattern has the form OS[/ARCH[/VARIANT]]",
		Doc: `Each part is a name or *, and parts are left out from the end. Patterns have no
variables: compare in --if what depends on an arg.`,
		Bad:  "FROM scratch\nCOPY --for=linux//v7 a /\n",
		Good: "FROM scratch\nCOPY --for=linux/*/v7 a /\n",
	},
	{
		Name:        guard.UnknownPlatform,
		Description: "A platform consists of names that exist",
		Doc: `No platform matches the pattern, whatever is built, so that what it guards would
never be there. The same is said of a platform behind ::, which has to be written
out, with an operating system and an architecture.`,
		Bad:  "FROM scratch\nCOPY --for=linux/amr64 a /\n",
		Good: "FROM scratch\nCOPY --for=linux/arm64 a /\n",
	},
	{
		Name:        guard.InvalidCondition,
		Description: "A condition is one expression in HCL's syntax",
		Doc: `What stands in --if, or behind IF, cannot be read as an expression, or what it
calculates does not work: a list has no such element, a function takes no such
value. The text is that of docker-bake.hcl, without for expressions.`,
		Bad:  "ARG VARIANT=debug\nFROM scratch\nCOPY --if='VARIANT ==' a /\n",
		Good: "ARG VARIANT=debug\nFROM scratch\nCOPY --if='VARIANT == \"debug\"' a /\n",
	},
	{
		Name:        guard.ConditionTooLarge,
		Description: "A condition is bounded",
		Doc: `A condition has at most 4 KiB of text and 64 levels, and makes no string of more
than 64 KiB: however it is written, it is decided in no time. Give parts of it a
name, as args whose values guards choose.`,
		Bad: "ARG DEBUG\nFROM scratch\nCOPY --if=!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!DEBUG a /\n",
		Good: `ARG DEBUG
ARG RELEASE=1
ARG --if=DEBUG RELEASE=0
FROM scratch
COPY --if=RELEASE a /
`,
	},
	{
		Name:        guard.DollarName,
		Description: "A condition names build args without $",
		Doc: `A condition is no text in which variables are replaced. It names args, as
docker-bake.hcl does, and only strings in double quotes expand them: "${NAME}".`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if=$DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        guard.UnknownName,
		Description: "A name in a condition or reference is declared above",
		Doc: `A name is an ARG of the stage above the instruction or of the stage that it is
FROM, an ARG before the first FROM, or one of the automatic TARGET and BUILD args. A
typo would otherwise be a condition that never holds, so names are checked also
where their values do not matter. On FROM and before it, only the ARGs before the
first FROM count.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if=DEBGU a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        guard.UnknownFunction,
		Description: "A function of a condition exists",
		Doc: `Conditions have functions of docker-bake.hcl that depend on nothing but their
arguments, and platform(). None reads a file, a clock or the environment.`,
		Bad:  "ARG VARIANT\nFROM scratch\nCOPY --if='lowr(VARIANT) == \"debug\"' a /\n",
		Good: "ARG VARIANT\nFROM scratch\nCOPY --if='lower(VARIANT) == \"debug\"' a /\n",
	},
	{
		Name:        guard.UnknownValue,
		Description: "A condition or reference depends on nothing that only the build knows",
		Doc: `Everything is decided before anything runs. The default of this arg refers to an
ENV, or to a variable of the base image, whose value is known only then. A build arg
that is given from outside makes it known, but the file has to make sense without.`,
		Bad:  "FROM scratch\nENV HOME=/root\nARG DIR=$HOME\nCOPY --if='DIR == \"/root\"' a /\n",
		Good: "FROM scratch\nARG HOME=/root\nARG DIR=$HOME\nCOPY --if='DIR == \"/root\"' a /\n",
	},
	{
		Name:        guard.EnvInCondition,
		Description: "A condition sees build args, and no ENV",
		Doc: `What an ENV is set to can depend on the base image, which is not looked at before
everything is decided. Declare an ARG, and set the ENV from it.`,
		Bad:  "FROM scratch\nENV MODE=fast\nCOPY --if='MODE == \"fast\"' a /\n",
		Good: "FROM scratch\nARG MODE=fast\nENV MODE=$MODE\nCOPY --if='MODE == \"fast\"' a /\n",
	},
	{
		Name:        guard.NotABool,
		Description: "Where a condition needs a bool, a value reads as one",
		Doc: `Every arg is a string. As a bool, 1 and true hold, 0, false and the empty string do
not, in upper or lower case. All else is as likely a mistake as meant: compare it.`,
		Bad:  "ARG VARIANT=debug\nFROM scratch\nCOPY --if=VARIANT a /\n",
		Good: "ARG VARIANT=debug\nFROM scratch\nCOPY --if='VARIANT == \"debug\"' a /\n",
	},
	{
		Name:        guard.NotANumber,
		Description: "Where a condition needs a number, a value reads as one",
		Doc: `<, <=, >, >= and arithmetic convert both sides to numbers, with at most 300 digits.
A version like 1.4.2 is none: semvercmp compares versions.`,
		Bad:  "ARG VERSION=1.4.2\nFROM scratch\nCOPY --if='VERSION > 1' a /\n",
		Good: "ARG VERSION=1.4.2\nFROM scratch\nCOPY --if='semvercmp(VERSION, \"> 1\")' a /\n",
	},
	{
		Name:        guard.NeverEqual,
		Description: "An arg is compared with a string",
		Doc: `Every arg is a string, and in HCL no string equals a number or a bool: the
comparison would have the same result in every build.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG == 1' a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG == \"1\"' a /\n",
	},
}
