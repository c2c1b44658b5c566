// Command wait-for waits until servers accept TCP connections. To start a program
// after a database, run it as "wait-for db:5432 && PROGRAM".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	timeout := flag.Duration("timeout", 30*time.Second, "how long to wait for all of them")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: wait-for [-timeout 30s] HOST:PORT…")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := waitAll(ctx, flag.Args(), 200*time.Millisecond); err != nil {
		fmt.Fprintln(os.Stderr, "wait-for:", err)
		os.Exit(1)
	}
}

// waitAll returns when all addresses accept connections, or ctx is canceled.
func waitAll(ctx context.Context, addrs []string, pause time.Duration) error {
	results := make(chan error)
	for _, addr := range addrs {
		go func() { results <- wait(ctx, addr, pause) }()
	}
	var err error
	for range addrs {
		err = errors.Join(err, <-results)
	}
	return err
}

// wait connects to an address until that succeeds, with a pause between attempts.
func wait(ctx context.Context, addr string, pause time.Duration) error {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", addr, err)
		case <-time.After(pause):
		}
	}
}
