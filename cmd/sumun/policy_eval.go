package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sumun.dev/policy/batch"
)

func policyEval() *cobra.Command {
	schema := false
	c := &cobra.Command{
		Use:   "eval FILE.json|-",
		Short: "Decide many cases: one JSON object a line in, one a line out",
		Long: `Eval reads cases as JSON lines, from a file or from standard input (-), and
writes one answer a line, in order, each as soon as it can. A case says who asks
for what and holds all policies that apply; --schema prints the JSON schema of
both lines. The decision is the gate's own.

A line that cannot be decided is answered with an error, and the others still
are. The exit status is 0 when all were decided, 1 when one was not, 2 when the
command itself was wrong.`,
		Example: `  echo '{"id":1,"principal":"arn:aws:iam::111122223333:user/alice","action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}' | sumun policy eval -
  sumun policy eval cases.json > answers.json
  sumun policy eval --schema`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case schema && len(args) == 0:
				_, err := io.WriteString(c.OutOrStdout(), batch.Schema)
				return err
			case schema || len(args) == 0:
				return misuse(c, "name one file of cases, or - for standard input, or --schema alone")
			}
			in := c.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return misuse(c, "%v", err)
				}
				defer f.Close()
				in = f
			}
			failed, err := new(batch.Evaluator).Run(in, c.OutOrStdout())
			if err != nil {
				return err
			}
			if failed > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "sumun policy eval: %d lines could not be decided; their answers say why\n", failed)
				return exit(1)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON schema of the lines")
	return c
}

// misuse says in one line what was wrong with the command itself; its status is 2.
func misuse(c *cobra.Command, format string, args ...any) error {
	fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", c.CommandPath(), fmt.Sprintf(format, args...))
	return exit(2)
}
