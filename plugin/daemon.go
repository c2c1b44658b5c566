package plugin

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/daemon"
)

// newSuperviseCommand returns the hidden command that supervises the private daemon. A
// build starts it in the background, and users do not run it.
func newSuperviseCommand() *cobra.Command {
	var settings daemon.Settings
	cmd := &cobra.Command{
		Use:    daemon.SupervisorCommand + " --dir DIR --idle DURATION --start DURATION -- COMMAND",
		Short:  "Run the private daemon of builds",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		// The supervisor does not need the Docker CLI, whose configuration may be invalid.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return daemon.Supervise(ctx, settings, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&settings.Dir, "dir", "", "State directory")
	flags.DurationVar(&settings.Idle, "idle", 0, "Stop the daemon after this time without a build")
	flags.DurationVar(&settings.Start, "start", 0, "Fail if the daemon does not answer within this time")
	return cmd
}
