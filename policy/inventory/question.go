package inventory

import (
	"maps"
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/policy/batch"
)

// A Question is what is to be decided about a principal.
type Question struct {
	Action   string
	Resource string              // ARN, or "*"
	Owner    aws.Account         // whose the resource is; empty: the account in its ARN, else the principal's
	Context  map[string][]string // the request's condition keys, in any case
	Policy   *policy.Attached    // of the resource; nil: a role's trust policy from the dumps, else none
}

// Request makes of a question what the policy evaluator is asked. What dumps say
// of accounts and organisations becomes condition keys, unless the question gives
// them.
func (inv *Inventory) Request(w *Who, q *Question) (*policy.Request, *policy.Policies, error) {
	owner := q.Owner
	if arn, err := aws.ParseARN(q.Resource); err == nil && owner == "" {
		if account, err := aws.ParseAccount(string(arn.Account)); err == nil {
			owner = account
		}
	}
	own := owner == "" || owner == w.Principal.Account
	p := *w.Policies
	theirs := w.Membership
	if !own {
		var err error
		if theirs, err = inv.Membership(owner); err != nil {
			return nil, nil, err
		}
	}
	if theirs != nil {
		p.RCPs = Beside(theirs.RCPs, p.RCPs)
	}
	p.Management = w.Membership != nil && w.Membership.Management
	p.ResourceManagement = theirs != nil && theirs.Management
	p.Resource = q.Policy
	if q.Policy == nil && batch.KindOf(q.Action) == policy.Trust {
		trust, err := inv.trust(q.Resource)
		if err != nil {
			return nil, nil, err
		}
		p.Resource = trust
	}
	context := maps.Clone(q.Context)
	if context == nil {
		context = map[string][]string{}
	}
	add := func(key, value string) {
		for given := range context {
			if strings.EqualFold(given, key) {
				return
			}
		}
		if value != "" {
			context[key] = []string{value}
		}
	}
	if w.Membership != nil {
		add("aws:PrincipalOrgID", w.Membership.Organization)
		add("aws:PrincipalOrgPaths", w.Membership.Path)
	}
	if theirs != nil {
		add("aws:ResourceOrgID", theirs.Organization)
		add("aws:ResourceOrgPaths", theirs.Path)
	}
	return &policy.Request{
		Principal: w.Principal, Action: q.Action, Resource: q.Resource, ResourceAccount: owner, Context: policy.MapOf(context),
	}, &p, nil
}

// Beside returns levels with more attached to each, root first; nil when there are
// neither.
func Beside(levels, more [][]*policy.Attached) [][]*policy.Attached {
	both := slices.Clone(levels)
	for i := range more {
		if i == len(both) {
			both = append(both, nil)
		}
		both[i] = slices.Concat(both[i], more[i])
	}
	return both
}

// trust returns the trust policy of the role that resource names, from a dump.
func (inv *Inventory) trust(resource string) (*policy.Attached, error) {
	arn, err := aws.ParseARN(resource)
	if err != nil || inv.entities[arn] == nil {
		return nil, nil
	}
	r := inv.Role(arn.Account, inv.entities[arn].Name)
	if r == nil || r.ARN != arn {
		return nil, nil
	}
	return inv.compile("trust policy of "+resource, r.Trust, policy.Trust)
}
