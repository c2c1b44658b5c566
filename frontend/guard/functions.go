package guard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// platformFunc is the one function whose result depends on the target platform.
const platformFunc = "platform"

// functions are those of bake (buildx bake/hclparser/stdlib.go) that are pure and
// of use for choosing. None reads a clock, a file, randomness or the environment.
var functions = map[string]function.Function{
	"can":        tryfunc.CanFunc,
	"coalesce":   stdlib.CoalesceFunc,
	"contains":   stdlib.ContainsFunc,
	"endswith":   stringTest("Reports whether a string ends with a suffix.", strings.HasSuffix),
	"join":       bounded(stdlib.JoinFunc, joinedSize),
	"length":     stdlib.LengthFunc,
	"lower":      stdlib.LowerFunc,
	"regex":      stdlib.RegexFunc,
	"regexall":   stdlib.RegexAllFunc,
	"replace":    bounded(stdlib.ReplaceFunc, replacedSize),
	"semvercmp":  semvercmp,
	"split":      stdlib.SplitFunc,
	"startswith": stringTest("Reports whether a string starts with a prefix.", strings.HasPrefix),
	"trimprefix": stdlib.TrimPrefixFunc,
	"trimspace":  stdlib.TrimSpaceFunc,
	"trimsuffix": stdlib.TrimSuffixFunc,
	"try":        tryfunc.TryFunc,
	"upper":      stdlib.UpperFunc,
}

// functionNames returns the names of all functions, sorted.
func functionNames() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range maps.Keys(functions) {
			if !yield(name) {
				return
			}
		}
		yield(platformFunc)
	})
}

// functionsFor returns the functions as they are for one target platform.
func functionsFor(target Platform) map[string]function.Function {
	all := maps.Clone(functions)
	all[platformFunc] = function.New(&function.Spec{
		Description: "Reports whether the target platform matches one of the patterns.",
		VarParam:    &function.Parameter{Name: "pattern", Type: cty.String},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			list := make([]string, len(args))
			for i, arg := range args {
				list[i] = arg.AsString()
			}
			p, errs := ParsePlatforms(strings.Join(list, ","))
			if len(errs) > 0 {
				return cty.False, errs[0]
			}
			return cty.BoolVal(p.Match(target)), nil
		},
	})
	return all
}

// bounded refuses calls whose result would be too long, before it is made. The
// size is that of the result in bytes.
func bounded(f function.Function, size func(args []cty.Value) int) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      f.Params(),
		VarParam:    f.VarParam(),
		Type:        f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if size(args) > maxString {
				return cty.NilVal, &Error{
					Name:    ConditionTooLarge,
					Message: fmt.Sprintf("the condition makes a string of more than %d bytes", maxString),
					Hint:    "split it over several args",
				}
			}
			return f.Call(args)
		},
	})
}

func joinedSize(args []cty.Value) int {
	separator := len(args[0].AsString())
	size := 0
	for _, list := range args[1:] {
		for _, item := range list.Elements() {
			size += separator
			if !item.IsNull() {
				size += len(item.AsString())
			}
		}
	}
	return size
}

func replacedSize(args []cty.Value) int {
	text, from, to := args[0].AsString(), args[1].AsString(), args[2].AsString()
	return len(text) + strings.Count(text, from)*max(0, len(to)-len(from))
}

func stringTest(description string, test func(s, affix string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "str", Type: cty.String}, {Name: "affix", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// semvercmp has the name, the parameters and the meaning of bake's.
var semvercmp = function.New(&function.Spec{
	Description: "Reports whether a version satisfies a constraint.",
	Params:      []function.Parameter{{Name: "version", Type: cty.String}, {Name: "constraint", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		version, err := semver.NewVersion(args[0].AsString())
		if err != nil {
			return cty.False, function.NewArgError(0, err)
		}
		constraint, err := semver.NewConstraint(args[1].AsString())
		if err != nil {
			return cty.False, function.NewArgError(1, err)
		}
		return cty.BoolVal(constraint.Check(version)), nil
	},
})
