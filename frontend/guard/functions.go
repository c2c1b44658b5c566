package guard

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Function documents a function that conditions can call.
type Function struct {
	Name string
	// Params are the parameters as the documentation shows them, "s, prefix".
	Params string
	// Doc is one sentence about the result.
	Doc string
}

// String returns the function's signature, "lower(s)" for example.
func (f Function) String() string {
	return f.Name + "(" + f.Params + ")"
}

// conditionFunction is an entry of the table of functions.
type conditionFunction struct {
	Function
	// result is the type of the result, or cty.DynamicPseudoType if it depends on
	// the arguments.
	result cty.Type
	// call is the implementation. It is the zero value for platform, whose result
	// depends on the target.
	call function.Function
}

// platformFunc is the name of the only function whose result depends on the target
// platform.
const platformFunc = "platform"

// functionTable has all functions of conditions, sorted by name: bake's (buildx
// bake/hclparser/stdlib.go) that are pure and help to choose, and a few others. None
// reads a clock, a file, randomness or the environment. To add a function, add it
// here and to docs/reference.md.
var functionTable = []conditionFunction{
	{Function{"can", "a", "Whether a has a value, without an error."}, cty.Bool, tryfunc.CanFunc},
	{Function{"coalesce", "a, …", "The first argument that is not null."}, cty.DynamicPseudoType, stdlib.CoalesceFunc},
	{Function{"contains", "list, value", "Whether a list contains a value."}, cty.Bool, stdlib.ContainsFunc},
	{Function{"endswith", "s, suffix", "Whether a string ends with a suffix."}, cty.Bool, stringTest(strings.HasSuffix)},
	{Function{"join", "separator, list", "The elements of a list in one string."}, cty.String, bounded(stdlib.JoinFunc, joinedSize)},
	{Function{"length", "list", "The number of elements of a list."}, cty.Number, stdlib.LengthFunc},
	{Function{"lower", "s", "A string in lower case."}, cty.String, stdlib.LowerFunc},
	{Function{platformFunc, "pattern, …", "Whether the target platform matches the patterns."}, cty.Bool, function.Function{}},
	{Function{"regex", "pattern, s", "The first match of a pattern. No match is an error."}, cty.DynamicPseudoType, stdlib.RegexFunc},
	{Function{"regexall", "pattern, s", "All matches of a pattern."}, cty.DynamicPseudoType, stdlib.RegexAllFunc},
	{Function{"replace", "s, from, to", "A string with every from replaced by to."}, cty.String, bounded(stdlib.ReplaceFunc, replacedSize)},
	{Function{"semvercmp", "version, constraint", "Whether a version satisfies a constraint."}, cty.Bool, semvercmp},
	{Function{"split", "separator, s", "The parts of a string, as a list."}, cty.DynamicPseudoType, stdlib.SplitFunc},
	{Function{"startswith", "s, prefix", "Whether a string starts with a prefix."}, cty.Bool, stringTest(strings.HasPrefix)},
	{Function{"trimprefix", "s, prefix", "A string without a prefix."}, cty.String, stdlib.TrimPrefixFunc},
	{Function{"trimspace", "s", "A string without the white space around it."}, cty.String, stdlib.TrimSpaceFunc},
	{Function{"trimsuffix", "s, suffix", "A string without a suffix."}, cty.String, stdlib.TrimSuffixFunc},
	{Function{"try", "a, …", "The first argument that has a value, without an error."}, cty.DynamicPseudoType, tryfunc.TryFunc},
	{Function{"upper", "s", "A string in upper case."}, cty.String, stdlib.UpperFunc},
}

// Functions returns the functions that conditions can call, sorted by name.
func Functions() []Function {
	list := make([]Function, len(functionTable))
	for i, f := range functionTable {
		list[i] = f.Function
	}
	return list
}

// functionNamed returns the function of a name.
func functionNamed(name string) (conditionFunction, bool) {
	for _, f := range functionTable {
		if f.Name == name {
			return f, true
		}
	}
	return conditionFunction{}, false
}

// functionNames returns the names of all functions, sorted.
func functionNames() []string {
	names := make([]string, len(functionTable))
	for i, f := range functionTable {
		names[i] = f.Name
	}
	return names
}

// targetless are the implementations of all functions but platform, by name.
var targetless = func() map[string]function.Function {
	calls := map[string]function.Function{}
	for _, f := range functionTable {
		if f.Name != platformFunc {
			calls[f.Name] = f.call
		}
	}
	return calls
}()

// functionsFor returns the implementations of all functions for a target platform.
func functionsFor(target Platform) map[string]function.Function {
	all := maps.Clone(targetless)
	all[platformFunc] = function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "pattern", Type: cty.String},
		Type:     function.StaticReturnType(cty.Bool),
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

// bounded returns a function that refuses to create a string of more than maxString
// bytes. size computes the length of the result from the arguments.
func bounded(f function.Function, size func(args []cty.Value) int) function.Function {
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type:     f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if size(args) > maxString {
				return cty.NilVal, &Error{
					Name:    ConditionTooLarge,
					Message: fmt.Sprintf("the condition creates a string of more than %d bytes", maxString),
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

func stringTest(test func(s, affix string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "affix", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// semvercmp behaves as bake's function of the same name.
var semvercmp = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "version", Type: cty.String}, {Name: "constraint", Type: cty.String}},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		version, err := semver.NewVersion(args[0].AsString())
		if err != nil {
			return cty.False, &Error{
				Name: InvalidCondition, Message: strconv.Quote(args[0].AsString()) + " is not a version",
				Hint: "semvercmp compares a version such as 1.4.2",
			}
		}
		constraint, err := semver.NewConstraint(args[1].AsString())
		if err != nil {
			return cty.False, &Error{
				Name: InvalidCondition, Message: strconv.Quote(args[1].AsString()) + " is not a version constraint",
				Hint: "write a constraint such as >=1.4 or ~1.4",
			}
		}
		return cty.BoolVal(constraint.Check(version)), nil
	},
})
