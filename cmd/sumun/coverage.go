package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sumun.dev/plane"
)

func coverage() *cobra.Command {
	format, missing := "text", false
	c := &cobra.Command{
		Use:   "coverage [SERVICE…]",
		Short: "Print which operations of which service are served",
		RunE: func(c *cobra.Command, args []string) error {
			all, err := plane.Coverage(c.Context())
			if err != nil {
				return err
			}
			if all, err = chosen(all, args); err != nil {
				return err
			}
			out := c.OutOrStdout()
			if format == "json" {
				e := json.NewEncoder(out)
				e.SetIndent("", "  ")
				return e.Encode(all)
			}
			if format != "text" {
				return fmt.Errorf("--format %s is neither text nor json", format)
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "SERVICE\tSERVED\tMODELLED")
			for _, s := range all {
				fmt.Fprintf(w, "%s\t%d\t%d\n", s.Service, len(s.Served), len(s.Served)+len(s.Missing))
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, s := range all {
				for _, op := range s.Served {
					fmt.Fprintf(out, "%s:%s\n", s.Service, op)
				}
				if missing {
					for _, op := range s.Missing {
						fmt.Fprintf(out, "%s:%s (not served)\n", s.Service, op)
					}
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", format, "text or json")
	c.Flags().BoolVar(&missing, "missing", false, "list the operations that are not served too")
	return c
}

func chosen(all []plane.Served, names []string) ([]plane.Served, error) {
	if len(names) == 0 {
		return all, nil
	}
	var some []plane.Served
	for _, name := range names {
		found := false
		for _, s := range all {
			if s.Service == name {
				some, found = append(some, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no service %q is modelled", name)
		}
	}
	return some, nil
}
