package guard

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/stagebuild/stagebuild/frontend/source"
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

// The limits of a condition ("Conditions" in docs/reference.md).
const (
	maxBytes = 4 << 10
	maxDepth = 64
	// maxString limits the strings that a condition creates, in bytes: replace and
	// join can double a string at every level.
	maxString = 64 << 10
)

// Condition is a parsed HCL expression. It is immutable and safe for concurrent
// use.
type Condition struct {
	source string
	expr   hclsyntax.Expression
	names  []name
	// callsPlatform is set if the condition calls the platform function.
	callsPlatform bool
	comparisons   []comparison
}

// name is one use of a build arg.
type name struct {
	text       string
	start, end int // byte offsets in the source
	// compared is set if the name is an operand of == or !=.
	compared bool
}

// dollarName matches a variable as shells write it, $NAME or ${NAME}.
var dollarName = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)

// dollarInString matches $NAME, which HCL does not expand in a string. It does not
// match the text ${NAME}, which is only there if the user escaped it as $${NAME}.
var dollarInString = regexp.MustCompile(`\$([A-Za-z_][A-Za-z0-9_]*)`)

// ParseCondition parses one HCL native-syntax expression and reports every error that
// does not depend on the values of build args. The first error has a fix if one is known.
func ParseCondition(src string) (*Condition, []*Error) {
	return parseCondition(src, maxFixes)
}

func parseCondition(src string, fixes int) (*Condition, []*Error) {
	if len(src) > maxBytes {
		return nil, []*Error{{
			Name: ConditionTooLarge, End: len(src),
			Message: fmt.Sprintf("the condition has %d bytes, more than %d", len(src), maxBytes),
			Hint:    "split it over several instructions or args",
		}}
	}
	expr, diags := hclsyntax.ParseExpression([]byte(src), "", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, []*Error{syntaxError(src, diags, fixes)}
	}
	c := &Condition{source: src, expr: expr}
	for _, traversal := range hclsyntax.Variables(expr) {
		r := traversal.SourceRange()
		c.names = append(c.names, name{text: traversal.RootName(), start: r.Start.Byte, end: r.Start.Byte + len(traversal.RootName())})
	}
	v := &validator{source: src, fixes: fixes, compared: map[int]bool{}}
	_ = hclsyntax.Walk(expr, v)
	if len(v.errs) > 0 {
		return nil, v.errs
	}
	for i := range c.names {
		c.names[i].compared = v.compared[c.names[i].start]
	}
	_ = hclsyntax.Walk(expr, operandWrapper{})
	c.expr, c.callsPlatform, c.comparisons = boolOperand{expr}, v.callsPlatform, v.comparisons
	return c, nil
}

// syntaxError converts the first of HCL's diagnostics. The others are consequences of
// it.
func syntaxError(src string, diags hcl.Diagnostics, fixes int) *Error {
	first := diags[0]
	err := &Error{Name: InvalidCondition, Message: lowerFirst(first.Summary) + ": " + lowerFirst(strings.TrimSuffix(first.Detail, "."))}
	if first.Subject != nil {
		err.Start, err.End = first.Subject.Start.Byte, max(first.Subject.End.Byte, first.Subject.Start.Byte)
	}
	err.Start, err.End = min(err.Start, len(src)), min(err.End, len(src))
	err.rewriteTo(src, asHCL(src), fixes)
	if m := dollarName.FindStringSubmatchIndex(src[err.Start:]); m != nil && m[0] == 0 {
		err.Name, err.Message, err.End = DollarName, "build args have no $ in a condition", err.Start+m[1]
		if err.Fix == "" {
			err.Hint = "write " + src[err.Start+m[2]:err.Start+m[3]]
		}
		return err
	}
	switch {
	case first.Summary == "Missing expression" && err.Fix == "":
		err.Message = "the condition is incomplete"
		err.Hint = `write an expression of build args, such as DEBUG or TARGETARCH == "arm64"`
	case first.Summary == "Extra characters after expression":
		err.Message = "unexpected " + quoteRest(src[err.Start:]) + " after the condition"
		if err.Fix == "" {
			err.Hint = "combine conditions with && or ||"
		} else {
			err.Message = "unexpected " + quoteRest(src[err.Start:err.End]) + " in the condition"
		}
	case first.Summary == "Invalid character" && strings.HasPrefix(src[err.Start:], "'"):
		err.Message = "strings in a condition need double quotes"
	case first.Summary == "Invalid escape sequence":
		err.Message = "unknown escape sequence " + src[err.Start:err.End] + " in a string"
	case first.Summary == "Invalid character":
		err.Message = "unexpected character " + quoteRest(src[err.Start:err.End]) + " in the condition"
	case err.Fix != "":
		err.Message = "the condition is not in the syntax of HCL"
	}
	return err
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

// IsConstant reports whether the condition depends neither on a build arg nor on the
// platform.
func (c *Condition) IsConstant() bool {
	return len(c.names) == 0 && !c.callsPlatform
}

// Names returns the build args that the condition uses, each once, sorted.
func (c *Condition) Names() []string {
	set := map[string]bool{}
	for _, n := range c.names {
		set[n.text] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Check returns an error for each name that has no known value in the scope, even
// where the value would not matter, and for each automatic arg that is compared with a
// value that it never has. It ignores invalid args.
func (c *Condition) Check(scope Scope) []*Error {
	var errs []*Error
	for _, n := range c.names {
		arg, ok := scope.Lookup(n.text)
		err := &Error{Start: n.start, End: n.end}
		switch {
		case arg.Invalid:
			continue
		case !ok:
			c.explainUnknown(err, n, scope)
		case arg.IsEnv:
			err.Name, err.Message = EnvInCondition, n.text+" is set by "+envAt(arg.EnvLine)+", and a condition can only use build args"
			err.Hint = "write ARG " + n.text + "=VALUE above it, and ENV " + n.text + "=$" + n.text
		case arg.Unknown.IsUnknown():
			err.Name, err.Message = UnknownValue, "the value of "+n.text+" is only known during the build, because its default refers to "+arg.Unknown.Variable
			if arg.Unknown.Cause != "" {
				err.Message += ", " + arg.Unknown.Cause
			}
			err.Hint = cmp.Or(arg.Unknown.Hint, "refer only to ARGs that are declared above in the same stage and have a value")
		default:
			continue
		}
		errs = append(errs, err)
	}
	return append(errs, c.checkPlatforms(scope)...)
}

// envAt returns how messages name the ENV on a line, which is 0 if it is unknown.
func envAt(line int) string {
	if line == 0 {
		return "ENV"
	}
	return "ENV on line " + strconv.Itoa(line)
}

// explainUnknown completes the error for a name that is not declared.
func (c *Condition) explainUnknown(err *Error, n name, scope Scope) {
	err.Name, err.Message = UnknownName, `unknown name "`+n.text+`" in the condition`
	isBool := strings.EqualFold(n.text, "true") || strings.EqualFold(n.text, "false")
	_, errs := ParsePlatforms(n.text)
	isPlatform := len(errs) == 0
	if !isBool && !isPlatform {
		advice, isElsewhere := scope.Declaration(n.text)
		if err.Hint = advice; isElsewhere {
			return
		}
		if near := source.DidYouMean(n.text, scope.Names()); near != "" {
			err.Hint = near
			return
		}
	}
	switch {
	case isBool:
		err.replaceBy(c.source, n.start, n.end, strings.ToLower(n.text), maxFixes)
	case n.compared:
		err.replaceBy(c.source, n.start, n.end, strconv.Quote(n.text), maxFixes)
	case isPlatform:
		err.replaceBy(c.source, n.start, n.end, platformFunc+"("+strconv.Quote(n.text)+")", maxFixes)
	}
}

// IsDecidable reports whether the condition uses no invalid arg.
func (c *Condition) IsDecidable(scope Scope) bool {
	return !slices.ContainsFunc(c.names, func(n name) bool {
		arg, _ := scope.Lookup(n.text)
		return arg.Invalid
	})
}

// Eval reports whether the condition holds. In the same scope, Check must have returned
// no error and IsDecidable must be true. The error is an *Error.
func (c *Condition) Eval(target Platform, scope Scope) (bool, error) {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: targetless}
	if c.callsPlatform {
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
	err := evalError(diags[0])
	if err.Name == NotABool && slices.ContainsFunc(c.names, func(n name) bool { return n.start == err.Start && n.end == err.End }) {
		arg, _ := scope.Lookup(c.source[err.Start:err.End])
		err.replaceBy(c.source, err.Start, err.End, c.source[err.Start:err.End]+" == "+strconv.Quote(arg.Value), maxFixes)
	}
	return false, err
}

// evalError converts one of HCL's diagnostics. An error of one of our own functions
// keeps its text, and is placed at the function's name.
func evalError(d *hcl.Diagnostic) *Error {
	if err, ok := d.Extra.(*Error); ok {
		return err
	}
	// For a panic in one of its functions, cty adds a stack trace below the first line.
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

// Outcome returns the condition, its result and the values of its names:
// `DEBUG == "1" is false with DEBUG = "0"`.
func (c *Condition) Outcome(holds bool, scope Scope) string {
	return c.source + " is " + strconv.FormatBool(holds) + c.values(scope)
}

// values lists the names of the condition with their values.
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
