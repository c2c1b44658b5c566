package syntax

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// heredocsOf returns the heredocs that begin in an instruction's logical line
// (canContainHeredoc and heredocsFromLine in BuildKit's parser.go).
func heredocsOf(line string, escape byte) []parser.Heredoc {
	head := splitHead(line, escape)
	args := head.args(line)
	if head.keyword == command.Onbuild {
		head = splitHead(args, escape)
		args = head.args(args)
	}
	switch head.keyword {
	case command.Add, command.Copy, command.Run:
	default:
		return nil
	}
	if isJSON(args) {
		return nil
	}

	if docs, ok := simpleHeredocs(line); ok {
		return docs
	}
	// BuildKit always uses a backslash here, whatever the escape directive, and
	// ignores the error.
	lex := shell.NewLex(parser.DefaultEscapeToken)
	lex.RawQuotes = true
	lex.RawEscapes = true
	lex.SkipUnsetEnv = true
	words, _ := lex.ProcessWords(line, noEnv{})
	var docs []parser.Heredoc
	for _, word := range words {
		doc, err := parser.ParseHeredoc(word)
		if err != nil {
			return nil // BuildKit reports it.
		}
		if doc != nil {
			docs = append(docs, *doc)
		}
	}
	return docs
}

// simpleHeredoc matches a word that begins a heredoc and has no quotes.
var simpleHeredoc = regexp.MustCompile(`^[0-9]*<<(-?)([A-Za-z0-9_.-]+)$`)

// simpleHeredocs returns the heredocs of a line without quotes, escapes and variables,
// and whether the line is like that. Such a line needs no lexer, which is slow.
func simpleHeredocs(line string) ([]parser.Heredoc, bool) {
	for i := range len(line) {
		if c := line[i]; c >= utf8.RuneSelf || c == '\'' || c == '"' || c == '$' || c == parser.DefaultEscapeToken {
			return nil, false
		}
	}
	var docs []parser.Heredoc
	for word := range strings.FieldsSeq(line) {
		if !strings.Contains(word, "<<") {
			continue
		}
		m := simpleHeredoc.FindStringSubmatch(word)
		if m == nil {
			return nil, false
		}
		docs = append(docs, parser.Heredoc{Name: m[2], Chomp: m[1] != ""})
	}
	return docs, true
}

// isJSON reports whether arguments are in exec form (parseJSON in BuildKit's
// line_parsers.go).
func isJSON(args string) bool {
	args = strings.TrimLeftFunc(args, unicode.IsSpace)
	if !strings.HasPrefix(args, "[") {
		return false
	}
	var list []any
	if json.Unmarshal([]byte(args), &list) != nil {
		return false
	}
	for _, item := range list {
		if _, ok := item.(string); !ok {
			return false
		}
	}
	return true
}

type noEnv struct{}

// Get implements shell.EnvGetter.
func (noEnv) Get(string) (string, bool) { return "", false }

// Keys implements shell.EnvGetter.
func (noEnv) Keys() []string { return nil }
