// Command go-service is a small HTTP service that responds with its version,
// variant and platform, so that its images can be told apart.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

// about is the response of the service.
type about struct {
	Version  string `json:"version"`
	Variant  string `json:"variant"` // of the base image, from the environment
	Platform string `json:"platform"`
}

func main() {
	addr := flag.String("addr", ":8080", "address to listen on")
	show := flag.Bool("version", false, "print the version and exit")
	grace := flag.Duration("grace", 10*time.Second, "time for open requests to end after a signal")
	flag.Parse()

	a := about{Version: version, Variant: os.Getenv("BASE_VARIANT"), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if *show {
		fmt.Printf("go-service %s, %s base, %s\n", a.Version, a.Variant, a.Platform)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *grace, a); err != nil {
		slog.Error("go-service", "err", err)
		os.Exit(1)
	}
}

// run serves until ctx is canceled, and then waits for open requests.
func run(ctx context.Context, addr string, grace time.Duration, a about) error {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler(a), ReadHeaderTimeout: 5 * time.Second}
	slog.Info("listening", "addr", lis.Addr().String(), "version", a.Version, "variant", a.Variant)

	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err = srv.Shutdown(ctx)
	if serveErr := <-done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// handler serves / (the about document) and /healthz.
func handler(a about) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(a); err != nil {
			slog.Error("writing the answer", "err", err)
		}
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	return mux
}
