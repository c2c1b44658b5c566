package main

import (
	"net/http/httptest"
	"testing"
)

func TestEcho(t *testing.T) {
	r := httptest.NewRequest("PUT", "/a/b?c=d", nil)
	r.Header.Set("X-Second", "2")
	r.Header.Add("X-First", "1")
	r.Header.Add("X-First", "one")
	w := httptest.NewRecorder()
	echo(w, r)
	const want = "PUT /a/b?c=d HTTP/1.1\nX-First: 1, one\nX-Second: 2\n"
	if got := w.Body.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
