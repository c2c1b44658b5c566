package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// StartNode starts a second daemon for the given platforms, as a node of a multi-node
// builder, and returns its address. The name of its directory begins with name, which
// must be short because paths of sockets must be.
func (e *Env) StartNode(ctx context.Context, name string, platforms ...string) (string, error) {
	var flags []string
	for _, p := range platforms {
		flags = append(flags, "--oci-worker-platform", p)
	}
	d, err := e.startNode(ctx, name, flags...)
	if err != nil {
		return "", err
	}
	return d.addr, nil
}

// StartTLSNode starts a second daemon that listens on a loopback port with TLS, and
// returns its address. The daemon uses the certificate and key in these files, and
// accepts only clients with a certificate of the authority in the file ca.
func (e *Env) StartTLSNode(ctx context.Context, name, ca, cert, key string) (string, error) {
	d, err := e.startNode(ctx, name, "--addr", "tcp://127.0.0.1:0", "--tlscacert", ca, "--tlscert", cert, "--tlskey", key)
	if err != nil {
		return "", err
	}
	// The daemon prints the port that the kernel chose.
	address := regexp.MustCompile(`running server on (127\.0\.0\.1:\d+)`)
	var addr string
	err = d.proc.waitReady(ctx, 10*time.Second, func(context.Context) error {
		m := address.FindStringSubmatch(d.proc.log.String())
		if m == nil {
			return errors.New("it has not printed its address")
		}
		addr = "tcp://" + m[1]
		return nil
	})
	return addr, err
}

func (e *Env) startNode(ctx context.Context, name string, flags ...string) (*daemon, error) {
	if e.daemon == nil {
		return nil, &UnavailableError{"more daemons are only started beside one that the harness started; builds run on " + e.Builder}
	}
	dir, err := os.MkdirTemp(e.Dir, name)
	if err != nil {
		return nil, err
	}
	d, err := e.startDaemon(ctx, filepath.Base(dir), flags...)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.nodes = append(e.nodes, d)
	return d, nil
}

// KillNode kills the daemon that [Env.StartNode] started at an address, with its
// containers, and waits until it has ended.
func (e *Env) KillNode(addr string) error {
	d, err := e.node(addr)
	if err != nil {
		return err
	}
	return d.proc.kill()
}

func (e *Env) node(addr string) (*daemon, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.nodes {
		if d.addr == addr {
			return d, nil
		}
	}
	return nil, fmt.Errorf("no node is at %s", addr)
}
