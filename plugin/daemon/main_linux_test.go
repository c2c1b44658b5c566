package daemon

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
)

// TestMain makes this test binary three more programs: buildkitd, the supervisor, and
// another process that uses the daemon.
func TestMain(m *testing.M) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	role := func(context.Context) error { os.Exit(m.Run()); return nil }
	switch {
	case filepath.Base(os.Args[0]) == "buildkitd":
		role = fakeBuildkitd
	case len(os.Args) > 1 && os.Args[1] == SupervisorCommand:
		role = supervisor
	case len(os.Args) > 1 && os.Args[1] == "user":
		role = user
	}
	if err := role(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fakeBuildkitd does the part of buildkitd's work that matters for the locks: it
// refuses a state directory that is in use, listens, answers, and ends on SIGTERM, but
// not before the file "stay" is removed. It adds a line to the file "starts".
func fakeBuildkitd(ctx context.Context) error {
	flags := map[string]string{}
	for _, arg := range os.Args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		flags[name] = value
	}
	lock, err := openLock(flags["--root"] + ".lock")
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(lock)
	if err := tryLock(lock, syscall.LOCK_EX); err != nil {
		return err
	}
	dir := filepath.Dir(flags["--root"])
	starts, err := os.OpenFile(filepath.Join(dir, "starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintln(starts, os.Getpid())
	path := strings.TrimPrefix(flags["--addr"], "unix://")
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	controlapi.RegisterControlServer(server, fakeControl{})
	go func() {
		<-ctx.Done()
		_ = poll(context.WithoutCancel(ctx), func() (bool, error) {
			_, err := os.Stat(filepath.Join(dir, "stay"))
			return err != nil, nil
		})
		server.GracefulStop()
	}()
	return server.Serve(listener)
}

// fakeControl answers the one call of [ping].
type fakeControl struct {
	controlapi.UnimplementedControlServer
}

// ListWorkers returns no workers.
func (fakeControl) ListWorkers(context.Context, *controlapi.ListWorkersRequest) (*controlapi.ListWorkersResponse, error) {
	return &controlapi.ListWorkersResponse{}, nil
}

func supervisor(ctx context.Context) error {
	s := Settings{}
	var args []string
	for i, arg := range os.Args[2:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "--dir":
			s.Dir = value
		case "--idle":
			s.Idle, _ = time.ParseDuration(value)
		case "--start":
			s.Start, _ = time.ParseDuration(value)
		case "--":
			args = os.Args[2+i+1:]
		}
		if args != nil {
			break
		}
	}
	return Supervise(ctx, s, args)
}

// user takes a lease on the daemon of a directory, prints the daemon's address, and
// releases the lease when standard input ends.
func user(ctx context.Context) error {
	lease, err := Use(ctx, testSettings(os.Args[2]), func() {})
	if err != nil {
		return err
	}
	fmt.Println(lease.Address)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err == nil {
		return fmt.Errorf("there is a line on standard input")
	}
	return lease.Close()
}
