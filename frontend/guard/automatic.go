package guard

import (
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// comparison is a comparison of a build arg with a string, in a condition.
type comparison struct {
	name, text string
	start, end int // byte offsets of the string
	// all is the whole comparison, and isNot is set for !=. A string in a list, in
	// contains(["a"], NAME), has none.
	all   *hclsyntax.BinaryOpExpr
	isNot bool
}

// addComparison records a comparison of an expression with another, if one is a name
// and the other a string.
func (v *validator) addComparison(name, text hclsyntax.Expression, all *hclsyntax.BinaryOpExpr) {
	value, ok := literalString(text)
	if !ok || !isName(name) {
		return
	}
	r := text.Range()
	v.comparisons = append(v.comparisons, comparison{
		name: v.written(unparen(name)), text: value, start: r.Start.Byte, end: r.End.Byte,
		all: all, isNot: all != nil && all.Op == hclsyntax.OpNotEqual,
	})
}

// checkPlatforms returns an error for each automatic arg that is compared with a name
// that it never has, as in TARGETARCH == "x86_64".
func (c *Condition) checkPlatforms(scope Scope) []*Error {
	var errs []*Error
	for _, cmp := range c.comparisons {
		if arg, _ := scope.Lookup(cmp.name); !arg.IsAutomatic {
			continue
		}
		name, pattern := automaticValue(cmp.name, cmp.text)
		if name == "" && pattern == "" || name == cmp.text {
			continue
		}
		err := &Error{
			Start: cmp.start, End: cmp.end, Name: NeverEqual,
			Message: cmp.name + " is never " + strconv.Quote(cmp.text),
		}
		switch {
		case pattern == "":
			err.replaceBy(c.source, cmp.start, cmp.end, strconv.Quote(name), maxFixes)
		case cmp.all == nil:
			err.Hint = "write " + platformFunc + "(" + strconv.Quote(pattern) + ")"
		default:
			call := platformFunc + "(" + strconv.Quote(pattern) + ")"
			if cmp.isNot {
				call = "!" + call
			}
			r := cmp.all.Range()
			err.replaceBy(c.source, r.Start.Byte, r.End.Byte, call, maxFixes)
		}
		errs = append(errs, err)
	}
	return errs
}

// automaticValue returns the value that an automatic arg has for a platform that is
// called text, or the pattern for that platform if the value does not tell it apart. It
// returns neither for a text that resembles no known name.
func automaticValue(arg, text string) (value, pattern string) {
	lower := strings.ToLower(text)
	kind := strings.TrimPrefix(strings.TrimPrefix(arg, "TARGET"), "BUILD")
	switch kind {
	case "OS":
		if isOS(lower) {
			return platforms.Normalize(Platform{OS: lower}).OS, ""
		}
		return known(osAliases, lower, knownOS), ""
	case "ARCH":
		if norm, ok := normalizeArch(lower); ok && (norm.Variant == "" || norm.Architecture == lower) {
			return norm.Architecture, ""
		} else if ok {
			return "", "*/" + norm.Architecture + "/" + norm.Variant
		}
		if _, errs := ParsePlatforms("*/" + lower); len(errs) == 0 {
			return "", "*/" + lower
		}
		name := known(archAliases, lower, knownArch)
		if strings.Contains(name, "/") {
			return "", "*/" + name
		}
		return name, ""
	case "PLATFORM":
		if p, errs := ParsePlatforms(text); len(errs) == 0 && len(p.patterns) == 1 {
			return platformValue(lower)
		}
	}
	return "", ""
}

// platformValue returns the value of TARGETPLATFORM for a platform, or the pattern for
// what names several.
func platformValue(text string) (value, pattern string) {
	p, err := platforms.Parse(text)
	parts := strings.Split(text, "/")
	if err != nil || len(parts) == 1 || len(parts) == 2 && platforms.Normalize(p).Variant != "" {
		return "", text
	}
	return FormatPlatform(p), ""
}

// osAliases and archAliases have names that people use and containerd does not know.
var (
	osAliases   = map[string]string{"mac": "darwin", "osx": "darwin", "win": "windows", "win32": "windows", "win64": "windows"}
	archAliases = map[string]string{"x64": "amd64", "x86": "386", "arm64v8": "arm64", "armv6": "arm/v6", "armv7": "arm/v7", "armv7l": "arm/v7", "arm32v6": "arm/v6", "arm32v7": "arm/v7"}
)

// known returns the name that an alias has, or the known name with one typo less, or "".
func known(aliases map[string]string, text string, names []string) string {
	if name, ok := aliases[text]; ok {
		return name
	}
	if name := source.Closest(text, names); name != "" && (name == text || source.OneTypo(text, name)) {
		return name
	}
	return ""
}
