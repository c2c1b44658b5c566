// Command echo is an HTTP service that responds with the request that it receives.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	addr := flag.String("addr", ":8080", "address to listen on")
	show := flag.Bool("build", false, "print how this was built and exit")
	flag.Parse()
	if *show {
		fmt.Println("echo,", build)
		return
	}
	var level slog.Level // info by default
	if text, ok := os.LookupEnv("LOG_LEVEL"); ok {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			slog.Error("LOG_LEVEL", "err", err)
			os.Exit(2)
		}
	}
	slog.SetLogLoggerLevel(level)
	serveProfiles()
	srv := &http.Server{Addr: *addr, Handler: http.HandlerFunc(echo), ReadHeaderTimeout: 5 * time.Second}
	slog.Info("listening", "addr", *addr, "build", build)
	slog.Error("echo", "err", srv.ListenAndServe())
	os.Exit(1)
}

// echo writes the request's first line and its headers, sorted.
func echo(w http.ResponseWriter, r *http.Request) {
	slog.Debug("request", "method", r.Method, "path", r.URL.Path, "from", r.RemoteAddr)
	fmt.Fprintln(w, r.Method, r.URL.RequestURI(), r.Proto)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(w, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
	}
}
