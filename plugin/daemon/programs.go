package daemon

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// programs are the paths of the programs that the daemon needs.
type programs struct {
	buildkitd string
	runtime   string
	// rootlesskit makes a user namespace. It is "" for root.
	rootlesskit string
}

// The names of the programs in messages.
const (
	partBuildkitd   = "buildkitd"
	partRuntime     = "an OCI runtime (runc, crun)"
	partRootlesskit = "rootlesskit"
)

// MissingError reports programs that the daemon needs and that are not on PATH.
type MissingError struct {
	// Parts are the names of the programs, in the order in which they are needed.
	Parts []string
}

// Error lists the programs.
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

// Install returns the shell command that installs the missing programs from the
// releases of their projects, for an architecture as in GOARCH. BuildKit's release,
// which includes an OCI runtime, has the given version ("v0.1.2"). Install returns ""
// if there is no such release.
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

// find looks the programs up with look, which is exec.LookPath outside of tests. It
// returns a [MissingError] if one is missing.
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
		// BuildKit's releases include buildkit-runc. Debian installs runc in
		// /usr/sbin, which is not on the PATH of ordinary users.
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

// command returns the daemon's command line. It sets every flag that could make the
// daemon listen on another socket: buildkitd takes the defaults of its flags from the
// system's configuration file, even if --config names another file.
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
		// The default would take over the socket of the system's daemon.
		"--otel-socket-path=" + s.traceSocket(),
		"--oci-worker=true", "--oci-worker-binary=" + p.runtime, "--containerd-worker=false",
	}
	if s.Config == "" {
		// buildx does the same for its own daemons.
		args = append(args, "--allow-insecure-entitlement=network.host")
	}
	if p.rootlesskit != "" {
		// Add a process namespace. For root the supervisor makes one.
		args = append([]string{p.rootlesskit, "--pidns"}, args...)
	}
	return args
}

// environment returns the variables that the daemon gets: those that locate programs,
// registries and certificates. It leaves out all others, because they may hold secrets
// of one build, which the daemon outlives. One of them names the plugin's connection
// to the Docker CLI.
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
