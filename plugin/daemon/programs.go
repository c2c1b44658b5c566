package daemon

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// programs are the paths of what the daemon consists of.
type programs struct {
	buildkitd string
	runtime   string
	// rootlesskit gives a user who is not root a user namespace, "" for root.
	rootlesskit string
}

// How the parts are called in messages.
const (
	partBuildkitd   = "buildkitd"
	partRuntime     = "an OCI runtime (runc, crun)"
	partRootlesskit = "rootlesskit"
)

// MissingError says which parts of the daemon this machine lacks.
type MissingError struct {
	// Parts names them, in the order of their need.
	Parts []string
}

// Error lists the parts.
func (e *MissingError) Error() string {
	verb := "is"
	if len(e.Parts) > 1 {
		verb = "are"
	}
	last := len(e.Parts) - 1
	list := e.Parts[last]
	if last > 0 {
		list = strings.Join(e.Parts[:last], ", ") + " and " + list
	}
	return fmt.Sprintf("%s %s not on PATH", list, verb)
}

// Install is the command that installs the missing parts from the releases of
// their projects: of BuildKit in a version ("v0.1.2"), which comes with a
// runtime, for an architecture of Go. It is "" where there is no release.
func (e *MissingError) Install(version, arch string, root bool) string {
	const github = "https://github.com/"
	sudo := "sudo "
	if root {
		sudo = ""
	}
	var commands []string
	download := func(path, dir string) {
		commands = append(commands, fmt.Sprintf("curl -fsSL %s%s | %star -xz -C %s", github, path, sudo, dir))
	}
	if slices.ContainsFunc(e.Parts, func(p string) bool { return p != partRootlesskit }) {
		if !strings.HasPrefix(version, "v") {
			return ""
		}
		if arch == "arm" {
			arch = "arm-v7"
		}
		download(fmt.Sprintf("moby/buildkit/releases/download/%s/buildkit-%[1]s.linux-%s.tar.gz", version, arch), "/usr/local")
	}
	if slices.Contains(e.Parts, partRootlesskit) {
		download("rootless-containers/rootlesskit/releases/latest/download/rootlesskit-$(uname -m).tar.gz", "/usr/local/bin")
	}
	return strings.Join(commands, " && ")
}

// find looks the parts up with look, which is exec.LookPath. What is not there
// is a [MissingError].
func find(look func(string) (string, error), root bool) (programs, error) {
	var missing []string
	first := func(part string, names ...string) string {
		for _, name := range names {
			if path, err := look(name); err == nil {
				return path
			}
		}
		missing = append(missing, part)
		return ""
	}
	p := programs{
		buildkitd: first(partBuildkitd, "buildkitd"),
		// BuildKit's releases call theirs buildkit-runc. Debian puts runc where
		// only the PATH of root leads.
		runtime: first(partRuntime, "buildkit-runc", "runc", "crun", "/usr/sbin/runc"),
	}
	if !root {
		p.rootlesskit = first(partRootlesskit, "rootlesskit")
	}
	if len(missing) > 0 {
		return programs{}, &MissingError{Parts: missing}
	}
	return p, nil
}

// command is the daemon's command line. It says all that could let the daemon
// listen elsewhere than on its socket: buildkitd takes defaults for its flags
// from the system's configuration, whatever --config says.
func (p programs) command(s Settings) []string {
	config := s.Config
	if config == "" {
		config = os.DevNull
	}
	args := []string{
		p.buildkitd,
		"--config=" + config,
		"--root=" + s.root(),
		"--addr=" + s.Address(),
		"--debugaddr=", "--tlscert=", "--tlskey=", "--tlscacert=", "--group=",
		// Otherwise it takes this socket away from the system's daemon.
		"--otel-socket-path=" + s.traceSocket(),
		"--oci-worker=true", "--oci-worker-binary=" + p.runtime, "--containerd-worker=false",
	}
	if s.Config == "" {
		// What buildx gives the daemons that it makes.
		args = append(args, "--allow-insecure-entitlement=network.host")
	}
	if p.rootlesskit != "" {
		// A process namespace, as root gets one from the supervisor.
		args = append([]string{p.rootlesskit, "--pidns"}, args...)
	}
	return args
}

// environment is what of a process's environment the daemon gets: what finds
// programs, registries and certificates. The rest is about one build, and may
// be secret: the daemon outlives it. So does a plugin's connection to the Docker
// CLI, which is named in a variable.
func environment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch strings.ToUpper(name) {
		case "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY":
			return false
		}
		switch name {
		case "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR":
			return false
		}
		return true
	})
}
