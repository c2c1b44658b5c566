package guard

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// resultTypes are the types of the functions that have the same one for all arguments.
var resultTypes = map[string]cty.Type{
	"can":        cty.Bool,
	"contains":   cty.Bool,
	"endswith":   cty.Bool,
	"join":       cty.String,
	"length":     cty.Number,
	"lower":      cty.String,
	platformFunc: cty.Bool,
	"replace":    cty.String,
	"semvercmp":  cty.Bool,
	"startswith": cty.Bool,
	"trimprefix": cty.String,
	"trimspace":  cty.String,
	"trimsuffix": cty.String,
	"upper":      cty.String,
}

// staticType returns the type that an expression has whatever the values are, or
// cty.DynamicPseudoType.
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
	case *hclsyntax.TemplateWrapExpr: // "${NAME}" alone is what NAME is
		return staticType(e.Wrapped)
	case *hclsyntax.ScopeTraversalExpr:
		if len(e.Traversal) == 1 {
			return cty.String // every arg is one
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
		if t, ok := resultTypes[e.Name]; ok {
			return t
		}
	}
	return cty.DynamicPseudoType
}

// checkEquality refuses comparisons that can never hold, since a string equals no
// number and no bool, and a number no bool: DEBUG == 1.
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
	hint := "write numbers without quotes; NAME + 0 makes one of an arg"
	negation, isUnary := op.LHS.(*hclsyntax.UnaryOpExpr)
	switch {
	case isUnary && negation.Op == hclsyntax.OpLogicalNot:
		hint = fmt.Sprintf("! is of its operand alone; write !(%s == …)", v.written(negation.Val))
	case staticType(a) == cty.String && isLiteral(b):
		hint = fmt.Sprintf("write %s %s %q", v.written(a), symbol, v.written(b))
	case staticType(a) == cty.Bool || staticType(b) == cty.Bool:
		hint = "leave the comparison out, or negate with !"
	}
	v.reportNeverEqual(op, a, b, hint)
}

// checkContains refuses the search for a string among numbers or bools, and the other
// way round: contains([1, 2], N).
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
	v.report(at, NeverEqual, fmt.Sprintf("%s is a %s and never equal to the %s %s",
		v.written(a), staticType(a).FriendlyName(), staticType(b).FriendlyName(), v.written(b)), hint)
}

// neverEqual reports whether two expressions have different types, and returns them
// with the one that is a string first.
func neverEqual(a, b hclsyntax.Expression) (first, second hclsyntax.Expression, never bool) {
	if staticType(b) == cty.String {
		a, b = b, a
	}
	s, t := staticType(a), staticType(b)
	return a, b, s != t && s.IsPrimitiveType() && t.IsPrimitiveType()
}

// isLiteral reports whether an expression is a number or a bool as it is written.
func isLiteral(expr hclsyntax.Expression) bool {
	expr = unparen(expr)
	if op, ok := expr.(*hclsyntax.UnaryOpExpr); ok && op.Op == hclsyntax.OpNegate {
		expr = op.Val
	}
	_, ok := expr.(*hclsyntax.LiteralValueExpr)
	return ok
}

// written returns an expression as it is written.
func (v *validator) written(expr hclsyntax.Expression) string {
	r := expr.Range()
	return v.source[r.Start.Byte:r.End.Byte]
}
