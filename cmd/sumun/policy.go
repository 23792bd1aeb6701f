package main

import "github.com/spf13/cobra"

func policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Ask the policy evaluator, offline",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(policyEval(), policyCheck(), policyWhoCan(), policyLint())
	return c
}
