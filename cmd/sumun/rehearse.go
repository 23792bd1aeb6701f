package main

import (
	"context"
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
the kernel; nothing is sent beyond loopback, but to a server that --postgres names.

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
			if !c.Flags().Changed("postgres") {
				postgres = os.Getenv(postgresVariable)
			}
			setting.Database = func() (*scenario.Database, error) { return databaseUntilSignal(c.Context(), postgres) }
			setting.Programs = true
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
	f.StringVar(&postgres, "postgres", "", "URL of a PostgreSQL server, as somebody who may make users; empty starts one (default $"+postgresVariable+")")
	f.BoolVar(&setting.AllowExec, "allow-exec", false, "the scenario may run programs and touch files outside its folder")
	return c
}

// postgresVariable stands for --postgres. It is no default of the flag's, which 'help'
// would show: it may hold a password.
const postgresVariable = "SUMUN_REHEARSE_POSTGRES"

// databaseUntilSignal makes the user of a database server, who is removed also when
// the program is interrupted.
func databaseUntilSignal(ctx context.Context, postgres string) (*scenario.Database, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	database, err := scenario.Postgres(ctx, postgres)
	if err != nil {
		stop()
		return nil, err
	}
	go func() {
		<-ctx.Done()
		if err := database.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "sumun:", err)
		}
		os.Exit(1)
	}()
	return database, nil
}

func listRehearsals(c *cobra.Command) error {
	all, err := scenario.Rehearsals()
	if err != nil {
		return err
	}
	longest := 0
	for _, r := range all {
		longest = max(longest, len(r.Name))
	}
	for _, r := range all {
		fmt.Fprintf(c.OutOrStdout(), "%-*s  %s\n", longest, r.Name, r.About)
	}
	return nil
}
