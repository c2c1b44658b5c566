package guard

import (
	"math/big"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Literals returns values that change the outcome of the condition, by build arg: the
// strings that an arg is compared with or searched in, "0" and "1" if it is used as a
// bool, and the numbers next to a limit that it is compared with. Each list is sorted.
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
	case boolOperand:
		if _, ok := unparen(n.Expression).(*hclsyntax.ScopeTraversalExpr); ok {
			l.add(n.Expression, "0", "1")
		}
		// Walk does not enter a wrapped expression.
		return l.Enter(n.Expression)
	case numberOperand:
		return l.Enter(n.Expression)
	case *hclsyntax.BinaryOpExpr:
		l.addCompared(n)
	case *hclsyntax.FunctionCallExpr:
		if n.Name == "contains" && len(n.Args) == 2 {
			if list, ok := unparen(n.Args[0]).(*hclsyntax.TupleConsExpr); ok {
				l.addStrings(n.Args[1], list.Exprs...)
			}
		}
	}
	return nil
}

// Exit implements hclsyntax.Walker.
func (l literals) Exit(hclsyntax.Node) hcl.Diagnostics { return nil }

func (l literals) addCompared(op *hclsyntax.BinaryOpExpr) {
	switch op.Op {
	case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
		l.addStrings(op.LHS, op.RHS)
		l.addStrings(op.RHS, op.LHS)
	case hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual:
		l.addLimit(op.LHS, op.RHS)
		l.addLimit(op.RHS, op.LHS)
	}
}

// addStrings adds the literal strings among values to the only build arg in an
// expression, NAME or lower(NAME) for example.
func (l literals) addStrings(expr hclsyntax.Expression, values ...hclsyntax.Expression) {
	for _, value := range values {
		if text, ok := literalString(value); ok {
			l.add(expr, text)
		}
	}
}

// addLimit adds a number that a build arg is compared with, and its neighbors.
func (l literals) addLimit(expr, limit hclsyntax.Expression) {
	wrapped, ok := limit.(numberOperand)
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

// add adds values to the build arg of an expression, if it has exactly one.
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
