package harness

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// blobStore serves the blobs of a registry (the OCI Distribution Specification) from a
// directory. It streams concurrent uploads to files. The registry of go-containerregistry
// holds each upload in memory, and a lock while a client sends it: a daemon that a test
// stops would block all other clients.
//
// A blob belongs to the repositories that it was pushed to or mounted in.
type blobStore struct {
	dir string

	mu sync.Mutex
	// has contains "repository@digest" for each blob of each repository.
	has map[string]bool
}

// newBlobStore returns an empty store that keeps its files in dir.
func newBlobStore(dir string) (*blobStore, error) {
	for _, sub := range []string{"blobs", "uploads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return &blobStore{dir: dir, has: map[string]bool{}}, nil
}

// registryError is an error of the specification, with its HTTP status.
type registryError struct {
	status        int
	code, message string
}

// Error returns the code and the message.
func (e *registryError) Error() string { return e.code + ": " + e.message }

func unknownBlob(digest string) error {
	return &registryError{http.StatusNotFound, "BLOB_UNKNOWN", "unknown blob " + digest}
}

// front returns a handler that serves the blobs, checks pushed manifests, and passes
// these and all other requests on to next.
func (s *blobStore) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		err := s.serve(w, req, next)
		if err == nil {
			return
		}
		failure := &registryError{http.StatusInternalServerError, "UNKNOWN", err.Error()}
		errors.As(err, &failure)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(failure.status)
		type object = map[string]any
		_ = json.NewEncoder(w).Encode(object{"errors": []object{{"code": failure.code, "message": failure.message}}}) // the client may be gone
	})
}

// serve handles one request. It returns an error only before it responds.
func (s *blobStore) serve(w http.ResponseWriter, req *http.Request, next http.Handler) error {
	rest := strings.TrimPrefix(req.URL.Path, "/v2/")
	if repo, id, ok := cutLast(rest, "/blobs/uploads/"); ok {
		return s.upload(w, req, repo, id)
	}
	if repo, digest, ok := cutLast(rest, "/blobs/"); ok {
		return s.read(w, req, repo, digest)
	}
	if repo, ref, ok := cutLast(rest, "/manifests/"); ok && req.Method == http.MethodPut {
		if err := s.checkManifest(req, repo, ref); err != nil {
			return err
		}
	}
	next.ServeHTTP(w, req)
	return nil
}

// cutLast cuts text around the last sep.
func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

// read serves a blob, or a range of one.
func (s *blobStore) read(w http.ResponseWriter, req *http.Request, repo, digest string) (err error) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return &registryError{http.StatusMethodNotAllowed, "UNSUPPORTED", req.Method + " of a blob"}
	}
	if !s.isIn(repo, digest) {
		return unknownBlob(digest)
	}
	f, err := os.Open(s.path(digest))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", digest)
	http.ServeContent(w, req, "", info.ModTime(), f)
	return nil
}

// upload handles the requests that begin, continue and end an upload.
func (s *blobStore) upload(w http.ResponseWriter, req *http.Request, repo, id string) error {
	query := req.URL.Query()
	switch digest := query.Get("digest"); req.Method {
	case http.MethodPost:
		if mount := query.Get("mount"); mount != "" && s.isIn(query.Get("from"), mount) {
			s.add(w, repo, mount)
			return nil
		}
		id = rand.Text()
		if digest != "" {
			return s.finish(w, req, repo, id, digest)
		}
		return s.receive(w, req, repo, id, os.O_CREATE|os.O_EXCL)
	case http.MethodPatch:
		return s.receive(w, req, repo, id, 0)
	case http.MethodPut:
		return s.finish(w, req, repo, id, digest)
	default:
		return &registryError{http.StatusMethodNotAllowed, "UNSUPPORTED", req.Method + " of an upload"}
	}
}

// receive appends the request's body to an upload, whose file it opens with flag.
func (s *blobStore) receive(w http.ResponseWriter, req *http.Request, repo, id string, flag int) error {
	size, err := s.write(req, id, flag)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v2/"+repo+"/blobs/uploads/"+id)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, size-1)))
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// write appends the request's body to an upload's file, and returns the size of
// the file.
func (s *blobStore) write(req *http.Request, id string, flag int) (size int64, err error) {
	f, err := os.OpenFile(s.uploadPath(id), os.O_WRONLY|os.O_APPEND|flag, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		return 0, &registryError{http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "unknown upload " + id}
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, req.Body); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// finish appends the request's body to an upload, and makes it a blob if it has
// the digest.
func (s *blobStore) finish(w http.ResponseWriter, req *http.Request, repo, id, digest string) error {
	flag := 0
	if req.Method == http.MethodPost {
		flag = os.O_CREATE | os.O_EXCL
	}
	if _, err := s.write(req, id, flag); err != nil {
		return err
	}
	f, err := os.Open(s.uploadPath(id))
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != digest {
		return &registryError{http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("the upload has the digest %s, not %q", got, digest)}
	}
	if err := os.Rename(s.uploadPath(id), s.path(digest)); err != nil {
		return err
	}
	s.add(w, repo, digest)
	return nil
}

// add adds a blob to a repository, and responds with its location.
func (s *blobStore) add(w http.ResponseWriter, repo, digest string) {
	s.mu.Lock()
	s.has[repo+"@"+digest] = true
	s.mu.Unlock()
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+digest)
	w.Header().Set("Docker-Content-Digest", digest)
	w.WriteHeader(http.StatusCreated)
}

// checkManifest rejects a manifest that does not match its digest, or whose blobs are not
// in its repository. The request's body can be read again afterwards.
func (s *blobStore) checkManifest(req *http.Request, repo, ref string) error {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	req.Body = io.NopCloser(strings.NewReader(string(body)))
	sum := sha256.Sum256(body)
	if got := "sha256:" + hex.EncodeToString(sum[:]); strings.Contains(ref, ":") && ref != got {
		return &registryError{http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("the manifest has the digest %s, not %s", got, ref)}
	}
	type blob struct {
		Digest string
		URLs   []string
	}
	var manifest struct {
		Config *blob
		Layers []blob
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return &registryError{http.StatusBadRequest, "MANIFEST_INVALID", err.Error()}
	}
	if manifest.Config != nil {
		manifest.Layers = append(manifest.Layers, *manifest.Config)
	}
	for _, b := range manifest.Layers {
		// A layer with URLs, such as those of Windows, may be elsewhere.
		if len(b.URLs) == 0 && !s.isIn(repo, b.Digest) {
			return &registryError{http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", "unknown blob " + b.Digest}
		}
	}
	return nil
}

func (s *blobStore) isIn(repo, digest string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has[repo+"@"+digest]
}

// path returns the file of a blob that is in the store.
func (s *blobStore) path(digest string) string {
	return filepath.Join(s.dir, "blobs", strings.TrimPrefix(digest, "sha256:"))
}

// uploadPath returns the file of an upload.
func (s *blobStore) uploadPath(id string) string {
	return filepath.Join(s.dir, "uploads", filepath.Base(id))
}
