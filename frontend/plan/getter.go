package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// getter supplies the values of a scope to BuildKit's shell lexer. It records whether the
// lexer used a value that is invalid or unknown before the build.
type getter struct {
	scope *scope
	// stageOnly hides the global ARGs, which the ARGs of a stage cannot refer to.
	stageOnly bool
	arg       string        // the ARG whose default is expanded, or ""
	line      int           // its line
	unknown   guard.Unknown // the first variable whose value is unknown
	isInvalid bool          // one of the values is invalid
}

// Get implements shell.EnvGetter.
func (g *getter) Get(name string) (string, bool) {
	owner := g.scope.owner(lookup{name: name, envs: true})
	if owner == nil || g.stageOnly && !owner.isStage {
		if g.stageOnly {
			g.noteUndeclared(name, owner)
		}
		return "", false
	}
	arg := owner.args[name]
	_, isEnv := owner.envs[name]
	switch {
	case isEnv || arg.IsEnv:
		g.noteEnv(name, owner)
		return "", true
	case g.stageOnly && owner.unset[name] && !g.scope.isBare:
		g.noteUnknown(guard.Unknown{
			Variable: "$" + name, Cause: "an ARG without a value, which the base image can set",
			Hint: "write a value: ARG " + name + "=…",
		})
		return "", false
	}
	g.isInvalid = g.isInvalid || arg.Invalid
	g.noteUnknown(arg.Unknown)
	return arg.Value, !owner.unset[name]
}

// noteUndeclared records a name that the stage does not declare. owner is the scope outside
// of the stages that declares it, or nil.
func (g *getter) noteUndeclared(name string, owner *scope) {
	u := guard.Unknown{Variable: "$" + name}
	switch {
	case owner == nil:
		g.noteUnknown(u)
		return
	case owner.parent == nil:
		u.Cause = "an automatic arg that the stage does not declare"
	default:
		u.Cause = "an ARG before the first FROM that the stage does not declare"
	}
	if g.arg != "" {
		u.Hint = fmt.Sprintf("write ARG %s above ARG %s on line %d", name, g.arg, g.line)
	}
	g.noteUnknown(u)
}

// noteEnv records a name that an ENV in the scope owner sets.
func (g *getter) noteEnv(name string, owner *scope) {
	u := guard.Unknown{Variable: "$" + name}
	line := owner.envLine(name)
	hidden := g.scope.owner(lookup{name: name})
	switch {
	case line == 0:
	case hidden == nil || hidden.args[name].IsEnv || g.stageOnly && !hidden.isStage:
		u.Cause = fmt.Sprintf("which ENV on line %d sets", line)
	default:
		u.Cause = fmt.Sprintf("an ARG that ENV on line %d hides", line)
		u.Hint = "give the ARG or the ENV another name"
	}
	g.noteUnknown(u)
}

func (g *getter) noteUnknown(u guard.Unknown) {
	if !g.unknown.IsUnknown() {
		g.unknown = u
	}
}

// Keys implements shell.EnvGetter.
func (g *getter) Keys() []string {
	return g.scope.Names()
}
