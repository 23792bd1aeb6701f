package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sumun.dev/scenario"
)

func rehearse() *cobra.Command {
	var list bool
	var setting scenario.Setting
	c := &cobra.Command{
		Use:   "rehearse NAME|FILE.txtar",
		Short: "Play a scenario in real time and print what happened",
		Long: `Rehearse starts a fresh plane, to be thrown away, with real listeners on free
ports, plays a scenario on it in real time, and prints a timeline: what happened,
when, by whom, and which statement allowed or refused it. DNS packets go through
the kernel; nothing is sent beyond loopback.`,
		Example: `  sumun rehearse suspicious-dns
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
	f.BoolVar(&setting.AllowExec, "allow-exec", false, "the scenario may run programs and touch files outside its folder")
	return c
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
