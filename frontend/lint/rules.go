package lint

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
)

// Rule documents a rule for staged Dockerfiles: a rule of the language, whose violation is
// the diagnostic of the same name, or a check rule.
type Rule struct {
	// Name is the name of the diagnostic, or the name in "# check=skip=".
	Name string
	// Description states the rule in one sentence without a full stop.
	Description string
	// Doc explains the rule and the fix.
	Doc string
	// Bad is a Dockerfile that violates only this rule in a build for linux/amd64, or in
	// a check. Good is the same Dockerfile without the mistake.
	Bad, Good string

	check func(*checker) // nil for a rule of the language
}

// Dir returns the directory of the rule's page in the repository.
func (r *Rule) Dir() string {
	if r.check == nil {
		return "docs/diagnostics"
	}
	return "docs/rules"
}

// URL returns the address of the rule's page.
func (r *Rule) URL() string {
	return "https://github.com/stagebuild/stagebuild/blob/main/" + r.Dir() + "/" + r.Name + ".md"
}

// linterRule converts the rule for BuildKit's linter.
func (r *Rule) linterRule() *linter.LinterRule[func()] {
	return &linter.LinterRule[func()]{Name: r.Name, Description: r.Description, URL: r.URL()}
}

// Rules returns the check rules, sorted by name.
func Rules() []*Rule {
	return slices.Clone(rules)
}

// Diagnostics returns the rules of the language, grouped by subject: one for each name
// of a [source.Diagnostic].
func Diagnostics() []*Rule {
	return slices.Concat(conditionRules, structureRules, blockRules, referenceRules)
}

var rules = []*Rule{
	{
		Name:        "ConstantCondition",
		Description: "A condition should depend on a build arg or the platform",
		Doc: `A condition without names has the same value in every build, so the instruction is
always kept or always dropped. Remove the condition or the instruction.`,
		Bad:   "FROM scratch\nCOPY --if=true a /\n",
		Good:  "ARG DEBUG\nFROM scratch\nCOPY --if=DEBUG a /\n",
		check: checkConstantCondition,
	},
	{
		Name:        "CopyWholeStage",
		Description: "A stage should not be copied together with its base image",
		Doc: `COPY --from=stage / copies all files of the stage, including those of its base image,
into one layer. Copy only the paths that are needed, or make the new stage FROM the
other one. The rule ignores stages that are built from scratch, which have no files of
a base image.`,
		Bad:   "FROM busybox AS build\nFROM scratch\nCOPY --from=build / /\n",
		Good:  "FROM busybox AS build\nFROM scratch\nCOPY --from=build /bin/busybox /bin/\n",
		check: checkCopyWholeStage,
	},
	{
		Name:        "StagePlatformIgnored",
		Description: "A FROM that names a stage should not have --platform",
		Doc: `A stage that is FROM another stage has the platform of that stage, and BuildKit ignores
--platform. To build the other stage for a platform, write the platform into the
reference.`,
		Bad:   "FROM busybox AS base\nFROM --platform=$BUILDPLATFORM base\n",
		Good:  "FROM busybox AS base\nFROM base::$BUILDPLATFORM\n",
		check: checkStagePlatform,
	},
	{
		Name:        "StageUnavailable",
		Description: "A stage should have a variant for every declared platform",
		Doc: `The file declares platforms with "# platforms=". For one of them, the stage has no variant
whose guard holds, so the stage cannot be built for it. Add a variant, such as a last one
without a guard. If the stage is only meant for some platforms, skip the rule. BuildKit's
own rules are applied only for platforms that the target can be built for.`,
		Bad:   "# platforms=linux/amd64,linux/arm64\nFROM --for=linux/arm64 scratch AS tools\nFROM scratch\n",
		Good:  "# platforms=linux/amd64,linux/arm64\nFROM --for=linux/arm64 scratch AS tools\nFROM busybox AS tools\nFROM scratch\n",
		check: checkStageUnavailable,
	},
	{
		Name:        "UndeclaredPlatform",
		Description: "A guard should match a declared platform",
		Doc: `The file declares platforms with "# platforms=", but --for matches none of them, so the
instruction is dropped for all of them. Declare the platform too, or change --for.`,
		Bad:   "# platforms=linux/amd64\nFROM scratch\nCOPY --for=linux/s390x a /\n",
		Good:  "# platforms=linux/amd64,linux/s390x\nFROM scratch\nCOPY --for=linux/s390x a /\n",
		check: checkUndeclaredPlatform,
	},
	{
		Name:        "UnnamedStageReference",
		Description: "A stage should be referred to by name",
		Doc: `COPY --from=0 counts the stages of the file, so it means another stage as soon as one is
added above. Give the stage a name.`,
		Bad:   "FROM busybox\nFROM scratch\nCOPY --from=0 /bin/busybox /\n# --for=linux\nLABEL --for=linux a=b\n",
		Good:  "FROM busybox AS tools\nFROM scratch\nCOPY --from=tools /bin/busybox /\nLABEL --for=linux a=b\n",
		check: checkUnnamedReference,
	},
	{
		Name:        "UnreachableVariant",
		Description: "Every variant should be selected in some build",
		Doc: `The first variant whose guard holds is selected. A variant is never selected if a
variant above it has the same guard, or if one above it in the same branch of a block
has no guard. (Outside of blocks, the latter is an error.)`,
		Bad:   "FROM --for=linux/arm64 scratch AS base\nFROM --for=linux/arm64 busybox AS base\nFROM scratch AS base\n",
		Good:  "FROM --for=linux/arm64 scratch AS base\nFROM scratch AS base\n",
		check: checkUnreachableVariant,
	},
	{
		Name:        "UnresolvedStage",
		Description: "A stage should have valid references even if the target does not use it",
		Doc: `The target builds, but building another stage would fail, because a reference in it is
invalid: it has a misspelled stage name or an undeclared variable, for example, or names a
stage below or one that has no variant for the platform. The rule also reports invalid
references of the target itself, for declared platforms that it cannot be built for.`,
		Bad:   "FROM --for=linux/s390x busybox AS tools\nFROM scratch AS extra\nCOPY --from=tools /a /\nFROM scratch\n",
		Good:  "FROM --for=linux/s390x busybox AS tools\nFROM busybox AS tools\nFROM scratch AS extra\nCOPY --from=tools /a /\nFROM scratch\n",
		check: checkUnresolvedStage,
	},
}
