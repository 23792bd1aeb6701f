package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/client"
	"sumun.dev/plane/config"
	"sumun.dev/policy/inventory"
)

func importCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import",
		Short: "Bring what stands in a real account into the running plane",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(importIAM())
	return c
}

// importOptions are the flags of import iam.
type importOptions struct {
	data, account   string
	replace, dryRun bool
}

func importIAM() *cobra.Command {
	o := importOptions{data: config.Default().Data}
	c := &cobra.Command{
		Use:   "iam FILE",
		Short: "Import the users, groups, roles and policies of an account",
		Long: `Import iam reads what 'aws iam get-account-authorization-details' printed and
makes the same users, groups, roles, instance profiles and policies in the
running plane, through its API: IAM checks everything, and the trail shows it.
Passwords and access keys are in no dump; make keys for whom you rehearse:
  aws iam create-access-key --user-name alice

What is there already and the same is passed over, so that an import that was
interrupted is continued by the same command. What is there and differs stops the
import before anything is changed, unless --replace says to make it as in the dump.

An account has the number of the dump's when the plane was started with that
account-id. --account names another: the plane's own, or a member of its
organisation; the number is then replaced in every document.`,
		Example: `  sumun import iam account.json
  sumun import iam account.json --account 111122223333 --dry-run`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse(c, "name one file: the output of aws iam get-account-authorization-details")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.data, "data", o.data, "data folder of the plane, or ':memory:'")
	f.StringVar(&o.account, "account", "", "account to import into, when it is not the dump's")
	f.BoolVar(&o.replace, "replace", false, "make what is there and differs as it is in the dump")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would be done")
	return c
}

func (o *importOptions) run(c *cobra.Command, file string) error {
	text, err := readDump(file)
	if err != nil {
		return misuse(c, "%v", err)
	}
	dump, from, err := oneAccount(text)
	if err != nil {
		return misuse(c, "%s: %v", file, err)
	}
	api, err := caller(o.data)
	if err != nil {
		return err
	}
	own, err := stsapi.GetCallerIdentity.Call(c.Context(), api, &stsapi.GetCallerIdentityRequest{})
	if err != nil {
		return err
	}
	into := from
	switch {
	case o.account != "":
		if into, err = aws.ParseAccount(o.account); err != nil {
			return misuse(c, "--account: %v", err)
		}
	case *own.Account != string(from):
		return misuse(c, "%s is of account %s, the plane's is %s: start a plane with account-id %s, or say --account %s", file, from, *own.Account, from, *own.Account)
	}
	if into != from {
		if dump, _, err = oneAccount(bytes.ReplaceAll(text, []byte(from), []byte(into))); err != nil {
			return misuse(c, "%s: %v", file, err)
		}
	}
	if string(into) != *own.Account {
		if err := assumeInto(c, api, into); err != nil {
			return err
		}
	}
	have := &inventory.Inventory{}
	if err := fetchDetails(c.Context(), api, have); err != nil {
		return err
	}
	p := &importPlan{ctx: c.Context(), api: api, account: into, have: have, replace: o.replace}
	p.make(dump)
	return p.carryOut(c, o.dryRun)
}

func readDump(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, inventory.MaxDump+1))
	if err == nil && len(text) > inventory.MaxDump {
		err = fmt.Errorf("%s is larger than %d bytes", file, inventory.MaxDump)
	}
	return text, err
}

// oneAccount reads a dump, which has to be of one account.
func oneAccount(text []byte) (*inventory.Inventory, aws.Account, error) {
	inv := &inventory.Inventory{}
	if err := inv.Add(bytes.NewReader(text)); err != nil {
		return nil, "", err
	}
	if all := inv.Accounts(); len(all) == 1 && inv.Organization() == nil {
		return inv, all[0].ID, nil
	}
	return nil, "", errors.New("it is not the dump of one account")
}

// assumeInto makes the client act in a member account.
func assumeInto(c *cobra.Command, api *client.Client, account aws.Account) error {
	out, err := stsapi.AssumeRole.Call(c.Context(), api, &stsapi.AssumeRoleRequest{
		RoleArn: "arn:aws:iam::" + string(account) + ":role/OrganizationAccountAccessRole", RoleSessionName: "sumun-import",
	})
	if err != nil {
		return fmt.Errorf("account %s is not the plane's own, and its OrganizationAccountAccessRole cannot be assumed: %w", account, err)
	}
	k := out.Credentials
	api.Key = sigv4.Credentials{KeyID: k.AccessKeyId, Secret: k.SecretAccessKey, Token: k.SessionToken}
	return nil
}
