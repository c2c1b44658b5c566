package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that the first interrupt cancels, so that the
// build is cancelled on the daemon too. A second one exits at once: whoever
// interrupts twice does not want to wait for the daemon.
func Interruptible(parent context.Context, exit func(int)) context.Context {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go watch(signals, cancel, exit)
	return ctx
}

// watch acts on the signals. It lives as long as the process.
func watch(signals <-chan os.Signal, cancel context.CancelFunc, exit func(int)) {
	<-signals
	cancel()
	<-signals
	exit(ExitInterrupted)
}
