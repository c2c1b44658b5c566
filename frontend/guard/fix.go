package guard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxFixes limits how many errors of one condition a fix repairs.
const maxFixes = 4

// replaceBy sets the fix: the condition with another text in place of the bytes from
// start to end. If that still has an error, its own fix counts.
func (e *Error) replaceBy(src string, start, end int, text string, fixes int) {
	e.rewriteTo(src, src[:start]+text+src[end:], fixes)
}

// rewriteTo sets the fix to a whole condition.
func (e *Error) rewriteTo(src, text string, fixes int) {
	if fixes == 0 || text == src {
		return
	}
	if _, errs := parseCondition(text, fixes-1); len(errs) > 0 {
		e.Fix = errs[0].Fix
	} else {
		e.Fix = text
	}
}

// token matches the parts of a condition as people write them in shells and other
// languages.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|[A-Za-z0-9_][A-Za-z0-9_./:-]*[A-Za-z0-9_]|[=!<>~&|]+|-[a-z]+\b|\S`)

// habits are operators of other languages, in lower case, and those of HCL.
var habits = map[string]string{
	"=": "==", "===": "==", "-eq": "==", "eq": "==", "is": "==",
	"<>": "!=", "!==": "!=", "-ne": "!=", "ne": "!=", "is not": "!=",
	"and": "&&", "&": "&&", "-a": "&&",
	"or": "||", "|": "||", "-o": "||",
	"not": "!", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">=",
}

// word is a token and the white space before it.
type word struct{ space, text string }

// asHCL returns a condition with the habits of shells and other languages in the form
// of HCL. The result can still be invalid.
func asHCL(src string) string {
	words := splitWords(src)
	words, isTest := withoutTest(words)
	var out []word
	for i := 0; i < len(words); i++ {
		w := words[i]
		name := strings.ToLower(w.text)
		next := func() word { // the operand of an operator
			if i++; i < len(words) {
				return word{text: operand(words[i].text, isTest)}
			}
			return word{}
		}
		switch {
		case (name == "is" || name == "not") && i+1 < len(words) && habits[name+" "+strings.ToLower(words[i+1].text)] != "":
			out = append(out, word{w.space, habits[name+" "+strings.ToLower(words[i+1].text)]})
			i++
		case name == "-z":
			out = append(out, word{w.space, next().text + ` == ""`})
		case name == "-n":
			out = append(out, word{w.space, next().text + ` != ""`})
		case name == "=~" && len(out) > 0:
			out[len(out)-1].text = "can(regex(" + next().text + ", " + out[len(out)-1].text + "))"
		case (name == "in" || name == "not" && i+1 < len(words) && strings.EqualFold(words[i+1].text, "in")) && len(out) > 0:
			negation := ""
			if name == "not" {
				negation, i = "!", i+1
			}
			list, last := bracketed(words, i+1)
			out[len(out)-1].text = negation + "contains(" + list + ", " + out[len(out)-1].text + ")"
			i = last
		case habits[name] == "!":
			out = append(out, word{w.space, "!" + next().text})
		case habits[name] != "":
			out = append(out, word{w.space, habits[name]})
		default:
			compared := isTest && len(out) > 0 && (out[len(out)-1].text == "==" || out[len(out)-1].text == "!=")
			out = append(out, word{w.space, operand(w.text, compared)})
		}
	}
	var b strings.Builder
	for _, w := range out {
		b.WriteString(w.space + w.text)
	}
	return strings.TrimSpace(b.String())
}

func splitWords(src string) []word {
	var words []word
	end := 0
	for _, m := range token.FindAllStringIndex(src, -1) {
		words = append(words, word{src[end:m[0]], src[m[0]:m[1]]})
		end = m[1]
	}
	return words
}

// withoutTest removes the words around a condition: those of a shell's test, [ … ], and
// what closes a line in other languages, such as THEN. It reports whether it is a test.
func withoutTest(words []word) ([]word, bool) {
	for len(words) > 1 && slices.Contains([]string{"then", ":", ";", "{", "do"}, strings.ToLower(words[len(words)-1].text)) {
		words = words[:len(words)-1]
	}
	opening := 0
	for opening < min(2, len(words)) && words[opening].text == "[" {
		opening++
	}
	if opening == 0 && len(words) > 1 && words[0].text == "test" {
		return words[1:], true
	}
	if opening == 0 || len(words) <= 2*opening {
		return words, false
	}
	for _, w := range words[len(words)-opening:] {
		if w.text != "]" {
			return words, false
		}
	}
	return words[opening : len(words)-opening], true
}

// operand returns an operand in the form of HCL: strings in double quotes, and names
// without $. In a shell's test, words are strings.
func operand(text string, isTest bool) string {
	unquoted := strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	if m := dollarName.FindStringSubmatch(unquoted); m != nil && m[0] == unquoted {
		return m[1]
	}
	switch {
	case len(text) > 1 && strings.HasPrefix(text, "'"):
		return strconv.Quote(text[1 : len(text)-1])
	case isTest && !strings.HasPrefix(text, `"`):
		return strconv.Quote(text)
	}
	return text
}

// bracketed returns the text from the opening bracket at words[first] to the closing one,
// as a list, and the index of its last word.
func bracketed(words []word, first int) (list string, last int) {
	depth := 0
	for last = first; last < len(words); last++ {
		list += words[last].space + operand(words[last].text, false)
		switch words[last].text {
		case "[", "(":
			depth++
		case "]", ")":
			depth--
		}
		if depth == 0 {
			break
		}
	}
	list = strings.TrimSpace(list)
	if inner, ok := strings.CutPrefix(list, "("); ok {
		list = "[" + strings.TrimSuffix(inner, ")") + "]"
	}
	return list, last
}
