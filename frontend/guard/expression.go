package guard

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// validator reports the errors of an expression that do not depend on values.
type validator struct {
	source        string
	fixes         int // how many errors a fix may repair
	depth         int
	errs          []*Error
	callsPlatform bool
	// compared has the offsets of the operands of == and !=.
	compared    map[int]bool
	comparisons []comparison
	// patternEnd is the end of the last pattern without quotes, whose parts are not checked.
	patternEnd int
}

// Enter implements hclsyntax.Walker.
func (v *validator) Enter(node hclsyntax.Node) hcl.Diagnostics {
	v.depth++
	if v.depth == maxDepth+1 {
		v.report(node, ConditionTooLarge, fmt.Sprintf("the condition is nested more than %d levels deep", maxDepth), "move parts of it into args, as in ARG --if=CONDITION PART=1")
	}
	switch n := node.(type) {
	case *hclsyntax.FunctionCallExpr:
		v.checkCall(n)
	case *hclsyntax.BinaryOpExpr:
		// A chain of one operator counts as one level: a && b && c.
		if lhs, ok := n.LHS.(*hclsyntax.BinaryOpExpr); ok && lhs.Op == n.Op {
			v.depth--
		}
		v.checkDivision(n)
		v.checkEquality(n)
	case *hclsyntax.TemplateExpr:
		v.checkDollar(n)
	case *hclsyntax.LiteralValueExpr:
		if n.Val.Type() == cty.Number && !n.Val.IsNull() && !inRange(n.Val) {
			v.report(n, NotANumber, "the number is out of range", rangeHint)
		}
	case *hclsyntax.ForExpr:
		// Nested for expressions can run for hours, even in 4 KiB of text.
		v.report(n, InvalidCondition, "a condition cannot have for expressions", "use contains, length, regex or can")
	}
	return nil
}

// Exit implements hclsyntax.Walker.
func (v *validator) Exit(node hclsyntax.Node) hcl.Diagnostics {
	v.depth--
	if n, ok := node.(*hclsyntax.BinaryOpExpr); ok {
		if lhs, ok := n.LHS.(*hclsyntax.BinaryOpExpr); ok && lhs.Op == n.Op {
			v.depth++
		}
	}
	return nil
}

func (v *validator) report(node hclsyntax.Node, name, message, hint string) {
	r := node.Range()
	v.errs = append(v.errs, &Error{Start: r.Start.Byte, End: r.End.Byte, Name: name, Message: message, Hint: hint})
}

// reportFix reports an error whose fix is another text in place of the node.
func (v *validator) reportFix(node hclsyntax.Node, name, message, text string) {
	v.report(node, name, message, "")
	err, r := v.errs[len(v.errs)-1], node.Range()
	if len(v.errs) == 1 {
		err.replaceBy(v.source, r.Start.Byte, r.End.Byte, text, v.fixes)
	} else {
		err.Hint = "write " + text
	}
}

func (v *validator) checkCall(call *hclsyntax.FunctionCallExpr) {
	if _, ok := functionNamed(call.Name); !ok {
		hint := source.DidYouMean(call.Name, functionNames())
		if hint == "" {
			hint = "the functions are " + strings.Join(functionNames(), ", ")
		}
		v.errs = append(v.errs, &Error{
			Start: call.NameRange.Start.Byte, End: call.NameRange.End.Byte,
			Name: UnknownFunction, Message: `unknown function "` + call.Name + `"`, Hint: hint,
		})
	}
	v.checkContains(call)
	if call.Name != platformFunc {
		return
	}
	v.callsPlatform = true
	for _, arg := range call.Args {
		text, ok := literalString(arg)
		if !ok {
			v.checkBarePattern(arg)
			continue
		}
		if _, errs := ParsePlatforms(text); len(errs) > 0 {
			v.report(arg, errs[0].Name, errs[0].Message, errs[0].Hint)
		}
	}
}

// checkDivision reports a platform without quotes, as in TARGETPLATFORM == linux/arm64.
func (v *validator) checkDivision(op *hclsyntax.BinaryOpExpr) {
	r := op.Range()
	if op.Op != hclsyntax.OpDivide || r.Start.Byte < v.patternEnd || !v.isBarePattern(op) {
		return
	}
	v.patternEnd = r.End.Byte
	text := strconv.Quote(v.written(op))
	if !v.compared[r.Start.Byte] {
		text = platformFunc + "(" + text + ")"
	}
	v.reportFix(op, InvalidCondition, "the platform "+v.written(op)+" needs double quotes", text)
}

// checkBarePattern reports a pattern without quotes, platform(linux/arm64). It is a
// common mistake in a flag, whose own quotes are removed before the condition is read.
func (v *validator) checkBarePattern(arg hclsyntax.Expression) {
	if v.isBarePattern(arg) {
		v.patternEnd = arg.Range().End.Byte
		v.reportFix(arg, InvalidCondition, "the platform pattern "+v.written(arg)+" needs double quotes", strconv.Quote(v.written(arg)))
	}
}

// isBarePattern reports whether an expression is a platform pattern without quotes.
func (v *validator) isBarePattern(expr hclsyntax.Expression) bool {
	_, errs := ParsePlatforms(v.written(expr))
	return len(errs) == 0
}

// checkDollar reports "$NAME" in a string, which HCL takes literally.
func (v *validator) checkDollar(template *hclsyntax.TemplateExpr) {
	for _, part := range template.Parts {
		literal, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || literal.Val.IsNull() || literal.Val.Type() != cty.String {
			continue
		}
		if m := dollarInString.FindStringSubmatch(literal.Val.AsString()); m != nil {
			v.report(literal, DollarName, "a string in a condition does not expand "+m[0], "write "+m[1]+" outside quotes, or ${"+m[1]+"} inside")
		}
	}
}

func unparen(expr hclsyntax.Expression) hclsyntax.Expression {
	for {
		p, ok := expr.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return expr
		}
		expr = p.Expression
	}
}

func literalString(expr hclsyntax.Expression) (string, bool) {
	template, ok := unparen(expr).(*hclsyntax.TemplateExpr)
	if !ok || !template.IsStringLiteral() {
		return "", false
	}
	v, diags := template.Value(nil)
	return v.AsString(), !diags.HasErrors()
}

// operandWrapper wraps each operand that has to be a bool or a number, so that strings
// are accepted. HCL's own conversion refuses the empty string.
type operandWrapper struct{}

// Enter implements hclsyntax.Walker.
func (operandWrapper) Enter(hclsyntax.Node) hcl.Diagnostics { return nil }

// Exit implements hclsyntax.Walker. It wraps the operands of a node, which have been
// walked by then.
func (operandWrapper) Exit(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case *hclsyntax.BinaryOpExpr:
		switch n.Op {
		case hclsyntax.OpLogicalAnd, hclsyntax.OpLogicalOr:
			n.LHS, n.RHS = boolOperand{n.LHS}, boolOperand{n.RHS}
		case hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual,
			hclsyntax.OpAdd, hclsyntax.OpSubtract, hclsyntax.OpMultiply, hclsyntax.OpDivide, hclsyntax.OpModulo:
			n.LHS, n.RHS = numberOperand{n.LHS}, numberOperand{n.RHS}
		}
	case *hclsyntax.UnaryOpExpr:
		switch n.Op {
		case hclsyntax.OpLogicalNot:
			n.Val = boolOperand{n.Val}
		case hclsyntax.OpNegate:
			n.Val = numberOperand{n.Val}
		}
	case *hclsyntax.ConditionalExpr:
		n.Condition = boolOperand{n.Condition}
	}
	return nil
}

// boolOperand is an expression whose value is converted to a bool.
type boolOperand struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (t boolOperand) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := t.Expression.Value(ctx)
	if diags.HasErrors() {
		return v, diags
	}
	switch {
	case v.IsNull() || !v.IsKnown():
	case v.Type() == cty.Bool:
		return v, diags
	case v.Type().IsPrimitiveType(): // the number 1 counts as "1"
		text, err := convert.Convert(v, cty.String)
		if err != nil {
			break
		}
		switch strings.ToLower(text.AsString()) {
		case "true", "1":
			return cty.True, diags
		case "false", "0", "":
			return cty.False, diags
		}
	}
	hint := `a bool is true, 1, false, 0 or ""`
	if isName(t.Expression) {
		hint = `set it to true, 1, false, 0 or ""`
	}
	return cty.False, invalidOperand(t.Expression, NotABool, describe(t.Expression, v)+" is not a bool", hint)
}

// numberOperand is an expression whose value is converted to a number.
type numberOperand struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (n numberOperand) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := n.Expression.Value(ctx)
	if diags.HasErrors() {
		return v, diags
	}
	if !v.IsNull() {
		if converted, err := convert.Convert(v, cty.Number); err == nil {
			if inRange(converted) {
				return converted, diags
			}
			return cty.Zero, invalidOperand(n.Expression, NotANumber, "the number is out of range", rangeHint)
		}
	}
	return cty.Zero, invalidOperand(n.Expression, NotANumber,
		describe(n.Expression, v)+" is not a number",
		"<, <=, > and >= compare numbers; to compare versions, write semvercmp(VERSION, \">= 1.4\")")
}

// rangeHint is the hint for a number that is out of range.
const rangeHint = "use at most 300 digits"

// inRange reports whether a number is small enough to be computed with and printed
// quickly, which 1e999999999 is not.
func inRange(v cty.Value) bool {
	f := v.AsBigFloat()
	exponent := f.MantExp(nil)
	return !f.IsInf() && -1024 <= exponent && exponent <= 1024
}

// describe returns an expression's value for a message: `DEBUG = "maybe"` for a name,
// and the value alone otherwise.
func describe(expr hclsyntax.Expression, v cty.Value) string {
	text := "a value of type " + v.Type().FriendlyName()
	if v.IsNull() {
		text = "null"
	} else if s, err := convert.Convert(v, cty.String); err == nil && v.Type() == cty.String {
		text = fmt.Sprintf("%q", s.AsString())
	} else if err == nil {
		text = s.AsString()
	}
	if arg, ok := unparen(expr).(*hclsyntax.ScopeTraversalExpr); ok && isName(expr) {
		return arg.Traversal.RootName() + " = " + text
	}
	return text
}

// invalidOperand returns an *Error in the form of HCL's diagnostics.
func invalidOperand(expr hclsyntax.Expression, name, message, hint string) hcl.Diagnostics {
	r := expr.Range()
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: name, Detail: message, Subject: &r,
		Extra: &Error{Start: r.Start.Byte, End: r.End.Byte, Name: name, Message: message, Hint: hint},
	}}
}
