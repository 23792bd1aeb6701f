package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/policy/inventory"
	"sumun.dev/policy/tree"
)

// checkOptions are the flags of policy check.
type checkOptions struct {
	as, issuer, owner, resourcePolicy, expect string
	actions, resources, context               []string
	json                                      bool
}

func policyCheck() *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check [FILES…] --as ARN --action ACTION [--resource ARN]",
		Short: "Say offline whether a principal may do something, and why",
		Long: `Check decides as the gate would, from files alone, and prints why: every policy
that was consulted and the statement that decided.

` + filesHelp + `

With a dump, --as names a user, a role or a session of a role in it, and gets all
its policies, its groups', its boundary and its organisation's. The trust policy
of a role in the dump decides who may assume it.

The exit status is 0 when everything asked for is allowed, 1 when something is
not, 2 when the command itself was wrong. With --expect it is 0 when everything
is as expected.`,
		Example: `  sumun policy check policy.json --as arn:aws:iam::111122223333:user/alice --action s3:GetObject --resource arn:aws:s3:::b/k
  sumun policy check account.json organization.json --as arn:aws:iam::111122223333:role/deploy --action iam:CreateUser --expect denied
  sumun policy check admin.json scp:FullAWSAccess scp:regions.json --as arn:aws:iam::111122223333:user/a --action ec2:RunInstances --context aws:RequestedRegion=us-west-1`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&o.as, "as", "", "who asks: the ARN of a user, role, session or root, a service, or * for nobody")
	f.StringVar(&o.issuer, "issuer", "", "of a session: the ARN of the role or user behind it")
	f.StringArrayVar(&o.actions, "action", nil, "what is asked for: s3:GetObject; may be given again")
	f.StringArrayVar(&o.resources, "resource", []string{"*"}, "the ARN of the resource; may be given again")
	f.StringVar(&o.owner, "resource-account", "", "whose the resource is, when its ARN does not say")
	f.StringVar(&o.resourcePolicy, "resource-policy", "", "file with the resource's policy, as resource:FILE")
	f.StringArrayVar(&o.context, "context", nil, "a condition key of the request, KEY=VALUE; may be given again")
	f.StringVar(&o.expect, "expect", "", "'allowed' or 'denied': what shall come out")
	f.BoolVar(&o.json, "json", false, "print the decisions with all that was consulted, as JSON")
	return c
}

func (o *checkOptions) run(c *cobra.Command, args []string) error {
	a, who, context, err := o.read(args)
	if err != nil {
		return misuse(c, "%v", err)
	}
	var all []tree.Decision
	good := true
	for _, action := range o.actions {
		for _, resource := range o.resources {
			q := &inventory.Question{Action: action, Resource: resource, Owner: aws.Account(o.owner), Context: context, Policy: a.resource}
			req, policies, err := a.inventory.Request(who, q)
			if err != nil {
				return misuse(c, "%v", err)
			}
			d := tree.Explain(req, policies)
			all = append(all, d)
			good = good && (d.Outcome == policy.Allowed.String()) == (o.expect != "denied")
		}
	}
	if o.json {
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		err = e.Encode(all)
	} else {
		var text strings.Builder
		for i := range all {
			if i > 0 {
				text.WriteByte('\n')
			}
			all[i].Write(&text)
		}
		_, err = fmt.Fprint(c.OutOrStdout(), text.String())
	}
	if err == nil && !good {
		err = exit(1)
	}
	return err
}

func (o *checkOptions) read(args []string) (*asked, *inventory.Who, map[string][]string, error) {
	switch {
	case o.as == "" || len(o.actions) == 0:
		return nil, nil, nil, errors.New("--as and --action are needed: who asks for what")
	case o.expect != "" && o.expect != "allowed" && o.expect != "denied":
		return nil, nil, nil, fmt.Errorf("--expect %q is neither allowed nor denied", o.expect)
	}
	for _, action := range o.actions {
		if service, name, found := strings.Cut(action, ":"); !found || service == "" || name == "" || strings.ContainsAny(action, "*?") {
			return nil, nil, nil, fmt.Errorf("--action %q is not a service and a name, such as s3:GetObject", action)
		}
	}
	if o.owner != "" {
		if _, err := aws.ParseAccount(o.owner); err != nil {
			return nil, nil, nil, fmt.Errorf("--resource-account: %w", err)
		}
	}
	context, err := contextOf(o.context)
	if err != nil {
		return nil, nil, nil, err
	}
	a := newAsked()
	if o.resourcePolicy != "" {
		args = append(args, "resource:"+o.resourcePolicy)
	}
	for _, arg := range args {
		if err := a.read(arg, o.actions[0]); err != nil {
			return nil, nil, nil, err
		}
	}
	who, err := a.who(o.as, o.issuer)
	return a, who, context, err
}

// who returns the principal with its policies: those of the dump, and those that
// were given by themselves besides.
func (a *asked) who(as, issuer string) (*inventory.Who, error) {
	w := &inventory.Who{Policies: &policy.Policies{}}
	var err error
	if w.Principal, err = policy.PrincipalOf(as, issuer); err != nil {
		return nil, fmt.Errorf("--as: %w", err)
	}
	if w.Membership, err = a.inventory.Membership(w.Principal.Account); err != nil {
		return nil, err
	}
	if w.Membership != nil {
		w.Policies.SCPs = w.Membership.SCPs
	}
	if e, err := a.entity(w.Principal); err != nil {
		return nil, err
	} else if e != nil {
		dumped, err := a.inventory.As(e)
		if err != nil {
			return nil, err
		}
		session := w.Principal
		w = dumped
		if session.Session != nil && session.Session.Name != "" {
			session.Session.Issuer, session.Session.IssuerID, session.Tags = e.ARN, e.ID, e.Tags
			if session.Kind == aws.AssumedRole { // a federated user's id names the account
				session.ID = e.ID + ":" + session.Session.Name
			}
			w.Principal = session
		}
	}
	p := w.Policies
	p.Identity = append(p.Identity, a.identity...)
	p.Session, p.Endpoint = a.session, a.endpoint
	if a.boundary != nil {
		p.Boundary = a.boundary
	}
	p.SCPs = inventory.Beside(p.SCPs, a.scps)
	p.RCPs = a.rcps
	return w, nil
}

// entity finds the principal in the dumps; nil when none of them is of its account.
func (a *asked) entity(p *aws.Principal) (*inventory.Entity, error) {
	switch p.Kind {
	case aws.User, aws.AssumedRole, aws.FederatedUser:
	default: // a root user, a service, a token of a provider
		return nil, nil
	}
	known := false
	for _, account := range a.inventory.Accounts() {
		known = known || account.ID == p.Account
	}
	if !known {
		return nil, nil
	}
	if p.Kind == aws.AssumedRole {
		if r := a.inventory.Role(p.Account, p.Session.IssuerName); r != nil {
			return &r.Entity, nil
		}
	}
	arn := p.ARN
	if p.Kind == aws.FederatedUser {
		arn = p.Session.Issuer
	}
	if e := a.inventory.Find(arn); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("--as: the dump of account %s has no %s", p.Account, strings.TrimPrefix(arn.Resource, "assumed-"))
}
