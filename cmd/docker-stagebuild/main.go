// Command docker-stagebuild builds staged Dockerfiles. It is the Docker CLI plugin
// `docker stagebuild`, and runs without the CLI, too.
package main

import (
	"fmt"
	"os"

	"github.com/docker/cli/cli/command"

	"github.com/stagebuild/stagebuild/plugin"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

func main() {
	dockerCLI, err := command.NewDockerCli()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cli.Report(dockerCLI.Err(), plugin.Run(dockerCLI)))
}
