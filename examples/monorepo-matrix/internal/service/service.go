// Package service implements the HTTP server that the shop's services share: it
// serves a list of items as JSON.
package service

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"time"
)

// Item is one entry of a service's list.
type Item struct {
	Name  string `json:"name"`
	Cents int    `json:"cents"`
}

// Main is the main function of a service.
func Main(name string, items []Item) {
	addr := flag.String("addr", ":8080", "address to listen on")
	show := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *show {
		fmt.Printf("%s for %s/%s\n", name, runtime.GOOS, runtime.GOARCH)
		return
	}
	srv := &http.Server{Addr: *addr, Handler: Handler(name, items), ReadHeaderTimeout: 5 * time.Second}
	slog.Info("listening", "service", name, "addr", *addr)
	slog.Error(name, "err", srv.ListenAndServe())
	os.Exit(1)
}

// Handler serves the items at /NAME, and /healthz.
func Handler(name string, items []Item) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(items); err != nil {
			slog.Error("writing the answer", "err", err)
		}
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	return mux
}
