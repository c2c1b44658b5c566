package syntax

import (
	"regexp"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// Names of the diagnostics about declared platforms.
const (
	InvalidPlatforms   = "InvalidPlatforms"
	DuplicatePlatforms = "DuplicatePlatforms"
	MisplacedDirective = "MisplacedDirective"
)

// platformsComment matches the comment that declares the platforms of a file.
var platformsComment = regexp.MustCompile(`^[ \t]*#[ \t]*platforms[ \t]*=[ \t]*(.*?)[ \t]*$`)

// platforms parses "# platforms=" in the comments above the first instruction.
func (r *reader) platforms() {
	src := r.file.Source
	var directives parser.DirectiveParser // finds directives as if "# platforms=" were one
	for line := 1; line <= src.Lines(); line++ {
		span := src.LineSpan(line)
		text := strings.TrimPrefix(span.Text(), "\ufeff")
		if strings.TrimSpace(text) != "" && !isComment([]byte(text)) {
			return
		}
		m := platformsComment.FindStringSubmatchIndex(text)
		if m == nil {
			if d, err := directives.ParseLine([]byte(strings.TrimSpace(text))); err == nil && d != nil && r.file.Platforms != nil {
				r.reportMisplaced(d, span)
			}
			continue
		}
		r.file.IsStaged = true
		if r.file.Platforms != nil {
			r.report(span, DuplicatePlatforms, "the platforms are declared twice", "list them in one comment, separated by commas")
			return
		}
		r.file.PlatformsSpan = span
		r.declarePlatforms(text[m[2]:m[3]], span.End-len(text)+m[2])
	}
}

// reportMisplaced warns of a directive below "# platforms=", where BuildKit stops looking
// for directives.
func (r *reader) reportMisplaced(d *parser.Directive, span source.Span) {
	r.file.Warnings = append(r.file.Warnings, &source.Diagnostic{
		Name: MisplacedDirective, Span: span,
		Message: "# " + d.Name + "= is only a comment below # platforms=, where BuildKit stops looking for directives",
		Hint:    "move it above # platforms=, or leave an empty line between them if it is meant as a comment",
	})
}

// declarePlatforms parses the list of platforms, which begins at a file offset.
func (r *reader) declarePlatforms(list string, offset int) {
	r.file.Platforms = []ocispecs.Platform{}
	for item := range strings.SplitSeq(list, ",") {
		name := strings.TrimSpace(item)
		at := offset + len(item) - len(strings.TrimLeft(item, " \t"))
		offset += len(item) + len(",")
		span := r.file.Source.Span(at, at+len(name))
		switch {
		case name == "":
			r.report(span, InvalidPlatforms, "# platforms= has an empty name in its list", "remove the comma")
			continue
		case strings.ContainsAny(name, "*!"):
			r.report(span, InvalidPlatforms, `# platforms= takes no patterns such as "`+name+`"`, "list the platforms themselves, such as linux/arm64")
			continue
		case !strings.Contains(name, "/"):
			r.report(span, InvalidPlatforms, `"`+name+`" is not a platform`, "write OS/ARCH[/VARIANT], such as linux/arm64")
			continue
		}
		if _, errs := guard.ParsePlatforms(name); len(errs) > 0 {
			r.report(span, InvalidPlatforms, errs[0].Message, errs[0].Hint)
			continue
		}
		p, err := platforms.Parse(name)
		if err != nil {
			r.report(span, InvalidPlatforms, err.Error(), "write OS/ARCH[/VARIANT], such as linux/arm64")
			continue
		}
		r.file.Platforms = append(r.file.Platforms, platforms.Normalize(p))
	}
}
