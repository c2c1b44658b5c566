package guard

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// staticType returns the type of an expression if it does not depend on values, and
// otherwise cty.DynamicPseudoType.
func staticType(expr hclsyntax.Expression) cty.Type {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return staticType(e.Expression)
	case *hclsyntax.LiteralValueExpr:
		if !e.Val.IsNull() {
			return e.Val.Type()
		}
	case *hclsyntax.TemplateExpr:
		return cty.String
	case *hclsyntax.TemplateWrapExpr: // "${NAME}" alone has the type of NAME
		return staticType(e.Wrapped)
	case *hclsyntax.ScopeTraversalExpr:
		if len(e.Traversal) == 1 {
			return cty.String // the type of every arg
		}
	case *hclsyntax.UnaryOpExpr:
		return e.Op.Type
	case *hclsyntax.BinaryOpExpr:
		return e.Op.Type
	case *hclsyntax.ConditionalExpr:
		if t := staticType(e.TrueResult); t == staticType(e.FalseResult) {
			return t
		}
	case *hclsyntax.FunctionCallExpr:
		if f, ok := functionNamed(e.Name); ok {
			return f.result
		}
	}
	return cty.DynamicPseudoType
}

// checkEquality reports a comparison of values of different types, which never holds:
// DEBUG == 1 compares a string with a number.
func (v *validator) checkEquality(op *hclsyntax.BinaryOpExpr) {
	symbol := "=="
	switch op.Op {
	case hclsyntax.OpEqual:
	case hclsyntax.OpNotEqual:
		symbol = "!="
	default:
		return
	}
	a, b, never := neverEqual(op.LHS, op.RHS)
	if !never {
		return
	}
	hint := "write numbers without quotes; NAME + 0 converts an arg to a number"
	negation, isUnary := op.LHS.(*hclsyntax.UnaryOpExpr)
	switch {
	case isUnary && negation.Op == hclsyntax.OpLogicalNot:
		hint = fmt.Sprintf("! binds tighter than %[2]s; write !(%[1]s %[2]s …)", v.written(negation.Val), symbol)
	case staticType(a) == cty.String && isLiteral(b):
		hint = fmt.Sprintf("write %s %s %q", v.written(a), symbol, v.written(b))
	case staticType(a) == cty.Bool || staticType(b) == cty.Bool:
		hint = "leave out the comparison, or negate with !"
	}
	v.reportNeverEqual(op, a, b, hint)
}

// checkContains reports a search for a string among numbers or bools, or the other way
// round: contains([1, 2], N).
func (v *validator) checkContains(call *hclsyntax.FunctionCallExpr) {
	if call.Name != "contains" || len(call.Args) != 2 {
		return
	}
	list, ok := unparen(call.Args[0]).(*hclsyntax.TupleConsExpr)
	if !ok {
		return
	}
	for _, element := range list.Exprs {
		if a, b, never := neverEqual(element, call.Args[1]); never {
			v.reportNeverEqual(element, a, b, "write "+strconv.Quote(v.written(b)))
			return
		}
	}
}

func (v *validator) reportNeverEqual(at hclsyntax.Node, a, b hclsyntax.Expression, hint string) {
	v.report(at, NeverEqual, fmt.Sprintf("%s is a %s, which never equals the %s %s",
		v.written(a), staticType(a).FriendlyName(), staticType(b).FriendlyName(), v.written(b)), hint)
}

// neverEqual reports whether two expressions always have different types. It returns
// them, a string first.
func neverEqual(a, b hclsyntax.Expression) (first, second hclsyntax.Expression, never bool) {
	if staticType(b) == cty.String {
		a, b = b, a
	}
	s, t := staticType(a), staticType(b)
	return a, b, s != t && s.IsPrimitiveType() && t.IsPrimitiveType()
}

// isLiteral reports whether an expression is a literal number or bool.
func isLiteral(expr hclsyntax.Expression) bool {
	expr = unparen(expr)
	if op, ok := expr.(*hclsyntax.UnaryOpExpr); ok && op.Op == hclsyntax.OpNegate {
		expr = op.Val
	}
	_, ok := expr.(*hclsyntax.LiteralValueExpr)
	return ok
}

// written returns the source text of an expression.
func (v *validator) written(expr hclsyntax.Expression) string {
	r := expr.Range()
	return v.source[r.Start.Byte:r.End.Byte]
}
