package inventory

import (
	"fmt"
	"slices"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

// Who is a principal with all policies that concern it, but not those of a resource.
type Who struct {
	Principal  *aws.Principal
	Policies   *policy.Policies
	Membership *policy.Membership // of its account; nil in no known organisation
}

// Find returns the user or role that arn names; nil when no dump has it.
func (inv *Inventory) Find(arn aws.ARN) *Entity {
	e := inv.entities[arn]
	if e != nil && isGroup(e) {
		return nil
	}
	return e
}

// Role returns the role of an account with this name; nil when there is none.
func (inv *Inventory) Role(account aws.Account, name string) *Role {
	if a := inv.accounts[account]; a != nil {
		for _, r := range a.Roles {
			if r.Name == name {
				return r
			}
		}
	}
	return nil
}

// Group returns the group of an account with this name; nil when there is none.
func (inv *Inventory) Group(account aws.Account, name string) *Group {
	if a := inv.accounts[account]; a != nil {
		for _, g := range a.Groups {
			if g.Name == name {
				return g
			}
		}
	}
	return nil
}

// User returns the user of an account with this name; nil when there is none.
func (inv *Inventory) User(account aws.Account, name string) *User {
	if a := inv.accounts[account]; a != nil {
		for _, u := range a.Users {
			if u.Name == name {
				return u
			}
		}
	}
	return nil
}

// ManagedPolicy returns a managed policy that a dump holds; nil when none does.
func (inv *Inventory) ManagedPolicy(arn aws.ARN) *ManagedPolicy { return inv.managed[arn] }

func isGroup(e *Entity) bool { return len(e.ARN.Resource) > 6 && e.ARN.Resource[:6] == "group/" }

// As returns e, which is a user or role, as a principal: a role as one of its
// sessions. The policies of its account's organisation are among the others.
func (inv *Inventory) As(e *Entity) (*Who, error) {
	p, err := policy.PrincipalOf(e.ARN.String(), "")
	if err != nil {
		return nil, err
	}
	p.Tags = e.Tags
	if p.Session != nil {
		p.Session.IssuerID = e.ID
	} else {
		p.ID = e.ID
	}
	w := &Who{Principal: p, Policies: &policy.Policies{}}
	if w.Policies.Identity, err = inv.identity(e); err != nil {
		return nil, err
	}
	if e.Boundary != "" {
		if w.Policies.Boundary, err = inv.attached(e, e.Boundary); err != nil {
			return nil, err
		}
	}
	if w.Membership, err = inv.Membership(e.ARN.Account); err != nil || w.Membership == nil {
		return w, err
	}
	w.Policies.SCPs = w.Membership.SCPs
	return w, nil
}

// identity returns the policies of an entity, those of a user's groups included.
func (inv *Inventory) identity(e *Entity) ([]*policy.Attached, error) {
	var all []*policy.Attached
	for _, d := range e.Inline {
		a, err := inv.compile("inline:"+e.Name+"/"+d.Name, d.Text, policy.Identity)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	for _, arn := range e.Attached {
		a, err := inv.attached(e, arn)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	for _, name := range e.groups {
		i := slices.IndexFunc(e.account.Groups, func(g *Group) bool { return g.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s is in the group %q, which the dump does not hold", e.ARN, name)
		}
		more, err := inv.identity(&e.account.Groups[i].Entity)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func (inv *Inventory) attached(e *Entity, arn string) (*policy.Attached, error) {
	text, known := inv.ManagedText(arn)
	if !known {
		return nil, fmt.Errorf("%s has the policy %s, which the dump does not hold", e.ARN, arn)
	}
	return inv.compile(arn, text, policy.Identity)
}

// ManagedText returns the document of a managed policy: from a dump, else AWS's own.
func (inv *Inventory) ManagedText(arn string) (string, bool) {
	parsed, err := aws.ParseARN(arn)
	if err == nil && inv.managed[parsed] != nil {
		return inv.managed[parsed].Text(), true
	}
	if inv.Managed == nil {
		return "", false
	}
	return inv.Managed(arn)
}

func (inv *Inventory) compile(source, text string, kind policy.Kind) (*policy.Attached, error) {
	d, err := inv.cache.Parse(text, kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return &policy.Attached{Document: d, Source: source}, nil
}
