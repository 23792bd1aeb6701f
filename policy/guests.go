package policy

import (
	"slices"

	"sumun.dev/aws"
)

// Guests are whom one Allow statement of a resource's policy lets in.
type Guests struct {
	Everyone  bool // for "*", with no condition that makes the audience known
	Accounts  []aws.Account
	ARNs      []aws.ARN // users, roles, sessions
	Services  []string  // lambda.amazonaws.com
	Federated []string  // identity providers
	Narrowed  bool      // a condition limits who, when or how
}

// Guests lists, for each Allow statement, whom it lets in.
func (d *Document) Guests() []Guests {
	var all []Guests
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Deny || s.principals == nil {
			continue
		}
		p := s.principals
		g := Guests{Everyone: s.public(), Accounts: p.accounts, ARNs: p.arns, Services: p.services, Federated: p.federated, Narrowed: len(s.conditions) > 0}
		all = append(all, g)
	}
	return all
}

// Administers reports whether a statement allows every action, or every action of
// IAM by which every other can be had, on everything.
func (d *Document) Administers() bool {
	return slices.ContainsFunc(d.Statements, func(s Statement) bool {
		all := s.actions.all || slices.ContainsFunc(s.actions.services, func(a serviceActions) bool { return a.service == "iam" && a.all })
		return all && !s.Deny && s.anyResource && !s.notActions && len(s.conditions) == 0
	})
}
