// Package daemon runs a private BuildKit daemon for the user, on machines that have
// buildkitd and an OCI runtime but no builder.
//
// There is one daemon per state directory. [Use] returns a [Lease] on it, and first
// starts the daemon if none runs. The process that Use starts calls [Supervise]: it
// runs buildkitd, and stops it after an idle time without a lease.
//
// Two lock files (flock(2)) in the state directory coordinate the processes. The
// kernel releases them whenever a process ends, so a crash leaves nothing to clean up:
//
//   - "run.lock" is held by the supervisor and by buildkitd, from before they start
//     until both have ended. The process that gets the lock starts a supervisor,
//     which inherits the open file. So there is never a second supervisor.
//   - "use.lock" is shared by all leases. The supervisor stops the daemon only after
//     it has locked the file exclusively, and then keeps the lock until it ends. A
//     new lease waits for that, and then starts the next daemon.
package daemon
