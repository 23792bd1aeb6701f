package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"

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
	call := aws.CallOf(ctx)
	var own *policy.Policies
	var mine *policy.Membership
	for i := range d.touches {
		t := &d.touches[i]
		if t.Open != "" {
			continue
		}
		if own == nil {
			var err error
			if own, err = g.Identities.Policies(outside(ctx), call.Principal); err != nil {
				return policiesError(err)
			}
			if mine, err = g.membership(ctx, call.Principal.Account); err != nil {
				return err
			}
		}
		decision, err := g.decide(ctx, own, mine, t)
		if err != nil {
			return err
		}
		d.decision = decision
		if !decision.Allowed() {
			d.denied = true
			return denied(call, d.about, t, decision)
		}
	}
	return nil
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

// decide asks the policies about one touch. own and mine are the caller's policies
// and its account's place in an organisation.
func (g *Gateway) decide(ctx context.Context, own *policy.Policies, mine *policy.Membership, t *wire.Touch) (policy.Decision, error) {
	if t.Action == "" {
		return policy.Decision{}, errors.New("gateway: a touch names no action")
	}
	call := aws.CallOf(ctx)
	policies := *own
	theirs := mine
	if owner := t.Resource.Account; owner != "" && owner != call.Principal.Account {
		var err error
		if theirs, err = g.membership(ctx, owner); err != nil {
			return policy.Decision{}, err
		}
	}
	if mine != nil {
		policies.SCPs = mine.SCPs
	}
	if theirs != nil {
		policies.RCPs = theirs.RCPs
	}
	if t.Policy != "" {
		doc, err := g.resources.get(t.Policy, t.PolicyKind)
		if err != nil {
			return policy.Decision{}, fmt.Errorf("policy of %s: %w", t.Resource, err)
		}
		policies.Resource = &policy.Attached{Document: doc, Source: t.Resource.String()}
	}
	req := policy.Request{
		Principal: call.Principal, Action: t.Action, Resource: resourceOf(t), ResourceAccount: t.Resource.Account,
		Context: &conditions{call: call, touch: t, mine: mine, theirs: theirs},
	}
	return policy.Authorize(&req, &policies), nil
}

func resourceOf(t *wire.Touch) string {
	if t.Resource.IsZero() {
		return "*"
	}
	return t.Resource.String()
}

// documents remembers compiled resource policies by their text.
type documents struct {
	mu    sync.RWMutex
	known map[documentKey]*policy.Document
	bytes int // of the texts in known
}

type documentKey struct{ text, kind string }

// What is remembered is bounded in number and in bytes of text; a full memory is
// begun anew.
const (
	maxDocuments     = 10_000
	maxDocumentBytes = 16 << 20
)

func (d *documents) get(text, kind string) (*policy.Document, error) {
	key := documentKey{text, kind}
	d.mu.RLock()
	doc := d.known[key]
	d.mu.RUnlock()
	if doc != nil {
		return doc, nil
	}
	k := policy.Resource
	switch kind {
	case "":
	case "key":
		k = policy.Key
	case "trust":
		k = policy.Trust
	default:
		return nil, fmt.Errorf("gateway: there is no policy of kind %q", kind)
	}
	doc, err := policy.Parse([]byte(text), k)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxDocuments || d.bytes+len(text) > maxDocumentBytes {
		d.known, d.bytes = make(map[documentKey]*policy.Document), 0
	}
	if d.known[key] == nil {
		d.bytes += len(text)
	}
	d.known[key] = doc
	return doc, nil
}
