package gateway

import (
	"context"
	"errors"
	"fmt"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// authorise asks the policies about everything the call touches: all of it must
// be allowed, and a call that touches nothing is denied, since forgetting must
// never mean allow.
func (g *Gateway) authorise(ctx context.Context, d *deed) error {
	if len(d.touches) == 0 {
		return fmt.Errorf("gateway: %s touches nothing, so nothing allows it", d.about)
	}
	for i := range d.touches {
		if d.touches[i].Open != "" {
			continue
		}
		if err := g.gather(ctx, d, i); err != nil {
			return err
		}
		if err := g.pose(d, i); err != nil {
			return err
		}
		q := &d.question
		d.at, d.decision = i, policy.Authorize(&q.Request, &q.Policies)
		if d.decision.Allowed() {
			continue
		}
		d.denied = true
		for i++; i < len(d.touches); i++ {
			_ = g.gather(ctx, d, i) // only what explains the refusal, which stands
		}
		return g.denied(d, &q.Request)
	}
	return nil
}

// gather finds what decides about the call's i-th touch besides the touch itself:
// the caller's policies, and where its account and the resource's stand.
func (g *Gateway) gather(ctx context.Context, d *deed, i int) error {
	p := d.call.Principal
	if d.own == nil {
		in := outside(ctx)
		if aws.CallOf(in) != d.call {
			in = aws.WithCall(in, d.call)
		}
		own, err := g.Identities.Policies(in, p)
		if err != nil {
			return policiesError(err)
		}
		if d.mine, err = g.membership(ctx, p.Account); err != nil {
			return err
		}
		d.own = own
	}
	owner := ownerOf(&d.touches[i])
	if owner == "" || owner == p.Account {
		return nil
	}
	theirs, err := g.membership(ctx, owner)
	if err != nil {
		return err
	}
	if theirs == nil {
		return nil
	}
	if d.theirs == nil {
		d.theirs = make([]*policy.Membership, len(d.touches))
	}
	d.theirs[i] = theirs
	return nil
}

// ownerOf is the account that owns what is touched; empty for the caller's own.
// What AWS itself owns, such as its managed policies, belongs to every account.
func ownerOf(t *wire.Touch) aws.Account {
	if owner := t.Owner(); owner != "aws" {
		return owner
	}
	return ""
}

// policiesError is an unknown principal, such as a user deleted a moment ago,
// in the words for an unknown key.
func policiesError(err error) error {
	var e *aws.Error
	if errors.As(err, &e) {
		return wrongCredential(err)
	}
	return err
}

// membership returns where account stands in its organisation; nil in none.
func (g *Gateway) membership(ctx context.Context, account aws.Account) (*policy.Membership, error) {
	if g.Membership == nil || account == "" {
		return nil, nil
	}
	return g.Membership(outside(ctx), account)
}

// A question is what policies are asked about one touch.
type question struct {
	policy.Request
	policy.Policies
	conditions conditions
}

// pose makes d.question the one about the call's i-th touch, from what gather
// found. It is the same question when it is asked again to explain the answer.
func (g *Gateway) pose(d *deed, i int) error {
	t, q := &d.touches[i], &d.question
	if t.Action == "" {
		return errors.New("gateway: a touch names no action")
	}
	q.Policies, q.conditions = *d.own, conditions{call: d.call, touch: t, mine: d.mine, theirs: d.mine}
	owner := ownerOf(t)
	if p := t.Resource.Partition; p != "" && p != d.call.Partition {
		return g.poseElsewhere(d, t)
	}
	if owner != "" && owner != d.call.Principal.Account {
		q.conditions.theirs = nil
		if d.theirs != nil {
			q.conditions.theirs = d.theirs[i]
		}
	}
	if d.mine != nil {
		q.SCPs, q.Management = d.mine.SCPs, d.mine.Management
	}
	if theirs := q.conditions.theirs; theirs != nil {
		q.RCPs, q.ResourceManagement = theirs.RCPs, theirs.Management
	}
	if t.Policy != "" {
		kind, known := kindOf(t.PolicyKind)
		if !known {
			return fmt.Errorf("gateway: there is no policy of kind %q", t.PolicyKind)
		}
		doc, err := g.resources.Parse(t.Policy, kind)
		if err != nil {
			return fmt.Errorf("policy of %s: %w", t.Resource, err)
		}
		q.Policies.Resource = &policy.Attached{Document: doc, Source: t.Resource.String()}
	}
	for _, grant := range t.Grants {
		doc, err := g.resources.Parse(grant.Document, policy.Resource)
		if err != nil {
			return fmt.Errorf("grant %s of %s: %w", grant.ID, t.Resource, err)
		}
		q.Policies.Grants = append(q.Policies.Grants, &policy.Attached{Document: doc, Source: grant.ID})
	}
	q.Request = policy.Request{
		Principal: d.call.Principal, Action: t.Action, Resource: resourceOf(t), ResourceAccount: owner,
		AWSManagedKey: t.AWSManaged, Context: &q.conditions,
	}
	return nil
}

// elsewhere owns what is in another partition, where nobody of this one has rights.
const elsewhere = aws.Account("another partition")

// poseElsewhere makes d.question one that no policy can answer with yes. A service
// may find the same resource by an ARN of another partition, which the policies
// about its own ARN do not mean: a Deny above all. IAM User Guide, "AWS Identity and
// Access Management partitions".
func (g *Gateway) poseElsewhere(d *deed, t *wire.Touch) error {
	q := &d.question
	q.Policies = policy.Policies{}
	q.Request = policy.Request{Principal: d.call.Principal, Action: t.Action, Resource: resourceOf(t), ResourceAccount: elsewhere, Context: &q.conditions}
	return nil
}

func resourceOf(t *wire.Touch) string {
	if t.Resource.IsZero() {
		return "*"
	}
	return t.Resource.String()
}

// kindOf is the kind of a resource's policy, by the word that touches have for it.
func kindOf(kind string) (policy.Kind, bool) {
	switch kind {
	case "":
		return policy.Resource, true
	case "key":
		return policy.Key, true
	case "trust":
		return policy.Trust, true
	}
	return 0, false
}
