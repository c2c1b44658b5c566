package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	capability "github.com/containerd/containerd/v2/pkg/cap"
	"golang.org/x/sys/unix"
)

// asMachine isolates cmd as on a separate machine. It adds to the namespaces of
// inOwnNamespaces a network namespace, whose loopback interface is down. In directories
// that engines use whatever their configuration, cmd sees the files of this machine but
// writes below dir: /etc (docker/key.json), /opt (containerd) and an empty /run (sockets
// of containerd's shims). So two engines do not conflict, each can have its docker0, and
// nothing remains when they are killed.
func asMachine(cmd *exec.Cmd, dir string) error {
	mounts := []string{"mount -t tmpfs none /run"}
	for _, name := range []string{"etc", "opt"} {
		upper, work := filepath.Join(dir, name), filepath.Join(dir, name+"-work")
		for _, d := range []string{upper, work} {
			if err := os.Mkdir(d, 0o755); err != nil {
				return err
			}
		}
		mounts = append(mounts, fmt.Sprintf("mount -t overlay -o lowerdir=/%s,upperdir=%s,workdir=%s none /%[1]s", name, upper, work))
	}
	inOwnNamespaces(cmd, mounts...)
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	return nil
}

// listenIn enables the loopback interface in the network namespace of the process pid,
// and listens on a TCP address there.
func listenIn(ctx context.Context, pid int, addr string) (lis net.Listener, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A thread enters a network namespace. This one stays locked, so that it ends
		// with the goroutine and runs nothing else there.
		runtime.LockOSThread()
		lis, err = enterAndListen(ctx, pid, addr)
	}()
	<-done
	if err != nil {
		return nil, fmt.Errorf("listening on %s in the network of process %d: %w", addr, pid, err)
	}
	return lis, nil
}

func enterAndListen(ctx context.Context, pid int, addr string) (_ net.Listener, err error) {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("setns: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return nil, fmt.Errorf("enabling the loopback interface: %w", err)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

// loopbackUp enables the loopback interface, like `ip link set lo up`.
func loopbackUp() (err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// missingCapabilities lists the capabilities that root lacks here, as in a container:
// "CAP_SYS_RESOURCE".
func missingCapabilities() ([]string, error) {
	have, err := capability.Current()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(capability.Known(), func(name string) bool { return slices.Contains(have, name) }), nil
}
