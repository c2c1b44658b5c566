package guard

import (
	"math/big"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Literals returns, for build args that the condition uses, values to try: the
// strings that an arg is compared with or looked up among, "0" and "1" where it reads
// as a bool, and the numbers around one that it is measured by. Each list is sorted.
func (c *Condition) Literals() map[string][]string {
	found := literals{condition: c, values: map[string][]string{}}
	_ = hclsyntax.Walk(c.expr, found)
	for name, values := range found.values {
		slices.Sort(values)
		found.values[name] = slices.Compact(values)
	}
	return found.values
}

// literals collects values by build arg.
type literals struct {
	condition *Condition
	values    map[string][]string
}

// Enter implements hclsyntax.Walker.
func (l literals) Enter(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case truth:
		if _, ok := unparen(n.Expression).(*hclsyntax.ScopeTraversalExpr); ok {
			l.add(n.Expression, "0", "1")
		}
		// What is wrapped is not entered by itself.
		return l.Enter(n.Expression)
	case number:
		return l.Enter(n.Expression)
	case *hclsyntax.BinaryOpExpr:
		l.compared(n)
	case *hclsyntax.FunctionCallExpr:
		if n.Name == "contains" && len(n.Args) == 2 {
			if list, ok := unparen(n.Args[0]).(*hclsyntax.TupleConsExpr); ok {
				l.pair(n.Args[1], list.Exprs...)
			}
		}
	}
	return nil
}

// Exit implements hclsyntax.Walker.
func (l literals) Exit(hclsyntax.Node) hcl.Diagnostics { return nil }

func (l literals) compared(op *hclsyntax.BinaryOpExpr) {
	switch op.Op {
	case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
		l.pair(op.LHS, op.RHS)
		l.pair(op.RHS, op.LHS)
	case hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual:
		l.measured(op.LHS, op.RHS)
		l.measured(op.RHS, op.LHS)
	}
}

// pair adds the strings among values to the one build arg in an expression, which may
// be changed on the way: lower(NAME).
func (l literals) pair(expr hclsyntax.Expression, values ...hclsyntax.Expression) {
	for _, value := range values {
		if text, ok := literalString(value); ok {
			l.add(expr, text)
		}
	}
}

// measured adds the numbers around one that a build arg is measured by.
func (l literals) measured(expr, limit hclsyntax.Expression) {
	wrapped, ok := limit.(number)
	if !ok {
		return
	}
	literal, ok := unparen(wrapped.Expression).(*hclsyntax.LiteralValueExpr)
	if !ok || literal.Val.IsNull() || literal.Val.Type() != cty.Number {
		return
	}
	for _, step := range []float64{-1, 0, 1} {
		n := new(big.Float).Add(literal.Val.AsBigFloat(), big.NewFloat(step))
		l.add(expr, n.Text('f', -1))
	}
}

// add adds values to the build arg of an expression that has just one.
func (l literals) add(expr hclsyntax.Expression, values ...string) {
	only, r := "", expr.Range()
	for _, n := range l.condition.names {
		switch {
		case n.start < r.Start.Byte || n.end > r.End.Byte:
		case only != "" && only != n.text:
			return
		default:
			only = n.text
		}
	}
	if only != "" {
		l.values[only] = append(l.values[only], values...)
	}
}
