package service

import (
	"net/http/httptest"
	"testing"
)

func TestHandler(t *testing.T) {
	h := Handler("catalog", []Item{{"apple", 30}})
	for path, want := range map[string]string{
		"/catalog": `[{"name":"apple","cents":30}]` + "\n",
		"/healthz": "ok\n",
		"/orders":  "404 page not found\n",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if got := w.Body.String(); got != want {
			t.Errorf("GET %s: %q, want %q", path, got, want)
		}
	}
}
