package plan

import "github.com/stagebuild/stagebuild/frontend/syntax"

// GlobalArg returns the value that a global ARG has for env.Target, and whether
// the file declares it. The names are those that it declares.
func GlobalArg(file *syntax.File, env Env, name string) (value string, declared bool, names []string) {
	r := newFamily(file, env).member(env.Target)
	arg, declared := r.scope.Lookup(name)
	return arg.Value, declared && !arg.IsEnv, r.scope.Names()
}
