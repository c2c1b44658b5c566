package guard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

func TestLiterals(t *testing.T) {
	for source, want := range map[string]map[string][]string{
		"DEBUG":                            {"DEBUG": {"0", "1"}},
		"!(DEBUG)":                         {"DEBUG": {"0", "1"}},
		"A && !B || (C ? D : E)":           {"A": {"0", "1"}, "B": {"0", "1"}, "C": {"0", "1"}},
		`V == "a"`:                         {"V": {"a"}},
		`"a" != V || V == "b" || V == "a"`: {"V": {"a", "b"}},
		`lower(V) == "a"`:                  {"V": {"a"}},
		`"${A}-${B}" == "x-y"`:             {},
		`V == W`:                           {},
		`contains(["a", "b", W], V)`:       {"V": {"a", "b"}},
		`N > 3`:                            {"N": {"2", "3", "4"}},
		`10 <= N && N < 12`:                {"N": {"10", "11", "12", "13", "9"}},
		`N + 1 > 3`:                        {"N": {"2", "3", "4"}},
		`N > M`:                            {},
		`V == "a" ? DEBUG : true`:          {"V": {"a"}},
		`(DEBUG || V == "") && platform("linux")`: {"DEBUG": {"0", "1"}, "V": {""}},
		`semvercmp(V, ">=1")`:                     {},
		"true":                                    {},
	} {
		t.Run(source, func(t *testing.T) {
			c, errs := guard.ParseCondition(source)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if diff := cmp.Diff(want, c.Literals()); diff != "" {
				t.Errorf("literals (-want +got):\n%s", diff)
			}
		})
	}
}
