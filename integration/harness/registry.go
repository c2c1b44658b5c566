package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stagebuild/stagebuild/integration/toolchain"
)

// Registry is a real registry (distribution) on a loopback port. It listens on
// a unix socket; before it stands a proxy in this process, which is what
// writes down every request. The same proxy is the HTTP proxy of the daemon
// that the harness starts: there it refuses, and writes down, whatever wants
// to leave the machine.
type Registry struct {
	// Host is "127.0.0.1:PORT", what image references begin with.
	Host string

	server *http.Server
	proc   *process

	mu       sync.Mutex
	requests []Request
}

// Request is one request that the registry answered, or that was refused
// because it wanted to leave the machine.
type Request struct {
	Method string
	// Host is the registry's own, or the one outside that was asked for.
	Host string
	// Path is the URL's path, "/v2/library/busybox/manifests/latest". It is
	// empty for a refused tunnel, of which only the host is known.
	Path   string
	Status int
	// Outside says that the request was not for the registry.
	Outside bool
}

// String returns the request as one line of an access log.
func (r Request) String() string {
	if r.Outside {
		return fmt.Sprintf("%s %s%s -> refused", r.Method, r.Host, r.Path)
	}
	return fmt.Sprintf("%s %s -> %d", r.Method, r.Path, r.Status)
}

// Repository returns the repository that the request is about, "" if none.
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

// startRegistry starts a registry that keeps its blobs below dir.
func startRegistry(ctx context.Context, out io.Writer, dir string) (*Registry, error) {
	bin, err := toolchain.Ensure(ctx, out, "registry")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	sock := filepath.Join(dir, "r.sock")
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, []byte(registryConfig(filepath.Join(dir, "data"), sock)), 0o644); err != nil {
		return nil, err
	}
	// The registry ends with the environment, not with the start's context.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), bin, "serve", config)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	proc, err := startProcess("registry", cmd)
	if err != nil {
		return nil, err
	}
	lis, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, proc.stop(time.Second))
	}
	r := &Registry{Host: lis.Addr().String(), proc: proc}
	r.server = &http.Server{
		Handler:           r.front(sock),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // clients that hang up are none of ours
	}
	go func() { _ = r.server.Serve(lis) }() // ends with close, which is how it is stopped
	if err := proc.waitReady(ctx, 30*time.Second, r.ping); err != nil {
		return nil, errors.Join(err, r.close(stopGrace))
	}
	r.Forget()
	return r, nil
}

// serveIn makes the registry, at its own address, that of the network which the
// process pid is in.
func (r *Registry) serveIn(ctx context.Context, pid int) error {
	lis, err := listenIn(ctx, pid, r.Host)
	if err != nil {
		return err
	}
	go func() { _ = r.server.Serve(lis) }() // ends with close, as the first one does
	return nil
}

func registryConfig(data, sock string) string {
	return fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
http:
  net: unix
  addr: %q
`, data, sock)
}

// ping asks for the API's root, which every registry answers.
func (r *Registry) ping(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Host+"/v2/", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // nothing was wanted of the body
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /v2/: %s", resp.Status)
	}
	return nil
}

// front returns the handler that stands before the registry at sock.
func (r *Registry) front(sock string) http.Handler {
	dialer := &net.Dialer{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: "registry"})
			p.Out.Host = p.In.Host // what the registry builds its Location headers from
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", sock)
			},
			DisableCompression: true,
		},
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodConnect || (req.URL.IsAbs() && req.URL.Host != r.Host) {
			r.record(Request{Method: req.Method, Host: req.Host, Path: req.URL.Path, Status: http.StatusForbidden, Outside: true})
			http.Error(w, "the test harness lets nothing out to "+req.Host, http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(&recorder{ResponseWriter: w, record: func(status int) {
			r.record(Request{Method: req.Method, Host: r.Host, Path: req.URL.Path, Status: status})
		}}, req)
	})
}

// recorder writes a status down before the client can see it, so that who has
// an answer finds its request in the log.
type recorder struct {
	http.ResponseWriter
	record func(status int)
}

// WriteHeader records and passes on. The proxy always calls it, and before
// that for informational answers (1xx), which are not the answer.
func (w *recorder) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.record(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (r *Registry) record(req Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
}

// Requests returns, in the order in which they were answered, the requests
// since the start or the last [Registry.Forget].
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// RequestsFor returns those of [Registry.Requests] that are about a repository
// of the registry. Tests that run beside others ask for names of their own.
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

func (r *Registry) close(grace time.Duration) error {
	return errors.Join(r.server.Close(), r.proc.stop(grace))
}
