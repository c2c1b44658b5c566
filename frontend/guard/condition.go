package guard

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/zclconf/go-cty/cty"
)

// Names of the diagnostics about conditions.
const (
	InvalidCondition  = "InvalidCondition"
	ConditionTooLarge = "ConditionTooLarge"
	DollarName        = "DollarName"
	UnknownName       = "UnknownName"
	UnknownFunction   = "UnknownFunction"
	UnknownValue      = "UnknownValue"
	EnvInCondition    = "EnvInCondition"
	NotABool          = "NotABool"
	NotANumber        = "NotANumber"
	NeverEqual        = "NeverEqual"
)

// The bounds of a condition (language.md, section 2).
const (
	maxBytes = 4 << 10
	maxDepth = 64
	// maxString is how long a string may become: replace and join can double
	// one at every level.
	maxString = 64 << 10
)

// Condition is a parsed HCL expression. It is immutable and safe for concurrent
// use.
type Condition struct {
	source string
	expr   hclsyntax.Expression
	names  []name
	// asksPlatform is set when the platform function is called.
	asksPlatform bool
}

// name is one use of a build arg.
type name struct {
	text       string
	start, end int // byte offsets in the source
}

// dollarName is how people who come from a shell write a variable.
var dollarName = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)

// dollarInString is a name that a string does not expand: "$NAME". What HCL reads
// as ${NAME} was written $${NAME}, and is meant.
var dollarInString = regexp.MustCompile(`\$([A-Za-z_][A-Za-z0-9_]*)`)

// ParseCondition parses one HCL native-syntax expression and reports all that
// can be said about it without knowing any value.
func ParseCondition(src string) (*Condition, []*Error) {
	if len(src) > maxBytes {
		return nil, []*Error{{
			Name: ConditionTooLarge, End: len(src),
			Message: fmt.Sprintf("the condition has %d bytes, more than %d", len(src), maxBytes),
			Hint:    "split it over several instructions or args",
		}}
	}
	expr, diags := hclsyntax.ParseExpression([]byte(src), "", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, []*Error{syntaxError(src, diags)}
	}
	c := &Condition{source: src, expr: expr}
	for _, traversal := range hclsyntax.Variables(expr) {
		r := traversal.SourceRange()
		c.names = append(c.names, name{text: traversal.RootName(), start: r.Start.Byte, end: r.Start.Byte + len(traversal.RootName())})
	}
	v := &validator{source: src}
	_ = hclsyntax.Walk(expr, v)
	if len(v.errs) > 0 {
		return nil, v.errs
	}
	_ = hclsyntax.Walk(expr, coercer{})
	c.expr, c.asksPlatform = truth{expr}, v.asksPlatform
	return c, nil
}

// syntaxError turns the first of HCL's diagnostics into ours; the others follow
// from it.
func syntaxError(src string, diags hcl.Diagnostics) *Error {
	first := diags[0]
	err := &Error{Name: InvalidCondition, Message: lowerFirst(first.Summary) + ": " + lowerFirst(strings.TrimSuffix(first.Detail, "."))}
	if first.Subject != nil {
		err.Start, err.End = first.Subject.Start.Byte, max(first.Subject.End.Byte, first.Subject.Start.Byte)
	}
	err.Start, err.End = min(err.Start, len(src)), min(err.End, len(src))
	if m := dollarName.FindStringSubmatchIndex(src[err.Start:]); m != nil && m[0] == 0 {
		return dollarError(src[err.Start+m[2]:err.Start+m[3]], err.Start, err.Start+m[1])
	}
	switch first.Summary {
	case "Missing expression":
		err.Message = "the condition is incomplete"
		err.Hint = `write an expression of build args, DEBUG or TARGETARCH == "arm64" for example`
	case "Extra characters after expression":
		err.Message = "unexpected " + quoteRest(src[err.Start:]) + " after the condition"
		err.Hint = "combine conditions with && or ||"
	case "Invalid character":
		if strings.HasPrefix(src[err.Start:], "'") {
			err.Message = "single quotes do not enclose strings in a condition"
			err.Hint = `write double quotes inside the flag's single quotes, --if='TARGETARCH == "arm64"'`
		}
	}
	return err
}

func dollarError(name string, start, end int) *Error {
	return &Error{
		Name: DollarName, Start: start, End: end,
		Message: "a condition names build args without $",
		Hint:    "write " + name,
	}
}

func quoteRest(s string) string {
	if runes := []rune(s); len(runes) > 20 {
		s = string(runes[:20]) + "…"
	}
	return `"` + s + `"`
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// String returns the condition as it was written.
func (c *Condition) String() string {
	return c.source
}

// IsConstant reports whether the condition depends on nothing: neither on a build
// arg nor on the platform.
func (c *Condition) IsConstant() bool {
	return len(c.names) == 0 && !c.asksPlatform
}

// Names returns the build args that the condition uses, each once, sorted.
func (c *Condition) Names() []string {
	set := map[string]bool{}
	for _, n := range c.names {
		set[n.text] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Check reports each name that the scope does not give a value to, also where
// that value would not matter. Nothing is said of faulty args.
func (c *Condition) Check(scope Scope) []*Error {
	var errs []*Error
	for _, n := range c.names {
		arg, ok := scope.Lookup(n.text)
		err := &Error{Start: n.start, End: n.end}
		switch {
		case arg.Invalid:
			continue
		case !ok:
			err.Name, err.Message = UnknownName, `unknown name "`+n.text+`" in the condition`
			err.Hint = source.DidYouMean(n.text, scope.Names())
			if err.Hint == "" {
				err.Hint = "declare it above with ARG " + n.text
			}
		case arg.IsEnv:
			err.Name, err.Message = EnvInCondition, n.text+" is an ENV, and a condition sees build args only"
			err.Hint = "declare it with ARG " + n.text + " and set the ENV from it"
		case arg.Unknown != "":
			err.Name, err.Message = UnknownValue, "the value of "+n.text+" is known only during the build: its default refers to "+arg.Unknown
			err.Hint = "refer only to ARGs that are declared above in the same stage and have a value"
		default:
			continue
		}
		errs = append(errs, err)
	}
	return errs
}

// IsDecidable reports whether the condition uses no invalid arg.
func (c *Condition) IsDecidable(scope Scope) bool {
	return !slices.ContainsFunc(c.names, func(n name) bool {
		arg, _ := scope.Lookup(n.text)
		return arg.Invalid
	})
}

// Eval returns whether the condition holds. Check must have found no error for
// the same scope, and it must be decidable there. The error is an *Error.
func (c *Condition) Eval(target Platform, scope Scope) (bool, error) {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions}
	if c.asksPlatform {
		ctx.Functions = functionsFor(target)
	}
	for _, n := range c.names {
		arg, _ := scope.Lookup(n.text)
		ctx.Variables[n.text] = cty.StringVal(arg.Value)
	}
	v, diags := c.expr.Value(ctx)
	if !diags.HasErrors() {
		return v.True(), nil
	}
	return false, evalError(diags[0])
}

// evalError turns one of HCL's diagnostics into ours. What a function of ours
// says comes as it is, at the function's name.
func evalError(d *hcl.Diagnostic) *Error {
	if err, ok := d.Extra.(*Error); ok {
		return err
	}
	// What cty says of a panic in one of its functions goes on with a stack trace.
	detail, _, _ := strings.Cut(d.Detail, "\n")
	err := &Error{Name: InvalidCondition, Message: lowerFirst(strings.TrimSuffix(detail, "."))}
	if d.Subject != nil {
		err.Start, err.End = d.Subject.Start.Byte, d.Subject.End.Byte
	}
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
		if cause, ok := errors.AsType[*Error](call.FunctionCallError()); ok {
			err.Name, err.Message, err.Hint = cause.Name, cause.Message, cause.Hint
			err.End = err.Start + len(call.CalledFunctionName())
		}
	}
	return err
}

// Outcome says what the condition is, and what each name stood for:
// `DEBUG == "1" is false with DEBUG = "0"`.
func (c *Condition) Outcome(holds bool, scope Scope) string {
	return c.source + " is " + strconv.FormatBool(holds) + c.values(scope)
}

// values says what each name stood for.
func (c *Condition) values(scope Scope) string {
	var parts []string
	for _, n := range c.Names() {
		arg, _ := scope.Lookup(n)
		parts = append(parts, fmt.Sprintf("%s = %q", n, arg.Value))
	}
	if len(parts) == 0 {
		return ""
	}
	return " with " + strings.Join(parts, ", ")
}
