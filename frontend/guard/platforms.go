package guard

import (
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// Names of the diagnostics about patterns.
const (
	InvalidPattern  = "InvalidPattern"
	UnknownPlatform = "UnknownPlatform"
)

// The operating systems and architectures that containerd/platforms knows
// (database.go), in its normalized spelling, and those of WebAssembly. That package
// exports no list.
var (
	knownOS   = strings.Fields("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasi wasip1 windows zos")
	knownArch = strings.Fields("386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm")
)

// versionedVariants matches the variants of the architectures that number them. The
// variants of others are arbitrary names.
var versionedVariants = map[string]*regexp.Regexp{
	"amd64": regexp.MustCompile(`^v[1-4]$`),
	"arm":   regexp.MustCompile(`^v[5-8]$`),
	"arm64": regexp.MustCompile(`^v[89](\.[0-9])?$`),
}

// Platforms is a parsed list of platform patterns.
type Platforms struct {
	source   string
	patterns []pattern
}

// pattern is one [!]OS[(VERSION)][/ARCH[/VARIANT]], normalized. A nil part matches
// anything.
type pattern struct {
	exclude                    bool
	os, version, arch, variant *string
	features                   []string // the features that the operating system must have
}

// ParsePlatforms parses a comma-separated list of patterns. Each error has the
// offsets of one pattern.
func ParsePlatforms(list string) (*Platforms, []*Error) {
	p := &Platforms{source: list}
	var errs []*Error
	start := 0
	for item := range strings.SplitSeq(list, ",") {
		pat, err := parsePattern(strings.TrimSpace(item))
		if err != nil {
			lead := len(item) - len(strings.TrimLeft(item, " \t"))
			err.Start = start + lead
			err.End = err.Start + len(strings.TrimSpace(item))
			errs = append(errs, err)
		}
		p.patterns = append(p.patterns, pat)
		start += len(item) + 1
	}
	return p, errs
}

// String returns the list as it was written.
func (p *Platforms) String() string {
	return p.source
}

// Match reports whether a platform matches the list: one of its patterns without !, if
// it has any, and none of those with !.
func (p *Platforms) Match(platform ocispecs.Platform) bool {
	platform = platforms.Normalize(platform)
	included, plain := false, false
	for _, pat := range p.patterns {
		switch {
		case pat.exclude && pat.match(platform):
			return false
		case !pat.exclude:
			plain = true
			included = included || pat.match(platform)
		}
	}
	return included || !plain
}

func (p pattern) match(platform ocispecs.Platform) bool {
	is := func(want *string, got string) bool { return want == nil || *want == got }
	variant := p.variant
	if variant != nil && p.arch == nil {
		// The normalized variant depends on the architecture: arm64's v8 is "".
		variant = new(normalize(platform.Architecture, *variant).Variant)
	}
	for _, feature := range p.features {
		if !slices.Contains(platform.OSFeatures, feature) {
			return false
		}
	}
	return is(p.os, platform.OS) && is(p.version, platform.OSVersion) && is(p.arch, platform.Architecture) && is(variant, platform.Variant)
}

func parsePattern(s string) (pattern, *Error) {
	rest, exclude := strings.CutPrefix(s, "!")
	pat := pattern{exclude: exclude}
	parts := strings.Split(strings.ToLower(rest), "/")
	if rest == "" || len(parts) > 3 || slices.Contains(parts, "") {
		return pat, &Error{
			Name:    InvalidPattern,
			Message: `"` + s + `" is not a platform pattern`,
			Hint:    "write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *",
		}
	}
	if strings.Contains(rest, "$") {
		return pat, &Error{
			Name:    InvalidPattern,
			Message: "platform patterns cannot use variables",
			Hint:    "write --if='platform(" + strings.Trim(dollarName.ReplaceAllString(rest, "$1"), "{}") + ")'",
		}
	}
	if len(parts) == 1 && parts[0] != "*" && !isOS(parts[0]) {
		if _, ok := normalizeArch(parts[0]); ok {
			parts = []string{"*", parts[0]}
		}
	}
	if err := pat.set(s, parts); err != nil {
		return pat, err
	}
	return pat, nil
}

// set sets the parts of a pattern: OS, architecture, variant.
func (p *pattern) set(written string, parts []string) *Error {
	if os := parts[0]; os != "*" {
		name, _, versioned := strings.Cut(os, "(")
		if !isOS(name) {
			return unknownPlatform(written, parts)
		}
		p.os = new(platforms.Normalize(ocispecs.Platform{OS: name}).OS)
		if versioned {
			if err := p.setVersion(written, os); err != nil {
				return err
			}
		}
	}
	if len(parts) > 1 && parts[1] != "*" {
		norm, ok := normalizeArch(parts[1])
		if !ok {
			return unknownPlatform(written, parts)
		}
		p.arch = &norm.Architecture
		// "armhf" implies a variant. "arm" does not, although containerd normalizes
		// it to arm/v7.
		if norm.Architecture != parts[1] && norm.Variant != "" {
			p.variant = &norm.Variant
		}
	}
	if len(parts) > 2 && parts[2] != "*" {
		return p.setVariant(written, parts)
	}
	return nil
}

// setVersion sets the version and features that an operating system has in
// parentheses, as in "windows(10.0.20348)".
func (p *pattern) setVersion(written, os string) *Error {
	parsed, err := platforms.Parse(os + "/amd64")
	if err != nil {
		return &Error{
			Name:    InvalidPattern,
			Message: `"` + written + `" is not a platform pattern`,
			Hint:    "write the version of an operating system in parentheses, as in windows(10.0.20348)/amd64",
		}
	}
	p.features = parsed.OSFeatures
	if parsed.OSVersion != "" {
		p.version = &parsed.OSVersion
	}
	return nil
}

func (p *pattern) setVariant(written string, parts []string) *Error {
	variant := parts[2]
	if p.arch != nil {
		variant = normalize(parts[1], variant).Variant
		if re := versionedVariants[*p.arch]; re != nil && variant != "" && !re.MatchString(variant) {
			return &Error{
				Name:    UnknownPlatform,
				Message: `"` + written + `" matches no platform: ` + *p.arch + " has no variant " + parts[2],
				Hint:    "write a variant as in linux/arm/v7, or leave it out to match all variants",
			}
		}
	}
	p.variant = &variant
	return nil
}

// isOS reports whether name is an operating system or an alias of one.
func isOS(name string) bool {
	return slices.Contains(knownOS, platforms.Normalize(ocispecs.Platform{OS: name}).OS)
}

// normalizeArch returns the normalized name of an architecture, "amd64" for "x86_64",
// and whether it is known.
func normalizeArch(name string) (ocispecs.Platform, bool) {
	norm := normalize(name, "")
	return norm, slices.Contains(knownArch, norm.Architecture)
}

func normalize(arch, variant string) ocispecs.Platform {
	return platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: arch, Variant: variant})
}

// unknownPlatform returns the error for a pattern that cannot match. It suggests the
// pattern with the unknown parts replaced by the closest known names.
func unknownPlatform(written string, parts []string) *Error {
	err := &Error{Name: UnknownPlatform, Message: `"` + written + `" matches no platform`}
	exclude := ""
	if strings.HasPrefix(written, "!") {
		exclude = "!"
	}
	if _, isArch := normalizeArch(parts[0]); isArch {
		err.Hint = "write " + exclude + "linux/" + strings.Join(parts, "/") + ", or " + exclude + "*/" + strings.Join(parts, "/") + " for all operating systems"
		return err
	}
	if fixed := likelyPattern(parts); fixed != "" {
		err.Hint = `did you mean "` + exclude + fixed + `"?`
	} else if list := strings.FieldsFunc(written, isSeparator); len(list) > 1 {
		err.Hint = `separate patterns with commas, as in "` + strings.Join(list, ",") + `"`
	} else {
		err.Hint = "write OS[/ARCH[/VARIANT]], such as linux/arm64"
	}
	return err
}

// likelyPattern returns the pattern that was probably meant, or "".
func likelyPattern(parts []string) string {
	for _, separator := range []string{"-", "_", ":"} {
		if fixed := strings.ReplaceAll(strings.Join(parts, "/"), separator, "/"); len(strings.Split(fixed, "/")) > len(parts) {
			if _, err := parsePattern(fixed); err == nil {
				return fixed
			}
		}
	}
	fixed := slices.Clone(parts)
	for i, part := range fixed {
		aliases, known := osAliases, knownOS
		switch {
		case i == 1:
			aliases, known = archAliases, knownArch
		case len(parts) == 1 && osAliases[part] == "":
			aliases, known = archAliases, slices.Concat(knownOS, knownArch)
		}
		if i > 1 || part == "*" || slices.Contains(known, part) {
			continue
		}
		if name := aliases[part]; name != "" && len(parts) == 1 && strings.Contains(name, "/") {
			fixed[i] = "linux/" + name
		} else if name != "" {
			fixed[i] = name
		} else if name := source.Closest(part, known); name != "" {
			fixed[i] = name
		}
	}
	if slices.Equal(fixed, parts) {
		return ""
	}
	return strings.Join(fixed, "/")
}

// isSeparator reports whether other languages separate the elements of a list by r.
func isSeparator(r rune) bool {
	return r == '|' || r == ';' || r == ' '
}

// FormatPlatform returns the normalized OS[(VERSION)]/ARCH[/VARIANT] of a platform.
func FormatPlatform(platform ocispecs.Platform) string {
	return platforms.FormatAll(platforms.Normalize(platform))
}

// nameEscapes replaces the characters that the names of images or files cannot have.
var nameEscapes = strings.NewReplacer("/", "-", "(", "-", ")", "", "+", "-", "%", "-")

// PlatformName returns a platform in a form for names of images and files:
// "linux-arm-v7".
func PlatformName(platform ocispecs.Platform) string {
	return strings.ToLower(nameEscapes.Replace(FormatPlatform(platform)))
}
