// Command docs writes the reference of the command line, docs/cli: a page for
// each command, made from the command's own help.
//
//	go run . -source ../../docs/cli -target ../../docs/cli
//
// It replaces the text between the two marks of a page, and keeps the text around
// them. It creates the page of a new command.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	clidocstool "github.com/docker/cli-docs-tool"
	"github.com/docker/cli-docs-tool/annotation"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin"
)

func main() {
	source := flag.String("source", "docs/cli", "directory of the existing pages")
	target := flag.String("target", "docs/cli", "directory to write the pages to")
	flag.Parse()
	if err := generate(*source, *target); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func generate(source, target string) error {
	// The environment must not change the defaults of flags in the pages.
	for _, name := range []string{"DEBUG", "DOCKER_DEFAULT_PLATFORM"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	dockerCLI, err := command.NewDockerCli()
	if err != nil {
		return err
	}
	// The commands have the names that they have in the Docker CLI.
	root := &cobra.Command{Use: "docker"}
	commands := plugin.NewRootCommand("stagebuild", dockerCLI, func(*cobra.Command, []string) error { return nil })
	root.AddCommand(commands)
	describe(commands)

	log.SetOutput(io.Discard) // a line for each page
	tool, err := clidocstool.New(clidocstool.Options{Root: root, SourceDir: source, TargetDir: target, Plugin: true})
	if err != nil {
		return err
	}
	return tool.GenMarkdownTree(root)
}

// describe rewrites the help of the commands for a page: the usage, the description and
// the examples. The generator adds the tables of options and commands.
func describe(cmd *cobra.Command) {
	cmd.DisableFlagsInUseLine = true
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	// Quoted text in the descriptions of flags is code.
	cmd.Annotations[annotation.CodeDelimiter] = `"`
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	usage := cmd.UseLine()
	if cmd.HasSubCommands() {
		usage += " [OPTIONS] COMMAND" // as in the Docker CLI
	}
	cmd.Long = "```text\n" + usage + "\n```\n\n" + text
	if cmd.Example != "" {
		cmd.Long += "\n\n### Examples\n\n```sh\n" + unindent(cmd.Example) + "\n```"
	}
	for _, sub := range cmd.Commands() {
		describe(sub)
	}
}

// unindent removes the indentation of examples in help.
func unindent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll("\n"+text, "\n  ", "\n"), "\n")
}
