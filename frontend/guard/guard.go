package guard

import (
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Guard is the guard of an instruction: --for, --if or both, and then both must hold.
// A nil field always holds, so the zero Guard does too.
type Guard struct {
	For *Platforms
	If  *Condition
}

// IsZero reports whether the guard is empty.
func (g Guard) IsZero() bool {
	return g.For == nil && g.If == nil
}

// String returns the guard as flags, "--for=linux/arm64 --if=DEBUG" for example.
func (g Guard) String() string {
	var parts []string
	if g.For != nil {
		parts = append(parts, "--for="+g.For.String())
	}
	if g.If != nil {
		parts = append(parts, "--if="+g.If.String())
	}
	return strings.Join(parts, " ")
}

// Decision is the outcome of a guard for one platform and one set of build args.
type Decision struct {
	Holds bool
	// Reason explains the outcome, with the values that decided it. It is empty if
	// there is no guard, and if the decision is undecided.
	Reason string
}

// IsUndecided reports whether an error, which has been reported, keeps the guard from
// being evaluated. The zero Decision is undecided.
func (d Decision) IsUndecided() bool {
	return !d.Holds && d.Reason == ""
}

// Eval evaluates the guard for a target platform and the values in scope. The error is
// an *Error with offsets in the condition.
func (g Guard) Eval(target ocispecs.Platform, scope Scope) (Decision, error) {
	d := Decision{Holds: true}
	if g.For != nil {
		if !g.For.Match(target) {
			return Decision{Reason: "--for=" + g.For.String() + " does not match " + FormatPlatform(target)}, nil
		}
		d.Reason = "--for=" + g.For.String() + " matches " + FormatPlatform(target)
	}
	if g.If == nil {
		return d, nil
	}
	holds, err := g.If.Eval(target, scope)
	if err != nil {
		return Decision{}, err
	}
	reason := "--if=" + g.If.Outcome(holds, scope)
	if !holds {
		return Decision{Reason: reason}, nil
	}
	return d.And(Decision{Holds: true, Reason: reason}), nil
}

// And combines two decisions. If both hold, it joins their reasons; otherwise it
// returns the first that does not hold.
func (d Decision) And(other Decision) Decision {
	switch {
	case !d.Holds:
		return d
	case !other.Holds || d.Reason == "":
		return other
	case other.Reason == "":
		return d
	}
	return Decision{Holds: true, Reason: d.Reason + ", " + other.Reason}
}

// Error is a diagnostic about a pattern list or a condition, with offsets in place of a
// span in a file.
type Error struct {
	// Start and End are byte offsets into the value that was parsed.
	Start, End int
	// Name is the stable identifier of the diagnostic.
	Name    string
	Message string
	// Hint is what to do, if there is more to do than to write the fix.
	Hint string
	// Fix is the whole condition without the error, or "" if none is known.
	Fix string
}

// Error returns the message, the hint and the fix.
func (e *Error) Error() string {
	if advice := e.Advice(e.Fix); advice != "" {
		return e.Message + "; " + advice
	}
	return e.Message
}

// Advice returns the hint and the fix, in the form in which the file has to have it.
func (e *Error) Advice(fix string) string {
	switch {
	case e.Fix == "":
		return e.Hint
	case e.Hint == "":
		return "write " + fix
	}
	return e.Hint + ", or write " + fix
}
