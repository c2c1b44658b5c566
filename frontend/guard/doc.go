// Package guard parses and evaluates guards: platform patterns (--for) and
// conditions (--if, IF). It knows values and byte offsets in a value, but not
// Dockerfiles.
//
// ParsePlatforms and ParseCondition read a value once per file and report every
// error that does not depend on a value. Condition.Check then compares the names of
// a condition with the Scope at one place in the file, and Guard.Eval decides for
// one platform and the values in that scope. Errors carry offsets in the parsed
// value; package syntax turns those into positions in the file.
package guard
