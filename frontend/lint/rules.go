// Package lint holds what can be wrong with a staged file, each a typed value with
// its documentation and a file that shows it: the diagnostics of the language, and
// the check rules that go beyond BuildKit's own. These run beside BuildKit's, are
// skipped and made errors as those are ("# check="), and see the file as it is
// planned for every platform that is checked.
package lint

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
)

// Rule is what a file is measured by: a rule of the language, whose breach is the
// diagnostic of its name, or a check rule.
type Rule struct {
	// Name is the diagnostic's stable identifier, or what "# check=skip=" takes.
	Name string
	// Description is one sentence, as BuildKit's rules have.
	Description string
	// Doc says why, and what to do.
	Doc string
	// Bad is a file that breaks this rule and no other when it is built for
	// linux/amd64 or checked. Good is the same one mended.
	Bad, Good string

	check func(*checker) // nil for a rule of the language
}

// Dir is where the rule's documentation page is in the repository.
func (r *Rule) Dir() string {
	if r.check == nil {
		return "docs/diagnostics"
	}
	return "docs/rules"
}

// URL is where the rule's documentation page is.
func (r *Rule) URL() string {
	return "https://github.com/stagebuild/stagebuild/blob/main/" + r.Dir() + "/" + r.Name + ".md"
}

// linterRule returns the rule as BuildKit's linter takes it.
func (r *Rule) linterRule() *linter.LinterRule[func()] {
	return &linter.LinterRule[func()]{Name: r.Name, Description: r.Description, URL: r.URL()}
}

// Rules returns the check rules, sorted by name.
func Rules() []*Rule {
	return slices.Clone(rules)
}

// Diagnostics returns the rules of the language, by subject: one for each name
// that a source.Diagnostic can have.
func Diagnostics() []*Rule {
	return slices.Concat(conditionRules, structureRules, blockRules, referenceRules)
}

var rules = []*Rule{
	{
		Name:        "ConstantCondition",
		Description: "A condition should depend on a build arg or the platform",
		Doc: `A condition without a name has the same value in every build. The instruction
is always there, or never: write it without the condition, or leave it out.`,
		Bad:   "FROM scratch\nCOPY --if=true a /\n",
		Good:  "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
		check: checkConstantCondition,
	},
	{
		Name:        "CopyWholeStage",
		Description: "Copying all of a stage copies its base image too",
		Doc: `COPY --from=stage / takes everything that the stage has, files of its base
image included, and makes a layer of it. Name the paths that are wanted, or
make the stage FROM the other one. A stage that is made from scratch holds nothing
but what it was given, and is not meant.`,
		Bad:   "FROM busybox AS build\nFROM scratch\nCOPY --from=build / /\n",
		Good:  "FROM busybox AS build\nFROM scratch\nCOPY --from=build /bin/busybox /bin/\n",
		check: checkCopyWholeStage,
	},
	{
		Name:        "StagePlatformIgnored",
		Description: "--platform has no effect on a FROM that names a stage",
		Doc: `A stage that is FROM another stage has that stage's platform: BuildKit ignores
--platform there. Write the platform into the reference, which builds the other
stage for it.`,
		Bad:   "FROM busybox AS base\nFROM --platform=$BUILDPLATFORM base\n",
		Good:  "FROM busybox AS base\nFROM base::$BUILDPLATFORM\n",
		check: checkStagePlatform,
	},
	{
		Name:        "StageUnavailable",
		Description: "A stage should have a variant for every declared platform",
		Doc: `The file declares platforms with "# platforms=", and a stage has no variant that
holds for one of them: it cannot be built there. Add a variant, one without a
guard at the end for example, or skip the rule for a stage that is meant for some
platforms only. BuildKit's rules look at the platforms that the target, the default
stage for example, can be built for.`,
		Bad:   "# platforms=linux/amd64,linux/arm64\nFROM --for=linux/arm64 scratch AS tools\nFROM scratch\n",
		Good:  "# platforms=linux/amd64,linux/arm64\nFROM --for=linux/arm64 scratch AS tools\nFROM busybox AS tools\nFROM scratch\n",
		check: checkStageUnavailable,
	},
	{
		Name:        "UndeclaredPlatform",
		Description: "A guard should match a declared platform",
		Doc: `The file declares platforms with "# platforms=", and --for matches none of
them: what it guards is never built. Declare the platform too, or leave the
variant out.`,
		Bad:   "# platforms=linux/amd64\nFROM scratch\nCOPY --for=linux/s390x a /\n",
		Good:  "# platforms=linux/amd64,linux/s390x\nFROM scratch\nCOPY --for=linux/s390x a /\n",
		check: checkUndeclaredPlatform,
	},
	{
		Name:        "UnnamedStageReference",
		Description: "A stage should be referred to by name",
		Doc: `COPY --from=0 counts the stages as they are written: it means another one as soon
as a stage is added above. Give the stage a name.`,
		Bad:   "FROM busybox\nFROM scratch\nCOPY --from=0 /bin/busybox /\n# --for=linux\nLABEL --for=linux a=b\n",
		Good:  "FROM busybox AS tools\nFROM scratch\nCOPY --from=tools /bin/busybox /\nLABEL --for=linux a=b\n",
		check: checkUnnamedReference,
	},
	{
		Name:        "UnreachableVariant",
		Description: "A variant should be able to be selected",
		Doc: `Of the variants of a stage the first whose guard holds is selected. One with the
same guard as a variant above it never is, nor one below a variant without a guard in
the same branch of a block. (Outside of blocks the latter is an error.)`,
		Bad:   "FROM --for=linux/arm64 scratch AS base\nFROM --for=linux/arm64 busybox AS base\nFROM scratch AS base\n",
		Good:  "FROM --for=linux/arm64 scratch AS base\nFROM scratch AS base\n",
		check: checkUnreachableVariant,
	},
	{
		Name:        "UnresolvedStage",
		Description: "References should mean something in every stage",
		Doc: `A reference in a stage that the target is not made from means nothing: a stage
that is not there for the platform, one defined below, a name that is almost a
stage's, a variable that is not declared. Building that stage would be an error.
The same is said of the target for a declared platform that it cannot be built for.`,
		Bad:   "FROM --for=linux/s390x busybox AS tools\nFROM scratch AS extra\nCOPY --from=tools /a /\nFROM scratch\n",
		Good:  "FROM --for=linux/s390x busybox AS tools\nFROM busybox AS tools\nFROM scratch AS extra\nCOPY --from=tools /a /\nFROM scratch\n",
		check: checkUnresolvedStage,
	},
}
