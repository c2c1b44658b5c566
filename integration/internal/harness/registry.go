package harness

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is an image registry in this process, on a loopback port. It records every
// request. It is also the HTTP proxy of the daemons that the harness starts: it refuses,
// and records, each request to another host.
//
// Manifests are served by go-containerregistry's registry, blobs by [blobStore]. Like
// most registries it checks digests, and that a manifest's blobs are in its repository.
// It has no authentication, TLS, referrers or deletion of blobs.
type Registry struct {
	// Host is "127.0.0.1:PORT", the first part of image references.
	Host string

	server *http.Server

	mu       sync.Mutex
	requests []Request
}

// Request is a request to the registry, or one to another host, which its proxy refused.
type Request struct {
	Method string
	// Host is the registry's host, or the refused one.
	Host string
	// Path is the URL's path, "/v2/library/busybox/manifests/latest". It is
	// empty for a refused tunnel (CONNECT), whose path is encrypted.
	Path   string
	Status int
	// Outside is true for a refused request to another host.
	Outside bool
}

// String returns the request as one line of an access log.
func (r Request) String() string {
	if r.Outside {
		return fmt.Sprintf("%s %s%s -> refused", r.Method, r.Host, r.Path)
	}
	return fmt.Sprintf("%s %s -> %d", r.Method, r.Path, r.Status)
}

// Repository returns the repository of the request, or "" if its path has none.
func (r Request) Repository() string {
	rest, ok := strings.CutPrefix(r.Path, "/v2/")
	if !ok {
		return ""
	}
	for _, kind := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if i := strings.LastIndex(rest, kind); i >= 0 {
			return rest[:i]
		}
	}
	return ""
}

// startRegistry starts a registry that keeps its blobs in dir.
func startRegistry(ctx context.Context, dir string) (*Registry, error) {
	blobs, err := newBlobStore(dir)
	if err != nil {
		return nil, err
	}
	lis, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Registry{Host: lis.Addr().String()}
	silent := log.New(io.Discard, "", 0) // a client that hangs up is not an error
	r.server = &http.Server{
		Handler:           r.front(blobs.front(registry.New(registry.Logger(silent)))),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          silent,
	}
	go func() { _ = r.server.Serve(lis) }() // until close
	return r, nil
}

// serveIn makes the registry reachable, at the same address, in the network
// namespace of the process pid.
func (r *Registry) serveIn(ctx context.Context, pid int) error {
	lis, err := listenIn(ctx, pid, r.Host)
	if err != nil {
		return err
	}
	go func() { _ = r.server.Serve(lis) }() // until close
	return nil
}

// front records each request and passes those for the registry on to next.
func (r *Registry) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodConnect || (req.URL.IsAbs() && req.URL.Host != r.Host) {
			r.record(Request{Method: req.Method, Host: req.Host, Path: req.URL.Path, Status: http.StatusForbidden, Outside: true})
			http.Error(w, "the test harness lets nothing out to "+req.Host, http.StatusForbidden)
			return
		}
		next.ServeHTTP(&recorder{ResponseWriter: w, record: func(status int) {
			r.record(Request{Method: req.Method, Host: r.Host, Path: req.URL.Path, Status: status})
		}}, req)
	})
}

// recorder records the status before the client receives it, so that a client with a
// response finds the request in the log.
type recorder struct {
	http.ResponseWriter
	record func(status int)
}

// WriteHeader records the status, unless it is informational (1xx), and writes it. The
// registry's handlers call it exactly once.
func (w *recorder) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.record(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (r *Registry) record(req Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
}

// Requests returns the requests since the start or the last [Registry.Forget],
// in the order of their responses.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// RequestsFor returns the [Registry.Requests] for one repository. Tests that run
// in parallel use repositories of their own.
func (r *Registry) RequestsFor(repository string) []Request {
	return slices.DeleteFunc(r.Requests(), func(q Request) bool { return q.Repository() != repository })
}

// Forget empties the request log.
func (r *Registry) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}

// Ref returns the reference of a repository, with tag or digest, in this
// registry.
func (r *Registry) Ref(name string) string { return r.Host + "/" + name }

// close ends the registry and its connections at once.
func (r *Registry) close(time.Duration) error { return r.server.Close() }
