package harness

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// emptyManifest is a manifest that refers to an empty blob.
const (
	emptyDigest   = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	emptyManifest = `{"schemaVersion":2,"config":{"digest":"` + emptyDigest + `"},"layers":[]}`
)

// reply is a response of the registry with its whole body.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends one request to the registry.
func call(t *testing.T, r *Registry, method, path, body string, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.Host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data)}
}

func newRegistry(t *testing.T) *Registry {
	t.Helper()
	r, err := startRegistry(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(stopGrace); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestRegistryProtocol sends requests that a simple push and pull do not.
func TestRegistryProtocol(t *testing.T) {
	r := newRegistry(t)
	const digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of "abc"
	upload := call(t, r, http.MethodPost, "/v2/from/blobs/uploads/", "").header.Get("Location")
	for _, test := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string // in the response's body
	}{
		{"version", "GET", "/v2/", "", nil, 200, ""},
		{"unknown blob", "HEAD", "/v2/from/blobs/" + digest, "", nil, 404, ""},
		{"first chunk", "PATCH", upload, "ab", nil, 202, ""},
		{"second chunk", "PATCH", upload, "c", nil, 202, ""},
		{"end of the upload", "PUT", upload + "?digest=" + digest, "", nil, 201, ""},
		{"ended upload", "PATCH", upload, "d", nil, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"blob", "GET", "/v2/from/blobs/" + digest, "", nil, 200, "abc"},
		{"rest of a blob", "GET", "/v2/from/blobs/" + digest, "", []string{"Range", "bytes=2-"}, 206, "c"},
		{"blob of another repository", "GET", "/v2/to/blobs/" + digest, "", nil, 404, "BLOB_UNKNOWN"},
		{"mount from a repository without it", "POST", "/v2/to/blobs/uploads/?mount=" + digest + "&from=other", "", nil, 202, ""},
		{"mount", "POST", "/v2/to/blobs/uploads/?mount=" + digest + "&from=from", "", nil, 201, ""},
		{"mounted blob", "HEAD", "/v2/to/blobs/" + digest, "", nil, 200, ""},
		{"another digest", "POST", "/v2/to/blobs/uploads/?digest=" + digest, "abcd", nil, 400, "DIGEST_INVALID"},
		{"manifest without its blob", "PUT", "/v2/to/manifests/1", emptyManifest, nil, 400, "MANIFEST_BLOB_UNKNOWN"},
		{"upload in one request", "POST", "/v2/to/blobs/uploads/?digest=" + emptyDigest, "", nil, 201, ""},
		{"manifest", "PUT", "/v2/to/manifests/1", emptyManifest, nil, 201, ""},
		{"manifest with another digest", "PUT", "/v2/to/manifests/" + digest, emptyManifest, nil, 400, "DIGEST_INVALID"},
		{"invalid manifest", "PUT", "/v2/to/manifests/1", "no JSON", nil, 400, "MANIFEST_INVALID"},
		{"deletion", "DELETE", "/v2/to/manifests/1", "", nil, 202, ""},
		{"deleted manifest", "GET", "/v2/to/manifests/1", "", nil, 404, "MANIFEST_UNKNOWN"},
		{"deletion of a blob", "DELETE", "/v2/to/blobs/" + digest, "", nil, 405, "UNSUPPORTED"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, r, test.method, test.path, test.body, test.header...)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("%s %s: status %d, want %d and %q:\n%s", test.method, test.path, got.status, test.status, test.want, got.body)
			}
		})
	}
}

// TestRegistryStalledUpload pushes while another client has sent half of its
// blob.
func TestRegistryStalledUpload(t *testing.T) {
	r := newRegistry(t)
	upload := call(t, r, http.MethodPost, "/v2/stalled/blobs/uploads/", "").header.Get("Location")
	body, end := io.Pipe()
	defer func() { _ = end.Close() }()
	stalled, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+r.Host+upload, body)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // until the end of the test closes the pipe
		if resp, err := http.DefaultTransport.RoundTrip(stalled); err == nil {
			_ = resp.Body.Close()
		}
	}()
	if _, err := end.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	files := map[string]File{"greeting": {Content: "hello\n"}}
	if err := r.PushFiles(t.Context(), "pushed:1", "linux/arm64", v1.Config{}, files); err != nil {
		t.Fatal(err)
	}
	result, err := r.Read(t.Context(), "pushed:1")
	if err != nil {
		t.Fatal(err)
	}
	img, err := result.Image("linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := img.ReadFile("/greeting"); err != nil || !bytes.Equal(data, []byte("hello\n")) {
		t.Errorf("read %q, %v", data, err)
	}
}

// TestRegistryLog reads the log of requests, also of refused ones.
func TestRegistryLog(t *testing.T) {
	r := newRegistry(t)
	r.Forget()
	call(t, r, http.MethodGet, "/v2/library/none/manifests/1", "")
	call(t, r, http.MethodHead, "/v2/other/blobs/"+emptyDigest, "")
	proxied, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Host, nil)
	if err != nil {
		t.Fatal(err)
	}
	proxied.URL.Opaque = "http://example.com/index.html"
	resp, err := http.DefaultTransport.RoundTrip(proxied)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	var got []string
	for _, q := range r.Requests() {
		got = append(got, q.String())
	}
	want := []string{
		"GET /v2/library/none/manifests/1 -> 404",
		"HEAD /v2/other/blobs/" + emptyDigest + " -> 404",
		"GET example.com/index.html -> refused",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := r.RequestsFor("library/none"); len(got) != 1 {
		t.Errorf("requests for library/none: %v", got)
	}
}
