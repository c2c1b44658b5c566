package inspect

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	buildkit "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"

	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// The parts of SARIF 2.1.0 that code scanning shows
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html and
// https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string      `json:"id"`
		ShortDescription     sarifText   `json:"shortDescription"`
		FullDescription      sarifText   `json:"fullDescription"`
		Help                 sarifText   `json:"help"`
		HelpURI              string      `json:"helpUri,omitempty"`
		DefaultConfiguration sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Enabled bool   `json:"enabled"`
		Level   string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation struct {
			ArtifactLocation struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region sarifRegion `json:"region"`
		} `json:"physicalLocation"`
	}
	// sarifRegion counts lines and code points from 1. EndColumn is the column after the last
	// one.
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

const (
	sarifWarning = "warning"
	sarifError   = "error"
)

// unreadable is the rule for a Dockerfile that BuildKit cannot read.
const unreadable = "UnreadableDockerfile"

// impossible is the rule for a build that BuildKit rejects without naming a line.
const impossible = "ImpossibleBuild"

// sarifRules returns BuildKit's rules, the rules for staged Dockerfiles, and the diagnostics,
// which are errors in every build. Each name appears once.
func sarifRules() []sarifRule {
	rules := buildkitRules()
	for _, r := range lint.Rules() {
		rules = append(rules, newSARIFRule(r.Name, r.Description, r.Doc, r.URL(), sarifWarning))
	}
	for _, r := range lint.Diagnostics() {
		if !slices.ContainsFunc(rules, func(known sarifRule) bool { return known.ID == r.Name }) {
			rules = append(rules, newSARIFRule(r.Name, r.Description, r.Doc, r.URL(), sarifError))
		}
	}
	const reference = "https://docs.docker.com/reference/dockerfile/"
	return append(rules,
		newSARIFRule(unreadable, "The Dockerfile cannot be read",
			"BuildKit cannot parse the file, whatever its target.", reference, sarifError),
		newSARIFRule(impossible, "The requested build is not possible",
			"BuildKit rejects the build without naming a line, for example because its target does not exist or the file is empty.", reference, sarifError))
}

func newSARIFRule(name, description, doc, uri, level string) sarifRule {
	doc = strings.Join(strings.Fields(doc), " ")
	return sarifRule{
		ID:                   name,
		ShortDescription:     sarifText{description},
		FullDescription:      sarifText{doc},
		Help:                 sarifText{doc + " See " + uri},
		HelpURI:              uri,
		DefaultConfiguration: sarifConfig{Enabled: true, Level: level},
	}
}

// buildkitRules returns BuildKit's rules. BuildKit has no list of them.
func buildkitRules() []sarifRule {
	return []sarifRule{
		fromLinter(linter.RuleStageNameCasing),
		fromLinter(linter.RuleFromAsCasing),
		fromLinter(linter.RuleNoEmptyContinuation),
		fromLinter(linter.RuleConsistentInstructionCasing),
		fromLinter(linter.RuleDuplicateStageName),
		fromLinter(linter.RuleReservedStageName),
		fromLinter(linter.RuleJSONArgsRecommended),
		fromLinter(linter.RuleMaintainerDeprecated),
		fromLinter(linter.RuleUndefinedArgInFrom),
		fromLinter(linter.RuleWorkdirRelativePath),
		fromLinter(linter.RuleUndefinedVar),
		fromLinter(linter.RuleMultipleInstructionsDisallowed),
		fromLinter(linter.RuleLegacyKeyValueFormat),
		fromLinter(linter.RuleInvalidBaseImagePlatform),
		fromLinter(linter.RuleRedundantTargetPlatform),
		fromLinter(linter.RuleSecretsUsedInArgOrEnv),
		fromLinter(linter.RuleInvalidDefaultArgInFrom),
		fromLinter(linter.RuleFromPlatformFlagConstDisallowed),
		fromLinter(linter.RuleCopyIgnoredFile),
		fromLinter(linter.RuleInvalidDefinitionDescription),
		fromLinter(linter.RuleExposeProtoCasing),
		fromLinter(linter.RuleExposeInvalidFormat),
	}
}

func fromLinter[F any](r linter.LinterRule[F]) sarifRule {
	uri := r.URL
	if uri == "" {
		uri = "https://docs.docker.com/reference/build-checks/"
	}
	rule := newSARIFRule(r.Name, r.Description, r.Description+".", uri, sarifWarning)
	rule.DefaultConfiguration.Enabled = !r.Experimental
	return rule
}

// printSARIF prints the result of a check. diagnostics replace the error of the result, because
// they have positions.
func printSARIF(w io.Writer, file *source.File, found buildkit.LintResults, diagnostics source.List) error {
	results := []sarifResult{}
	add := func(rule, level, message string, region sarifRegion) {
		r := sarifResult{RuleID: rule, Level: level, Message: sarifText{message}, Locations: make([]sarifLocation, 1)}
		r.Locations[0].PhysicalLocation.ArtifactLocation.URI = sarifURI(file.Name)
		r.Locations[0].PhysicalLocation.Region = region
		results = append(results, r)
	}
	level := sarifWarning
	switch failure := found.Error; {
	case len(diagnostics) > 0:
		for _, d := range diagnostics {
			place := fmt.Sprintf("%s:%d:%d: ", d.Span.File.Name, d.Span.Pos().Line, d.Span.Pos().Column)
			add(d.Name, sarifError, strings.TrimPrefix(d.Error(), place), regionOf(d.Span))
		}
	case failure == nil:
	case len(failure.Location.Ranges) > 0:
		add(unreadable, sarifError, failure.Message, linesOf(file, &failure.Location))
	case strings.HasPrefix(failure.Message, lint.Violation):
		level = sarifError
	default:
		add(impossible, sarifError, failure.Message, linesOf(file, nil))
	}
	for _, warning := range found.Warnings {
		add(warning.RuleName, level, warning.Detail, linesOf(file, warning.Location))
	}
	slices.SortStableFunc(results, func(a, b sarifResult) int {
		return cmp.Compare(a.region().StartLine, b.region().StartLine)
	})
	driver := sarifDriver{
		Name: cli.PluginName, Version: buildinfo.Read().Version,
		InformationURI: "https://github.com/stagebuild/stagebuild", Rules: sarifRules(),
	}
	return cli.PrintJSON(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results}},
	})
}

func (r sarifResult) region() sarifRegion { return r.Locations[0].PhysicalLocation.Region }

// linesOf returns the first contiguous lines of a location, or the first line of the file if
// there is no location. BuildKit's locations have no columns.
func linesOf(file *source.File, location *pb.Location) sarifRegion {
	first, last := 1, 1
	for i, r := range location.GetRanges() {
		if i == 0 {
			first, last = int(r.Start.Line), int(r.Start.Line)
		}
		if int(r.Start.Line) > last+1 {
			break
		}
		last = max(last, int(r.End.Line))
	}
	first = min(max(first, 1), file.Lines())
	last = min(max(last, first), file.Lines())
	from, to := file.LineSpan(first), file.LineSpan(last)
	text := from.Text()
	from.Start += len(text) - len(strings.TrimLeft(text, " \t\ufeff"))
	return regionOf(file.Span(from.Start, max(from.Start, to.End)))
}

// regionOf returns the lines and columns of a span.
func regionOf(span source.Span) sarifRegion {
	column := func(offset int) (line, column int) {
		line = span.File.Line(offset)
		return line, utf8.RuneCountInString(span.File.Span(span.File.LineSpan(line).Start, offset).Text()) + 1
	}
	var r sarifRegion
	r.StartLine, r.StartColumn = column(span.Start)
	r.EndLine, r.EndColumn = column(max(span.Start, span.End))
	return r
}

// sarifURI returns the name of a file as a URI. It is relative to the current directory, which
// code scanning takes for the root of the repository, if the file is inside.
func sarifURI(path string) string {
	if filepath.IsAbs(path) {
		if relative, err := filepath.Rel(cli.AbsolutePath("."), path); err == nil && filepath.IsLocal(relative) {
			path = relative
		} else {
			return (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")}).String()
		}
	}
	return (&url.URL{Path: filepath.ToSlash(filepath.Clean(path))}).String()
}
