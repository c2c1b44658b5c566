package plugin

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/daemon"
)

// newSuperviseCommand is the process that a build leaves behind when it starts
// the private daemon: not for people, and so not shown to them.
func newSuperviseCommand() *cobra.Command {
	var settings daemon.Settings
	cmd := &cobra.Command{
		Use:    daemon.SupervisorCommand + " --dir DIR --idle DURATION --start DURATION -- COMMAND",
		Short:  "Run the private daemon of builds",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		// Nothing of the Docker CLI is needed, and its configuration may be broken.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return daemon.Supervise(ctx, settings, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&settings.Dir, "dir", "", "State folder")
	flags.DurationVar(&settings.Idle, "idle", 0, "Time without a build after which the daemon stops")
	flags.DurationVar(&settings.Start, "start", 0, "Time until the daemon has to answer")
	return cmd
}
