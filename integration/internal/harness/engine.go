package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// EngineKind is a Docker Engine that [Env.StartEngine] can start.
type EngineKind string

// The engines.
const (
	// Docker20 is Docker Engine 20.10 of Debian 12, with BuildKit 0.8. Its images have
	// one platform.
	Docker20 EngineKind = "20.10"
	// Docker29 is the release that tools/engine/go.mod pins, configured like a new
	// installation: with the containerd image store, whose images can have many
	// platforms.
	Docker29 EngineKind = "29"
	// Docker29Classic is the same release with the classic image store, which an engine
	// keeps after an upgrade.
	Docker29Classic EngineKind = "29-classic"
)

// Engine is a Docker Engine that the harness started, in its own network namespace. The
// only server there is the environment's registry, at the same address as outside. Docker
// Hub's names are pulled from it.
type Engine struct {
	Kind EngineKind
	// Host is the engine's address as DOCKER_HOST takes it.
	Host string

	env  *Env
	set  []string // environment variables of commands
	proc *process
	end  func(grace time.Duration) error
}

// StartEngine starts an engine. It ends with the environment, or before that
// with [Engine.Stop].
func (e *Env) StartEngine(ctx context.Context, kind EngineKind) (*Engine, error) {
	if e.daemon == nil {
		return nil, &UnavailableError{"engines are only started beside a daemon of the harness's own, and there is " + e.Builder}
	}
	dir, err := os.MkdirTemp(e.Dir, "eng")
	if err != nil {
		return nil, err
	}
	programs, err := e.enginePrograms(ctx, kind)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "daemon.json")
	data, err := json.Marshal(engineConfig(kind, dir, e.Registry.Host))
	if err == nil {
		err = os.WriteFile(config, data, 0o644)
	}
	if err != nil {
		return nil, err
	}
	// The engine ends with the environment, not with the start's context.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(programs.bin, "dockerd"), "--config-file", config)
	// It finds containerd on PATH, which finds its shim and runc there.
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isProxyVar), programs.env...)
	if err := asMachine(cmd, dir); err != nil {
		return nil, err
	}
	proc, err := startProcess("dockerd "+string(kind), cmd)
	if err != nil {
		return nil, err
	}
	g := &Engine{Kind: kind, Host: "unix://" + filepath.Join(dir, "s"), env: e, proc: proc}
	g.end = e.atEnd(proc.stop)
	if g.set, err = e.clientConfig(dir, g.Host); err != nil {
		return nil, err
	}
	if err := e.Registry.serveIn(ctx, proc.cmd.Process.Pid); err != nil {
		return nil, err
	}
	return g, proc.waitReady(ctx, time.Minute, g.ping)
}

// engineConfig returns the daemon.json of an engine below dir. It uses no file, address
// or firewall of this machine.
func engineConfig(kind EngineKind, dir, registry string) map[string]any {
	config := map[string]any{
		"data-root":      filepath.Join(dir, "data"),
		"exec-root":      filepath.Join(dir, "x"),
		"pidfile":        filepath.Join(dir, "pid"),
		"hosts":          []string{"unix://" + filepath.Join(dir, "s")},
		"iptables":       false,
		"ip6tables":      false,
		"userland-proxy": false,
		// systemd would look for the containers' processes in its own namespace.
		"exec-opts":        []string{"native.cgroupdriver=cgroupfs"},
		"registry-mirrors": []string{"http://" + registry},
	}
	if kind == Docker29Classic {
		config["features"] = map[string]bool{"containerd-snapshotter": false}
	}
	return config
}

// clientConfig writes, below dir, the configuration of clients of the engine at
// host: contexts and builders. It returns the environment variables that select it.
func (e *Env) clientConfig(dir, host string) ([]string, error) {
	config := filepath.Join(dir, "docker")
	if err := os.Mkdir(config, 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(filepath.Join(e.DockerConfig, "cli-plugins"), filepath.Join(config, "cli-plugins")); err != nil {
		return nil, err
	}
	return []string{"DOCKER_HOST=" + host, "DOCKER_CONFIG=" + config, "BUILDX_CONFIG=" + filepath.Join(dir, "buildx")}, nil
}

// ping checks that the engine responds.
func (g *Engine) ping(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(g.Host, "unix://"))
		},
		DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/_ping", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // the status is enough
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /_ping: %s", resp.Status)
	}
	return nil
}

// With returns the engine with additional environment variables, "NAME=VALUE", for its
// commands. An empty DOCKER_HOST counts as unset.
func (g *Engine) With(set ...string) *Engine {
	c := *g
	c.set = append(slices.Clone(g.set), set...)
	return &c
}

// Command prepares a program that uses the engine and no other builder.
func (g *Engine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := g.env.Command(ctx, name, args...)
	cmd.Env = append(slices.DeleteFunc(cmd.Env, func(kv string) bool { return strings.HasPrefix(kv, "BUILDKIT_HOST=") }), g.set...)
	return cmd
}

// Run runs a program that uses the engine, like [Env.Run].
func (g *Engine) Run(ctx context.Context, name string, args ...string) (Output, error) {
	return capture(g.Command(ctx, name, args...), name, args)
}

// Docker runs the docker CLI.
func (g *Engine) Docker(ctx context.Context, args ...string) (Output, error) {
	return g.Run(ctx, "docker", args...)
}

// LastLines returns the last n lines that the engine wrote.
func (g *Engine) LastLines(n int) string { return g.proc.log.tail(n) }

// Stop ends the engine, its containerd and its containers.
func (g *Engine) Stop() error { return g.end(stopGrace) }

// Kill kills the engine, as if the tests were killed.
func (g *Engine) Kill() error {
	if err := g.proc.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing %s: %w", g.proc.name, err)
	}
	<-g.proc.done
	return g.Stop()
}

// programs are the programs of an engine.
type programs struct {
	bin string   // where dockerd is
	env []string // PATH and more
}

func (e *Env) enginePrograms(ctx context.Context, kind EngineKind) (*programs, error) {
	if kind == Docker20 {
		return e.debianEngine(ctx)
	}
	bin := filepath.Join(e.Dir, "engine")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	init, err := debianInit(ctx, e.log)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{"docker-init": init}
	for _, name := range []string{"dockerd", "containerd", "containerd-shim-runc-v2", "runc"} {
		if paths[name], err = toolchain.Ensure(ctx, e.log, name); err != nil {
			return nil, err
		}
	}
	for name, path := range paths {
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return &programs{bin: bin, env: []string{pathVar(bin)}}, nil
}

// pathVar returns the PATH of a daemon whose programs are in dirs. It includes the sbin
// directories, which are not on PATH in a root shell started by su.
func pathVar(dirs ...string) string {
	list := append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	return "PATH=" + strings.Join(append(list, "/usr/sbin", "/sbin"), string(os.PathListSeparator))
}
