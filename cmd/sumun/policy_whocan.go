package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/policy"
	"sumun.dev/policy/inventory"
	"sumun.dev/policy/tree"
)

// whoOptions are the flags of policy who-can.
type whoOptions struct {
	data, owner, resourcePolicy string
	context                     []string
	json                        bool
}

func policyWhoCan() *cobra.Command {
	o := whoOptions{data: config.Default().Data}
	c := &cobra.Command{
		Use:   "who-can ACTION RESOURCE [FILES…]",
		Short: "List the principals that may do something, and by which statement",
		Long: `Who-can asks the evaluator for every user, every role and the root user of every
account in the dumps, and lists those that are allowed. Without files it asks the
running plane.

` + filesHelp + `

Conditions are decided with the keys that --context gives; whoever is allowed only
with others, with MFA for one, is not listed. A role is listed for its sessions.
The exit status is 0 when somebody can, 1 when nobody can, 2 when the command
itself was wrong.`,
		Example: `  sumun policy who-can iam:CreateAccessKey arn:aws:iam::111122223333:user/alice
  sumun policy who-can s3:GetObject arn:aws:s3:::payroll/may.csv account.json organization.json
  sumun policy who-can sts:AssumeRole arn:aws:iam::111122223333:role/admin account.json --context aws:MultiFactorAuthPresent=true`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return misuse(c, "name an action and a resource, such as s3:GetObject arn:aws:s3:::bucket/key")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0], args[1], args[2:]) },
	}
	f := c.Flags()
	f.StringVar(&o.data, "data", o.data, "data folder of the plane, or ':memory:'")
	f.StringVar(&o.owner, "resource-account", "", "whose the resource is, when its ARN does not say; missing: every principal's own account")
	f.StringVar(&o.resourcePolicy, "resource-policy", "", "file with the resource's policy, as resource:FILE")
	f.StringArrayVar(&o.context, "context", nil, "a condition key of the request, KEY=VALUE; may be given again")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

// able is a principal that may do what was asked.
type able struct {
	Principal string `json:"principal"`
	DecidedBy string `json:"decidedBy"`
	Source    string `json:"source,omitempty"`
	Statement string `json:"statement,omitempty"`
}

func (o *whoOptions) run(c *cobra.Command, action, resource string, files []string) error {
	all, err := o.able(c.Context(), action, resource, files)
	if err != nil {
		return misuse(c, "%v", err)
	}
	if o.json {
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		err = e.Encode(all)
	} else {
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		for _, a := range all {
			fmt.Fprintf(w, "%s\t%s\n", a.Principal, a.why())
		}
		err = w.Flush()
	}
	if err == nil && len(all) == 0 {
		fmt.Fprintf(c.ErrOrStderr(), "nobody can %s on %s\n", action, resource)
		err = exit(1)
	}
	return err
}

func (a *able) why() string {
	if a.Source == "" {
		return "by " + tree.TypeName(a.DecidedBy)
	}
	return fmt.Sprintf("by %s: %s of %s", tree.TypeName(a.DecidedBy), a.Statement, a.Source)
}

func (o *whoOptions) able(ctx context.Context, action, resource string, files []string) ([]able, error) {
	if service, name, found := strings.Cut(action, ":"); !found || service == "" || name == "" || strings.ContainsAny(action, "*?") {
		return nil, fmt.Errorf("%q is not a service and a name, such as s3:GetObject", action)
	}
	if o.owner != "" {
		if _, err := aws.ParseAccount(o.owner); err != nil {
			return nil, fmt.Errorf("--resource-account: %w", err)
		}
	}
	given, err := contextOf(o.context)
	if err != nil {
		return nil, err
	}
	a := newAsked()
	if o.resourcePolicy != "" {
		files = append(files, "resource:"+o.resourcePolicy)
	}
	for _, file := range files {
		if err := a.read(file, action); err != nil {
			return nil, err
		}
	}
	if a.dumps == 0 {
		plane, err := caller(o.data)
		if err != nil {
			return nil, fmt.Errorf("no dump is among the files, and %w", err)
		}
		if err := fetch(ctx, plane, &a.inventory); err != nil {
			return nil, err
		}
	}
	q := &inventory.Question{Action: action, Resource: resource, Owner: aws.Account(o.owner), Context: given, Policy: a.resource}
	var all []able
	for _, account := range a.inventory.Accounts() {
		root, err := a.who("arn:aws:iam::"+string(account.ID)+":root", "")
		if err != nil {
			return nil, err
		}
		if all, err = a.ask(all, root, q); err != nil {
			return nil, err
		}
	}
	for e := range a.inventory.Principals() {
		who, err := a.who(e.ARN.String(), "")
		if err != nil {
			return nil, err
		}
		if all, err = a.ask(all, who, q); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ask adds who to all when it is allowed.
func (a *asked) ask(all []able, who *inventory.Who, q *inventory.Question) ([]able, error) {
	req, policies, err := a.inventory.Request(who, q)
	if err != nil {
		return nil, err
	}
	d := policy.Authorize(req, policies)
	if !d.Allowed() {
		return all, nil
	}
	name := who.Principal.ARN.String()
	return append(all, able{Principal: name, DecidedBy: d.By.String(), Source: d.Source(), Statement: d.Label()}), nil
}
