package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that the first interrupt cancels, which also cancels the
// build on the daemon. The second interrupt calls exit without waiting for the daemon.
func Interruptible(parent context.Context, exit func(int)) context.Context {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go watch(signals, cancel, exit)
	return ctx
}

// watch handles the signals. It runs until the process ends.
func watch(signals <-chan os.Signal, cancel context.CancelFunc, exit func(int)) {
	<-signals
	cancel()
	<-signals
	exit(ExitInterrupted)
}
