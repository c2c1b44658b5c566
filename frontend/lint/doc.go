// Package lint has the rules for staged Dockerfiles, with their documentation and
// examples: the diagnostics of the language, and the check rules that stagebuild adds to
// those of BuildKit.
//
// [Check] applies the check rules to the plans of all checked platforms and passes the
// findings to BuildKit's linter, so that "# check=" skips them, or makes them errors, in
// the same way as BuildKit's own. The pages in docs/rules and docs/diagnostics are
// generated from the rules.
package lint
