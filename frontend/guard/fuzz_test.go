package guard_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// args is a scope of known values.
type args map[string]string

// Lookup implements guard.Scope.
func (a args) Lookup(name string) (guard.Arg, bool) {
	value, ok := a[name]
	return guard.Arg{Value: value}, ok
}

// Names implements guard.Scope.
func (a args) Names() []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	return names
}

// Declaration implements guard.Scope.
func (a args) Declaration(name string) (string, bool) {
	return "declare it above with ARG " + name, false
}

// FuzzCondition checks, for arbitrary text, that nothing panics, that the offsets of
// errors are in the text, and that the same text always gets the same decision.
func FuzzCondition(f *testing.F) {
	for _, c := range conditions {
		f.Add(c.source, "1", "linux/arm64")
	}
	for _, c := range invalidConditions {
		f.Add(c.source, "", "windows/amd64")
	}
	f.Fuzz(func(t *testing.T, text, value, target string) {
		platform, err := platforms.Parse(target)
		if err != nil {
			return
		}
		c, errs := guard.ParseCondition(text)
		checkErrors(t, text, errs)
		if len(errs) > 0 {
			return
		}
		again, errs := guard.ParseCondition(c.String())
		if len(errs) > 0 || again.String() != text {
			t.Fatalf("%q does not parse as itself: %v", text, errs)
		}
		scope := args{}
		checkErrors(t, text, c.Check(scope))
		for _, name := range c.Names() {
			scope[name] = value
		}
		if errs := c.Check(scope); len(errs) > 0 {
			t.Fatalf("%q: names are unknown that Names lists: %v", text, errs)
		}
		holds, err := c.Eval(platform, scope)
		sameHolds, sameErr := again.Eval(platform, scope)
		if holds != sameHolds || (err == nil) != (sameErr == nil) || err != nil && err.Error() != sameErr.Error() {
			t.Fatalf("%q gives %t, %v and then %t, %v", text, holds, err, sameHolds, sameErr)
		}
		var invalid *guard.Error
		switch {
		case errors.As(err, &invalid):
			checkErrors(t, text, []*guard.Error{invalid})
		case err != nil:
			t.Fatalf("%q: the error is a %T", text, err)
		}
	})
}

func checkErrors(t *testing.T, text string, errs []*guard.Error) {
	t.Helper()
	for _, err := range errs {
		if err.Start < 0 || err.End < err.Start || err.End > len(text) {
			t.Errorf("%q: error at [%d, %d): %v", text, err.Start, err.End, err)
		}
		if err.Name == "" || err.Message == "" {
			t.Errorf("%q: error without a name or a message: %+v", text, err)
		}
	}
}

// FuzzPlatforms checks, for arbitrary lists, that the offsets of errors are in the
// list, that String returns the list, and that Match agrees with containerd's parser.
func FuzzPlatforms(f *testing.F) {
	for _, p := range patterns {
		f.Add(p.list, p.matches+" "+p.misses)
	}
	for _, p := range invalidPatterns {
		f.Add(p.list, "linux/amd64")
	}
	f.Fuzz(func(t *testing.T, list, targets string) {
		p, errs := guard.ParsePlatforms(list)
		checkErrors(t, list, errs)
		if len(errs) > 0 {
			return
		}
		again, errs := guard.ParsePlatforms(p.String())
		if len(errs) > 0 || again.String() != list {
			t.Fatalf("%q does not parse as itself: %v", list, errs)
		}
		for target := range strings.FieldsSeq(targets) {
			platform, err := platforms.Parse(target)
			if err != nil {
				continue
			}
			platform = platforms.Normalize(platform)
			if platform.Architecture == "386" && platform.Variant != "" {
				continue // 386 has no variants: containerd drops that of i386.
			}
			got, want := p.Match(platform), oracle(list, platform)
			if got != want || again.Match(platform) != want {
				t.Errorf("%q matches %s: %t, want %t", list, platforms.Format(platform), got, want)
			}
		}
	})
}

// oracle replaces each * of a pattern by the platform's own part and lets containerd
// parse the result: the pattern matches if that is the platform.
func oracle(list string, platform guard.Platform) bool {
	included, plain := false, false
	for item := range strings.SplitSeq(list, ",") {
		text, exclude := strings.CutPrefix(strings.TrimSpace(item), "!")
		same := fill(text, platform)
		if exclude && same {
			return false
		}
		plain = plain || !exclude
		included = included || same && !exclude
	}
	return included || !plain
}

func fill(text string, platform guard.Platform) bool {
	parts := strings.Split(strings.ToLower(text), "/")
	if len(parts) == 1 && parts[0] != "*" {
		// containerd, too, accepts an operating system or an architecture alone.
		alone, err := platforms.Parse(parts[0])
		if err == nil && alone.OS != parts[0] && alone.OS == platforms.DefaultSpec().OS && parts[0] != "macos" {
			parts = []string{"*", parts[0]}
		}
	}
	own := []string{platform.OS, platform.Architecture, platform.Variant}
	for i, part := range parts {
		if part != "*" {
			own[i] = part
		}
	}
	system, err := platforms.Parse(own[0] + "/amd64")
	if err != nil {
		return false
	}
	if system.OSVersion != "" && system.OSVersion != platform.OSVersion {
		return false
	}
	for _, feature := range system.OSFeatures {
		if !slices.Contains(platform.OSFeatures, feature) {
			return false
		}
	}
	full := platforms.Normalize(guard.Platform{OS: system.OS, Architecture: own[1], Variant: own[2]})
	return full.OS == platform.OS && full.Architecture == platform.Architecture && full.Variant == platform.Variant
}
