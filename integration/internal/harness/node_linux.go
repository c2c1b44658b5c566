package harness

import "syscall"

// FreezeNode suspends the daemon that [Env.StartNode] started at an address: connections
// stay open, and get no response. [Env.KillNode] ends it.
func (e *Env) FreezeNode(addr string) error {
	d, err := e.node(addr)
	if err != nil {
		return err
	}
	return d.proc.cmd.Process.Signal(syscall.SIGSTOP)
}
