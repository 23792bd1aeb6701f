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
		}
		decision, err := g.decide(call, own, t)
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

func (g *Gateway) decide(call *aws.Call, own *policy.Policies, t *wire.Touch) (policy.Decision, error) {
	if t.Action == "" {
		return policy.Decision{}, errors.New("gateway: a touch names no action")
	}
	policies := own
	if t.Policy != "" {
		doc, err := g.resources.get(t.Policy, t.PolicyKind)
		if err != nil {
			return policy.Decision{}, fmt.Errorf("policy of %s: %w", t.Resource, err)
		}
		with := *own
		with.Resource = &policy.Attached{Document: doc, Source: t.Resource.String()}
		policies = &with
	}
	req := policy.Request{
		Principal: call.Principal, Action: t.Action, Resource: resourceOf(t), ResourceAccount: t.Resource.Account,
		Context: &conditions{call: call, touch: t},
	}
	return policy.Authorize(&req, policies), nil
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
