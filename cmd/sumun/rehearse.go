package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"sumun.dev/scenario"
)

func rehearse() *cobra.Command {
	var list bool
	var postgres string
	var setting scenario.Setting
	c := &cobra.Command{
		Use:   "rehearse NAME|FILE.txtar",
		Short: "Play a scenario in real time and print what happened",
		Long: `Rehearse starts a fresh plane, to be thrown away, with real listeners on free
ports, plays a scenario on it in real time, and prints a timeline: what happened,
when, by whom, and which statement allowed or refused it. DNS packets go through
the kernel; nothing is sent beyond loopback.

The rehearsal secret-rotation needs a PostgreSQL server. It starts one from the
programs that are installed, and removes it afterwards; or --postgres names one, on
which it makes a user of its own, sumun_rehearsal_…, and removes it.`,
		Example: `  sumun rehearse suspicious-dns
  sumun rehearse --postgres postgres://admin@localhost/postgres secret-rotation
  sumun rehearse --list
  sumun rehearse attack.txtar`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return listRehearsals(c)
			}
			if len(args) == 0 {
				return errors.New("name a rehearsal ('sumun rehearse --list' shows them) or a file")
			}
			setting.Database = func() (*scenario.Database, error) {
				database, err := scenario.Postgres(postgres)
				if err == nil {
					closeOnSignal(database)
				}
				return database, err
			}
			err := scenario.Rehearse(args[0], setting, c.OutOrStdout())
			if errors.Is(err, scenario.ErrUnknown) {
				return fmt.Errorf("%w; 'sumun rehearse --list' shows those that there are", err)
			}
			return err
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			all, err := scenario.Rehearsals()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			var names []string
			for _, r := range all {
				names = append(names, r.Name+"\t"+r.About)
			}
			return names, cobra.ShellCompDirectiveDefault
		},
	}
	f := c.Flags()
	f.BoolVar(&list, "list", false, "list the rehearsals that come with sumun")
	f.BoolVar(&setting.Durable, "durable", false, "keep state in SQLite and NATS in a temporary folder, not in memory")
	f.StringVar(&postgres, "postgres", os.Getenv("SUMUN_REHEARSE_POSTGRES"), "URL of a PostgreSQL server, as somebody who may make users; empty starts one (SUMUN_REHEARSE_POSTGRES)")
	f.BoolVar(&setting.AllowExec, "allow-exec", false, "the scenario may run programs and touch files outside its folder")
	return c
}

// closeOnSignal has the user on somebody's server removed also when the program is
// interrupted.
func closeOnSignal(database *scenario.Database) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		if err := database.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "sumun:", err)
		}
		os.Exit(1)
	}()
}

func listRehearsals(c *cobra.Command) error {
	all, err := scenario.Rehearsals()
	if err != nil {
		return err
	}
	for _, r := range all {
		fmt.Fprintf(c.OutOrStdout(), "%-20s %s\n", r.Name, r.About)
	}
	return nil
}
