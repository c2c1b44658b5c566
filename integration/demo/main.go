// Command demo shows the plugin with examples/go-service, as a user would run it:
// it lists, explains and draws the stages, builds them for two platforms, reads
// the images back from the registry and runs the service.
//
// It starts BuildKit, or uses the machine's Docker Engine, and a registry.
//
//	make demo
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
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
	d := demo{bin: filepath.Join(root, "bin", plugin)}
	defer func() {
		if d.env != nil {
			err = errors.Join(err, d.env.Close())
		}
	}()
	steps := d.steps()
	for i, s := range steps {
		heading(s.title)
		fmt.Printf("   step %d of %d%s\n", i+1, len(steps), left(steps[i+1:]))
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	heading("The same with Docker")
	fmt.Print(withDocker)
	return nil
}

// step is one part of the demo.
type step struct {
	title string // of the part in the output
	short string // in the list of the steps that are left
	run   func(context.Context) error
}

// left lists the steps that follow.
func left(steps []step) string {
	if len(steps) == 0 {
		return ""
	}
	var names []string
	for _, s := range steps {
		names = append(names, s.short)
	}
	return "; left: " + strings.Join(names, ", ")
}

const withDocker = `  make install
  docker stagebuild build -t go-service --load examples/go-service
  docker run --rm -p 8080:8080 go-service
  docker stagebuild build --platform ` + platforms + ` -t REGISTRY/go-service --push examples/go-service
`

// demo runs the steps.
type demo struct {
	bin string       // of the plugin
	env *harness.Env // nil before start
}

// steps returns the steps in their order. The first ones need no builder.
func (d *demo) steps() []step {
	return []step{
		{"One Dockerfile: its stages and their platforms", "ls", d.list},
		{"Why a platform gets its variant", "explain", d.explain},
		{"The stages, drawn", "graph", d.graph},
		{"Starting BuildKit and a registry", "start BuildKit", d.start},
		{"One Dockerfile, two platforms, one command", "build", d.release},
		{"The same Dockerfile with VARIANT=debug", "build with VARIANT=debug", d.debug},
		{"The service of the " + harness.Platform() + " image, running", "run the service", d.serve},
	}
}

// list shows the Dockerfile and its stages.
func (d *demo) list(ctx context.Context) error {
	if err := show(filepath.Join(example, "Dockerfile")); err != nil {
		return err
	}
	return d.inspect(ctx, "ls")
}

// explain shows the decisions for one platform.
func (d *demo) explain(ctx context.Context) error {
	return d.inspect(ctx, "explain", "--platform", "linux/arm64")
}

// graph draws the stages as a tree.
func (d *demo) graph(ctx context.Context) error {
	return d.inspect(ctx, "graph")
}

// inspect runs a command of the plugin that needs no builder.
func (d *demo) inspect(ctx context.Context, command string, flags ...string) error {
	args := append([]string{command, "-f", example + "/Dockerfile"}, flags...)
	return d.execute(exec.CommandContext(ctx, d.bin, args...), args)
}

// start starts the environment of the builds.
func (d *demo) start(ctx context.Context) error {
	fmt.Println("   The first time, this compiles BuildKit and Go's standard library for both platforms: some minutes.")
	env, err := harness.Start(ctx, harness.Options{Log: os.Stdout, PreferDocker: true, NoClients: true})
	if err != nil {
		return err
	}
	d.env = env
	if err := env.WarmGoCache(ctx, harness.GoBuild, strings.Split(platforms, ",")...); err != nil {
		return err
	}
	fmt.Printf("Builds run on %s; images go to the registry at %s.\n", env.Builder, env.Registry.Host)
	fmt.Printf("\n$ export BUILDKIT_HOST=%s\n", env.BuildkitAddr)
	return nil
}

// release builds both platforms with one command.
func (d *demo) release(ctx context.Context) error {
	if err := d.build(ctx, "demo", "--platform", platforms); err != nil {
		return err
	}
	err := d.report(ctx, "demo", map[string]string{"linux/amd64": "default", "linux/arm64": "arm64"})
	if err != nil || !d.env.Mirrored {
		return err
	}
	if pulls := len(d.env.Registry.RequestsFor("library/busybox")); pulls > 0 {
		return fmt.Errorf("the registry was asked %d times for busybox, the base of a stage that was not selected", pulls)
	}
	fmt.Println("\nbusybox, the base of the debug variant, was not selected: the registry was asked for it 0 times.")
	return nil
}

// debug builds the variant that a build arg selects.
func (d *demo) debug(ctx context.Context) error {
	if err := d.build(ctx, "debug", "--platform", "linux/amd64", "--build-arg", "VARIANT=debug"); err != nil {
		return err
	}
	return d.report(ctx, "debug", map[string]string{"linux/amd64": "debug"})
}

// build pushes an image with the tag.
func (d *demo) build(ctx context.Context, tag string, flags ...string) error {
	args := append([]string{"build", "-f", example + "/Dockerfile"}, flags...)
	args = append(args, "-t", d.env.Registry.Ref(repository+":"+tag), "--push", example)
	return d.execute(d.env.Command(ctx, d.bin, args...), args)
}

// execute runs the plugin, after the command as a user would type it.
func (d *demo) execute(cmd *exec.Cmd, args []string) error {
	fmt.Printf("\n$ %s %s\n", plugin, strings.Join(args, " "))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", plugin, args[0], err)
	}
	return nil
}

// report reads an image from the registry and shows, for each platform, which
// variant of base it was built from. It returns an error if that is not the
// variant in want.
func (d *demo) report(ctx context.Context, tag string, want map[string]string) error {
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
			return fmt.Errorf("the %s image was built from the variant %q of base, not %q", img.Platform, variant, want[img.Platform])
		}
	}
	if len(res.Images) != len(want) {
		return fmt.Errorf("the registry has images for %s, not for %d platforms", strings.Join(res.Platforms(), ", "), len(want))
	}
	return nil
}

// heading prints the title of a step.
func heading(title string) { fmt.Printf("\n== %s\n", title) }

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
