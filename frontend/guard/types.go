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
	v.addComparison(op.LHS, op.RHS, op)
	v.addComparison(op.RHS, op.LHS, op)
	for _, operand := range []hclsyntax.Expression{op.LHS, op.RHS} {
		v.compared[operand.Range().Start.Byte] = true
		if isDivision(operand) && v.isBarePattern(operand) {
			return // checkDivision reports it
		}
	}
	a, b, never := neverEqual(op.LHS, op.RHS)
	if !never {
		return
	}
	message := fmt.Sprintf("%s is a %s, which never equals the %s %s",
		v.written(a), staticType(a).FriendlyName(), staticType(b).FriendlyName(), v.written(b))
	negation, isUnary := op.LHS.(*hclsyntax.UnaryOpExpr)
	value, isBool := literalBool(b)
	switch {
	case isUnary && negation.Op == hclsyntax.OpLogicalNot:
		v.reportFix(op, NeverEqual, message+", because ! binds tighter than "+symbol,
			fmt.Sprintf("!(%s %s %s)", v.written(negation.Val), symbol, v.written(op.RHS)))
	case isName(a) && isBool && value == (op.Op == hclsyntax.OpEqual):
		v.reportFix(op, NeverEqual, message, v.written(a))
	case isName(a) && isBool:
		v.reportFix(op, NeverEqual, message, "!"+v.written(a))
	case staticType(a) == cty.String && isLiteral(b):
		v.reportFix(op, NeverEqual, message, fmt.Sprintf("%s %s %q", v.written(a), symbol, v.written(b)))
	case staticType(a) == cty.Bool || staticType(b) == cty.Bool:
		v.report(op, NeverEqual, message, "leave out the comparison, or negate with !")
	default:
		v.report(op, NeverEqual, message, "write numbers without quotes; NAME + 0 converts an arg to a number")
	}
}

// checkContains reports a search in a string, contains(DEBUG, "1"), and a search for a
// string among numbers or bools, or the other way round: contains([1, 2], N).
func (v *validator) checkContains(call *hclsyntax.FunctionCallExpr) {
	if call.Name != "contains" || len(call.Args) != 2 {
		return
	}
	if staticType(call.Args[0]) == cty.String {
		text, value := v.written(call.Args[0]), v.written(call.Args[1])
		v.reportFix(call, InvalidCondition, "contains searches a list, and "+text+" is a string", "can(regex("+value+", "+text+"))")
		return
	}
	list, ok := unparen(call.Args[0]).(*hclsyntax.TupleConsExpr)
	if !ok {
		return
	}
	for _, element := range list.Exprs {
		v.addComparison(call.Args[1], element, nil)
		if a, b, never := neverEqual(element, call.Args[1]); never {
			v.reportFix(b, NeverEqual, fmt.Sprintf("%s is a %s, which never equals the %s %s",
				v.written(a), staticType(a).FriendlyName(), staticType(b).FriendlyName(), v.written(b)), strconv.Quote(v.written(b)))
			return
		}
	}
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

// literalBool returns the value of a literal bool.
func literalBool(expr hclsyntax.Expression) (value, ok bool) {
	literal, ok := unparen(expr).(*hclsyntax.LiteralValueExpr)
	if !ok || literal.Val.IsNull() || literal.Val.Type() != cty.Bool {
		return false, false
	}
	return literal.Val.True(), true
}

// isName reports whether an expression is the name of a build arg.
func isName(expr hclsyntax.Expression) bool {
	name, ok := unparen(expr).(*hclsyntax.ScopeTraversalExpr)
	return ok && len(name.Traversal) == 1
}

func isDivision(expr hclsyntax.Expression) bool {
	op, ok := expr.(*hclsyntax.BinaryOpExpr)
	return ok && op.Op == hclsyntax.OpDivide
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
