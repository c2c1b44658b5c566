package plan

import (
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Globals returns the values of the global ARGs and of the automatic args, for one
// platform and the default target.
func Globals(file *syntax.File, env Env, platform guard.Platform) guard.Scope {
	return newFamily(file, env, "").member(platform).scope
}
