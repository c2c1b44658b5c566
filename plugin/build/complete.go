package build

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/cli"
)

// completeValues returns the values of the flags that take one of a few words.
func completeValues() map[string][]cobra.Completion {
	return map[string][]cobra.Completion{
		"allow": {"network.host", "security.insecure", "device"},
		"call": {
			cobra.CompletionWithDesc("build", "build the stages"),
			cobra.CompletionWithDesc("check", "check the Dockerfile"),
			cobra.CompletionWithDesc("outline", "list the inputs of a stage: build args, secrets and more"),
			cobra.CompletionWithDesc("targets", "list the stages"),
			cobra.CompletionWithDesc("explain", "explain what a stage is made of"),
			cobra.CompletionWithDesc("graph", "draw the graph of a stage"),
			cobra.CompletionWithDesc("matrix", "list every stage and platform pair"),
		},
		"frontend": {
			cobra.CompletionWithDesc("inprocess", "the frontend in this program"),
			cobra.CompletionWithDesc("image", "the image in the syntax directive, or that of this version"),
			cobra.CompletionWithDesc("image=", "another image"),
		},
		"network":    {"default", "host", "none"},
		"progress":   {"auto", "none", "plain", "quiet", "rawjson", "tty"},
		"provenance": {"false", "mode=max", "mode=min", "true"},
		"sbom":       {"false", "true"},
	}
}

// kind is a value of the "type" field in a list of fields, and the fields that go with it.
type kind struct {
	name, about string
	fields      []string // "KEY=", or "KEY=VALUE" with the usual value
}

// completeFields returns the kinds of the flags that take lists of fields.
func completeFields() map[string][]kind {
	image := []string{"name=", "compression=", "oci-mediatypes=true", "rewrite-timestamp=true"}
	return map[string][]kind{
		"attest": {
			{"provenance", "how the image was built", []string{"mode=max", "mode=min"}},
			{"sbom", "the packages in the image", []string{"generator="}},
		},
		"cache-from": {
			{"registry", "a cache in a registry", []string{"ref="}},
			{"local", "a cache in a directory", []string{"src="}},
			{"gha", "GitHub's cache service", []string{"scope="}},
			{"s3", "a cache in an S3 bucket", []string{"bucket=", "region=", "name="}},
			{"azblob", "a cache in Azure Blob Storage", []string{"account_url=", "name="}},
		},
		"cache-to": {
			{"registry", "a cache in a registry", []string{"ref=", "mode=max"}},
			{"local", "a cache in a directory", []string{"dest=", "mode=max"}},
			{"inline", "a cache in the image", nil},
			{"gha", "GitHub's cache service", []string{"scope=", "mode=max"}},
			{"s3", "a cache in an S3 bucket", []string{"bucket=", "region=", "name=", "mode=max"}},
			{"azblob", "a cache in Azure Blob Storage", []string{"account_url=", "name=", "mode=max"}},
		},
		"output": {
			{"local", "files in a directory", []string{"dest=", "platform-split=false"}},
			{"tar", "files in an archive", []string{"dest=", "platform-split=false"}},
			{"image", "an image in the builder", append([]string{"push=true"}, image...)},
			{"registry", "an image pushed to a registry", image},
			{"docker", "an image in Docker, or an archive to load", append([]string{"dest="}, image...)},
			{"oci", "an image as an OCI layout", append([]string{"dest=", "tar=false"}, image...)},
			{"cacheonly", "no output, only the build cache", nil},
		},
	}
}

// completeBuildFlags registers completions for the flags that only build has.
func completeBuildFlags(cmd *cobra.Command) {
	cli.CompleteFlag(cmd, "platform", cli.CompletePlatforms)
	cli.CompleteFlag(cmd, "no-cache-filter", cli.CompleteStageName)
	cli.CompleteFlag(cmd, "metadata-file", cli.CompleteFiles)
	cli.CompleteFlag(cmd, "iidfile", cli.CompleteFiles)
	for flag, values := range completeValues() {
		cli.CompleteFlag(cmd, flag, func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return cli.FilterPrefix("", typed, values), cobra.ShellCompDirectiveNoFileComp
		})
	}
	for flag, kinds := range completeFields() {
		cli.CompleteFlag(cmd, flag, func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return fieldCandidates(kinds, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		})
	}
}

// fieldCandidates offers the types and, after a comma, the fields of the type that the
// list does not have yet.
func fieldCandidates(kinds []kind, typed string) []cobra.Completion {
	done, begun := cli.SplitList(typed)
	if done == "" {
		var types []cobra.Completion
		for _, k := range kinds {
			types = append(types, cobra.CompletionWithDesc("type="+k.name, k.about))
		}
		return cli.FilterPrefix("", begun, types)
	}
	given := strings.Split(done, ",")
	i := slices.IndexFunc(kinds, func(k kind) bool { return slices.Contains(given, "type="+k.name) })
	if i < 0 {
		return nil
	}
	var fields []cobra.Completion
	for _, field := range kinds[i].fields {
		key, _, _ := strings.Cut(field, "=")
		if !slices.ContainsFunc(given, func(g string) bool { return strings.HasPrefix(g, key+"=") }) {
			fields = append(fields, field)
		}
	}
	return cli.FilterPrefix(done, begun, fields)
}
