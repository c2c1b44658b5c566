// Command demo builds examples/go-service for two platforms with the plugin,
// as a user would, on a BuildKit and a registry that it starts itself (or on
// the Docker Engine that there is), and shows from the result what each
// platform got: then it runs the service.
//
//	make demo
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stagebuild/stagebuild/integration/harness"
	"github.com/stagebuild/stagebuild/integration/toolchain"
)

const (
	example    = "examples/go-service"
	plugin     = "docker-stagebuild"
	platforms  = "linux/amd64,linux/arm64"
	repository = "go-service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	root, err := toolchain.Root(ctx)
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	say("Starting BuildKit and a registry (what is missing is built first, once)")
	env, err := harness.Start(ctx, harness.Options{Log: os.Stdout, PreferDocker: true, NoClients: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, env.Close()) }()
	if err := env.WarmGoCache(ctx, strings.Split(platforms, ",")...); err != nil {
		return err
	}
	fmt.Printf("Builds run on %s; images go to the registry at %s.\n", env.Builder, env.Registry.Host)
	if err := os.Symlink(filepath.Join(root, "bin", plugin), filepath.Join(env.BinDir, plugin)); err != nil {
		return err
	}
	fmt.Printf("\n$ export BUILDKIT_HOST=%s\n", env.BuildkitAddr)
	d := demo{env: env}
	for _, step := range []func(context.Context) error{d.release, d.debug, d.serve} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	say("The same with Docker")
	fmt.Print(withDocker)
	return nil
}

const withDocker = `  make install
  docker stagebuild build -t go-service --load examples/go-service
  docker run --rm -p 8080:8080 go-service
  docker stagebuild build --platform ` + platforms + ` -t REGISTRY/go-service --push examples/go-service
`

// demo runs the steps against one environment.
type demo struct {
	env *harness.Env
}

// release builds both platforms with one command.
func (d demo) release(ctx context.Context) error {
	say("One Dockerfile, two platforms, one command")
	if err := show(filepath.Join(example, "Dockerfile")); err != nil {
		return err
	}
	if err := d.build(ctx, "demo", "--platform", platforms); err != nil {
		return err
	}
	err := d.report(ctx, "demo", map[string]string{"linux/amd64": "default", "linux/arm64": "arm64"})
	if err != nil {
		return err
	}
	if pulls := len(d.env.Registry.RequestsFor("library/busybox")); !d.env.Mirrored {
		return nil
	} else if pulls > 0 {
		return fmt.Errorf("busybox, the base of a stage that was not selected, was asked for %d times", pulls)
	}
	fmt.Println("\nbusybox, the base of the debug variant, was not selected: the registry was asked for it 0 times.")
	return nil
}

// debug builds the variant that a build arg selects.
func (d demo) debug(ctx context.Context) error {
	say("The same Dockerfile with VARIANT=debug")
	if err := d.build(ctx, "debug", "--platform", "linux/amd64", "--build-arg", "VARIANT=debug"); err != nil {
		return err
	}
	return d.report(ctx, "debug", map[string]string{"linux/amd64": "debug"})
}

// build runs the plugin and shows the command as one would type it.
func (d demo) build(ctx context.Context, tag string, flags ...string) error {
	args := append([]string{"build", "-f", example + "/Dockerfile"}, flags...)
	args = append(args, "-t", d.env.Registry.Ref(repository+":"+tag), "--push", example)
	fmt.Printf("\n$ %s %s\n", plugin, strings.Join(args, " "))
	cmd := d.env.Command(ctx, plugin, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s build: %w", plugin, err)
	}
	return nil
}

// report reads what was pushed, and shows which base variant each platform's
// image stands on, as the image itself says. It is an error if that is not
// what the Dockerfile's guards mean.
func (d demo) report(ctx context.Context, tag string, want map[string]string) error {
	res, err := d.env.Registry.Read(ctx, repository+":"+tag)
	if err != nil {
		return err
	}
	fmt.Printf("\nIn the registry, %s:\n", d.env.Registry.Ref(repository+":"+tag))
	fmt.Printf("  %-12s  %-12s  %-6s  %-8s  %s\n", "PLATFORM", "BASE VARIANT", "SHELL", "LAYERS", "MANIFEST")
	for _, img := range res.Images {
		shell := "no"
		files, err := img.Files()
		if err != nil {
			return err
		}
		for _, f := range files {
			if f == "bin/busybox" {
				shell = "yes"
			}
		}
		variant := img.Env("BASE_VARIANT")
		fmt.Printf("  %-12s  %-12s  %-6s  %-8d  %s\n", img.Platform, variant, shell, len(img.Layers), img.Digest)
		if variant != want[img.Platform] {
			return fmt.Errorf("the %s image stands on the variant %q of base, and the Dockerfile says %q", img.Platform, variant, want[img.Platform])
		}
	}
	if len(res.Images) != len(want) {
		return fmt.Errorf("there are images for %s, and %d were asked for", strings.Join(res.Platforms(), ", "), len(want))
	}
	return nil
}

// say prints a heading.
func say(title string) { fmt.Printf("\n== %s\n", title) }

// show prints a file, indented.
func show(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Printf("\n$ cat %s\n", path)
	for line := range strings.Lines(string(data)) {
		fmt.Print("  ", line)
	}
	return nil
}
