package lint

import "github.com/stagebuild/stagebuild/frontend/guard"

// conditionRules are the rules about platform patterns and conditions.
var conditionRules = []*Rule{
	{
		Name:        guard.InvalidPattern,
		Description: "A platform pattern must have the form OS[/ARCH[/VARIANT]]",
		Doc: `Each part is a name or *. VARIANT can be left out, and so can ARCH together with it.
Patterns cannot contain variables: to depend on a build arg, use --if.`,
		Bad:  "FROM scratch\nCOPY --for=linux//v7 a /\n",
		Good: "FROM scratch\nCOPY --for=linux/*/v7 a /\n",
	},
	{
		Name:        guard.UnknownPlatform,
		Description: "A platform or pattern must match a known platform",
		Doc: `No platform matches the pattern, so the guard would never hold. The error is also
reported for a platform after ::, which must have an operating system and an
architecture.`,
		Bad:  "FROM scratch\nCOPY --for=linux/amr64 a /\n",
		Good: "FROM scratch\nCOPY --for=linux/arm64 a /\n",
	},
	{
		Name:        guard.InvalidCondition,
		Description: "A condition must be a valid HCL expression",
		Doc: `The condition of --if, IF or ELSE IF is not an expression, or it cannot be evaluated: a
list has no such element, for example, or a function does not accept a value. Conditions have
the syntax of docker-bake.hcl, without for expressions.`,
		Bad:  "ARG VARIANT=debug\nFROM scratch\nCOPY --if='VARIANT ==' a /\n",
		Good: "ARG VARIANT=debug\nFROM scratch\nCOPY --if='VARIANT == \"debug\"' a /\n",
	},
	{
		Name:        guard.ConditionTooLarge,
		Description: "A condition must not be too large",
		Doc: `A condition can have at most 4 KiB of text and 64 levels of nesting, and can produce
strings of at most 64 KiB, so that evaluating it is always fast. To split a large
condition, declare an ARG for a part of it, and set the value of the ARG with guards.`,
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
		Description: "A condition must name build args without $",
		Doc: `Write the name of a build arg alone, as in docker-bake.hcl. Only strings in double
quotes expand variables: "${NAME}".`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if=$DEBUG a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        guard.UnknownName,
		Description: "A name in a condition or reference must be declared above",
		Doc: `A condition or reference can use an ARG that is declared above it in the same stage, an
ARG of the stage that its stage is FROM, a global ARG, or an automatic arg such as
TARGETARCH. On FROM, and before the first FROM, it cannot use the ARGs of stages. Names
are checked even where their values do not matter, because a condition with a typo
would otherwise never hold.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if=DEBGU a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
	},
	{
		Name:        guard.UnknownFunction,
		Description: "A function in a condition must exist",
		Doc: `A condition can use platform() and those functions of docker-bake.hcl whose result
depends only on their arguments. No function reads a file, the clock or the
environment.`,
		Bad:  "ARG VARIANT\nFROM scratch\nCOPY --if='lowr(VARIANT) == \"debug\"' a /\n",
		Good: "ARG VARIANT\nFROM scratch\nCOPY --if='lower(VARIANT) == \"debug\"' a /\n",
	},
	{
		Name:        guard.UnknownValue,
		Description: "A condition or reference must not depend on a value that only the build knows",
		Doc: `Conditions and references are evaluated before the build runs. The default of this ARG
refers to an ENV or to a variable of the base image, whose value is only known during
the build. The same is true of an ARG before the first FROM that the stage does not
declare again, because the base image can set a variable of its name. A --build-arg
gives the ARG a known value, but the file should also build without it.`,
		Bad:  "FROM scratch\nENV HOME=/root\nARG DIR=$HOME\nCOPY --if='DIR == \"/root\"' a /\n",
		Good: "FROM scratch\nARG HOME=/root\nARG DIR=$HOME\nCOPY --if='DIR == \"/root\"' a /\n",
	},
	{
		Name:        guard.EnvInCondition,
		Description: "A condition must not use an ENV",
		Doc: `The value of an ENV can depend on the base image, which is not read before conditions
are evaluated. Declare an ARG, and set the ENV from it.`,
		Bad:  "FROM scratch\nENV MODE=fast\nCOPY --if='MODE == \"fast\"' a /\n",
		Good: "FROM scratch\nARG MODE=fast\nENV MODE=$MODE\nCOPY --if='MODE == \"fast\"' a /\n",
	},
	{
		Name:        guard.NotABool,
		Description: "A build arg that is used as a bool must have a bool value",
		Doc: `Every build arg is a string. As a bool, "1" and "true" are true, and "0", "false" and
the empty string are false. Case does not matter. Any other value is likely to be a
mistake: compare it with a string instead.`,
		Bad:  "ARG VARIANT=debug\nFROM scratch\nCOPY --if=VARIANT a /\n",
		Good: "ARG VARIANT=debug\nFROM scratch\nCOPY --if='VARIANT == \"debug\"' a /\n",
	},
	{
		Name:        guard.NotANumber,
		Description: "A value that is used as a number must be a number",
		Doc: `<, <=, >, >= and arithmetic operators convert both sides to numbers, of at most 300
digits. A version such as 1.4.2 is not a number: compare versions with semvercmp.`,
		Bad:  "ARG VERSION=1.4.2\nFROM scratch\nCOPY --if='VERSION > 1' a /\n",
		Good: "ARG VERSION=1.4.2\nFROM scratch\nCOPY --if='semvercmp(VERSION, \"> 1\")' a /\n",
	},
	{
		Name:        guard.NeverEqual,
		Description: "A build arg must be compared with a string",
		Doc: `Every build arg is a string. In HCL a string never equals a number or a bool, so the
comparison would have the same result in every build.`,
		Bad:  "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG == 1' a /\n",
		Good: "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG == \"1\"' a /\n",
	},
}
