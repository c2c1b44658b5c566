package result

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"

	"github.com/stagebuild/stagebuild/plugin/cli"
)

// A value can come from the Dockerfile, whose author need not be trusted with the places
// that the user's flags name. So a value must not add options to a flag, and must not lead
// out of the directory that the flag names before it.

// printFunc is the name of the function that ends every action that prints a value. It is
// defined after the template is parsed, so that the template itself cannot call it.
const printFunc = "_print"

// expansion is a flag whose template is being expanded.
type expansion struct {
	flag, text string
	out        strings.Builder
	values     []printed
}

// printed is a value in the output of an expansion.
type printed struct {
	start, end int    // its bytes
	action     string // the action that printed it, such as {{.Arg "V"}}
}

// valueError is the error for a value that a flag cannot contain.
type valueError struct{ action, value, reason string }

func (e *valueError) Error() string {
	return fmt.Sprintf("%s is %q, and a value must not %s; write it in the flag instead", e.action, e.value, e.reason)
}

// expand returns the value of a flag with its template expanded.
func (v *Values) expand(flag, text string) (string, error) {
	if !IsTemplate(text) {
		return text, nil
	}
	t, err := parseTemplate(flag, text)
	if err != nil {
		return "", err
	}
	e := &expansion{flag: flag, text: text}
	t.Funcs(template.FuncMap{printFunc: e.print})
	for _, t := range t.Templates() {
		printThrough(t.Root)
	}
	if err := t.Execute(&e.out, v); err != nil {
		if bad, ok := errors.AsType[*valueError](err); ok {
			return "", fmt.Errorf("--%s %s: %w", flag, text, bad)
		}
		return "", templateError(flag, text, err)
	}
	if err := e.checkParts(); err != nil {
		return "", err
	}
	return e.out.String(), e.checkLinks()
}

// printThrough ends each action that prints a value with a call of printFunc.
func printThrough(node parse.Node) {
	switch node := node.(type) {
	case *parse.ListNode:
		if node == nil {
			return
		}
		for _, child := range node.Nodes {
			printThrough(child)
		}
	case *parse.ActionNode:
		if len(node.Pipe.Decl) > 0 {
			return // it sets a variable
		}
		action := &parse.StringNode{NodeType: parse.NodeString, Pos: node.Pos, Quoted: strconv.Quote(node.String()), Text: node.String()}
		function := parse.NewIdentifier(printFunc).SetPos(node.Pos)
		node.Pipe.Cmds = append(node.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: node.Pos, Args: []parse.Node{function, action}})
	case *parse.IfNode:
		printThrough(node.List)
		printThrough(node.ElseList)
	case *parse.WithNode:
		printThrough(node.List)
		printThrough(node.ElseList)
	case *parse.RangeNode:
		printThrough(node.List)
		printThrough(node.ElseList)
	}
}

// print returns the text that an action prints, and records its place in the output, because
// the template writes its output in order.
func (e *expansion) print(action string, value any) (string, error) {
	text := fmt.Sprint(value)
	if reason := forbidden(text); reason != "" {
		return "", &valueError{action, text, reason}
	}
	start := e.out.Len()
	e.values = append(e.values, printed{start, start + len(text), action})
	return text, nil
}

// forbidden returns why a text cannot be a value, or "".
func forbidden(text string) string {
	for _, r := range text {
		switch {
		case unicode.IsControl(r):
			return "contain a control character"
		case strings.ContainsRune(`,="'\`, r):
			return "contain " + string(r)
		}
	}
	if strings.HasPrefix(text, "/") {
		return "begin with /"
	}
	if len(text) > 1 && text[1] == ':' && unicode.IsLetter(rune(text[0])) {
		return "begin with a drive letter"
	}
	return ""
}

// checkParts returns an error if a value is a part of "..", even with the text around it, in
// a path.
func (e *expansion) checkParts() error {
	for start, end := range e.parts(`/\,=`) {
		if e.out.String()[start:end] != ".." {
			continue
		}
		if v, ok := e.valueIn(start, end); ok {
			return fmt.Errorf("--%s %s: the path must not contain the part \"..\", to which %s expands; write it in the flag instead", e.flag, e.text, v.action)
		}
	}
	return nil
}

// checkLinks returns an error if a link on the path that the flag writes to leads out of the
// directory that is named before the first value.
func (e *expansion) checkLinks() error {
	for start, end := range e.parts(",") {
		field := e.out.String()[start:end]
		key, path, ok := strings.Cut(field, "=")
		switch {
		case !ok && e.flag != "tag" && e.flag != "cache-from" && e.flag != "cache-to":
			path = field
		case !ok || key != "dest":
			continue
		}
		v, ok := e.valueIn(start, end)
		if !ok || v.start < end-len(path) {
			continue
		}
		named := e.out.String()[end-len(path) : v.start]
		dir := cli.ResolvePath(filepath.Dir(named + "value"))
		inside, err := filepath.Rel(dir, cli.ResolvePath(path))
		if err != nil || !filepath.IsLocal(inside) {
			return fmt.Errorf("--%s %s: a link leads from %s out of %s; remove the link, or name its target in the flag", e.flag, e.text, path, dir)
		}
	}
	return nil
}

// parts returns the start and end of each part of the output between separators.
func (e *expansion) parts(separators string) iter.Seq2[int, int] {
	out := e.out.String()
	return func(yield func(int, int) bool) {
		start := 0
		for i, r := range out {
			if strings.ContainsRune(separators, r) {
				if !yield(start, i) {
					return
				}
				start = i + 1
			}
		}
		yield(start, len(out))
	}
}

// valueIn returns the first value with bytes between start and end.
func (e *expansion) valueIn(start, end int) (printed, bool) {
	for _, v := range e.values {
		if max(v.start, start) < min(v.end, end) {
			return v, true
		}
	}
	return printed{}, false
}
