//go:build debug

package main

import (
	"log/slog"
	"net/http"
	_ "net/http/pprof" // serves below /debug/pprof of the default mux
)

const build = "debug, with profiles on port 6060"

// serveProfiles serves net/http/pprof on a port of its own.
func serveProfiles() {
	go func() { slog.Error("profiles", "err", http.ListenAndServe(":6060", nil)) }()
}
