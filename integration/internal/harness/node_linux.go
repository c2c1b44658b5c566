package harness

import "syscall"

// FreezeNode stops the daemon that [Env.StartNode] started at an address where it
// is: connections stay, and nothing is answered. [Env.KillNode] ends it.
func (e *Env) FreezeNode(addr string) error {
	d, err := e.node(addr)
	if err != nil {
		return err
	}
	return d.proc.cmd.Process.Signal(syscall.SIGSTOP)
}
