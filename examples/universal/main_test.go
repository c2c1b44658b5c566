package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

func TestWaitsForAServerThatStartsLater(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := lis.Addr().String()
	lis.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- waitAll(ctx, []string{addr}, time.Millisecond) }()
	if lis, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNamesWhatDoesNotAnswer(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	const nobody = "127.0.0.1:1"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = waitAll(ctx, []string{lis.Addr().String(), nobody}, time.Millisecond)
	if err == nil || !strings.HasPrefix(err.Error(), nobody+" does not answer") {
		t.Errorf("got %v, want that %s does not answer", err, nobody)
	}
}
