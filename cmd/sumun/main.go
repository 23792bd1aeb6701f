// Command sumun is an AWS security plane: it serves AWS APIs whose engines are real, rehearses attacks and tests guardrails.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	if err := root().Execute(); err != nil {
		var quiet exit
		if errors.As(err, &quiet) {
			os.Exit(int(quiet))
		}
		fmt.Fprintln(os.Stderr, "sumun:", err)
		os.Exit(1)
	}
}

// An exit ends the program with a status and no further words: what is to be
// said has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "sumun",
		Short: "An AWS security plane in one binary",
		Long: `Sumun serves the AWS APIs of identity (IAM, STS, Organizations, Identity Center),
KMS, Secrets Manager, Parameter Store, DNS Firewall, GuardDuty, Security Hub,
EventBridge and Systems Manager, with a real engine behind each: policies are
enforced on every call and say why, keys encrypt, DNS packets are answered or
blocked, findings come from what happened, and playbooks change what the next
packet meets.`,
		Example: `  sumun rehearse suspicious-dns    watch one attack be detected and blocked
  sumun rehearse scp-guardrail     watch an organisation's guardrails hold
  sumun detect AWSLogs/            find attacks in logs, offline
  sumun up                         run the plane; then: eval "$(sumun env)"
  sumun explain                    why the last refused call was refused
  sumun policy check …             decide from policy files and dumps, offline
  sumun test guardrails/           run scenarios as tests, time travel included`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return misuse(c, "%v; --help lists the flags", err) }) // 1 may mean something else
	c.AddCommand(up(), env(), detectCommand(), ingestCommand(), explain(), doctor(), coverage(), policyCommand(), importCommand(), backup(), restore(), keys(), rehearse(), test(), version())
	return c
}
