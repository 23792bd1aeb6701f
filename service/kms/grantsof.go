package kms

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// maxGrantsAsked bounds how many grants the gate is handed for one touch: those that
// name the caller and the action and whose constraint holds. Any of them allows.
const maxGrantsAsked = 16

// keyGrants are the grants of one key that somebody has asked for, by grantee.
type keyGrants struct {
	none bool // the key has no grants at all

	mu sync.RWMutex
	by map[string]*granteeGrants
}

// granteeGrants are the grants of one key that name one grantee. They are told
// apart by their constraint, so that one among ten thousand volumes' is a look-up.
type granteeGrants struct {
	equal map[string][]heldGrant // EncryptionContextEquals, by contextKey
	other []heldGrant
}

type heldGrant struct {
	*grant
	document string
}

// grantsOf returns the grants on the key at arn that name the caller and the action
// and suit values, which the touch will have. They come from memory: of a key
// without grants nothing is read, of others what has changed.
func (s *Service) grantsOf(ctx context.Context, arn aws.ARN, action string, values map[string][]string) ([]wire.Grant, error) {
	kg, err := s.keyGrants(ctx, arn)
	if err != nil || kg.none {
		return nil, err
	}
	var found []wire.Grant
	for _, grantee := range granteesOf(aws.CallOf(ctx)) {
		held, err := s.granteeGrants(ctx, arn, kg, grantee)
		if err != nil {
			return nil, err
		}
		for _, group := range [2][]heldGrant{held.other, held.equal[contextKey(values)]} {
			for _, g := range group {
				if len(found) < maxGrantsAsked && g.allows(action) && g.suits(action, values) {
					found = append(found, wire.Grant{ID: g.ID, Document: g.document})
				}
			}
		}
	}
	return found, nil
}

func (g *grant) allows(action string) bool {
	return slices.Contains(g.Operations, action[len("kms:"):])
}

// granteesOf are the names that a grant may have for the caller.
func granteesOf(call *aws.Call) []string {
	p := call.Principal
	if p.Kind == aws.Service {
		return []string{p.Name}
	}
	var names []string
	if p.Kind == aws.User {
		names = append(names, p.ID)
	}
	if p.Session != nil {
		names = append(names, p.ARN.String())
		if p.Session.IssuerID != "" {
			names = append(names, p.Session.IssuerID)
		}
	}
	if p.Account != "" {
		names = append(names, accountARN(call.Partition, p.Account))
	}
	return names
}

// keyGrants returns what is known of a key's grants. A unit that has written reads
// for itself.
func (s *Service) keyGrants(ctx context.Context, arn aws.ARN) (*keyGrants, error) {
	at := spotOf(arn)
	own := writes(ctx)
	kg, version := recall(s.known, s.known.grants, at)
	if kg != nil && !own {
		return kg, nil
	}
	if !own {
		ctx = store.Outside(ctx)
	}
	c, err := s.counts.At(arn).Get(ctx, keyIDOf(arn))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	kg = &keyGrants{none: err != nil || c.N == 0, by: map[string]*granteeGrants{}}
	if !own {
		remember(s.known, s.known.grants, version, at, kg)
	}
	return kg, nil
}

// keyIDOf is the id of the key that an ARN names, empty when it names none.
func keyIDOf(arn aws.ARN) string {
	id, ok := strings.CutPrefix(arn.Resource, "key/")
	if !ok {
		return ""
	}
	return id
}

// granteeGrants returns the grants of one grantee, and keeps them with kg, which is
// forgotten as a whole when a grant of the key changes.
func (s *Service) granteeGrants(ctx context.Context, arn aws.ARN, kg *keyGrants, grantee string) (*granteeGrants, error) {
	kg.mu.RLock()
	held := kg.by[grantee]
	kg.mu.RUnlock()
	if held != nil {
		return held, nil
	}
	if !writes(ctx) {
		ctx = store.Outside(ctx)
	}
	held, err := s.readGrants(ctx, arn, grantee)
	if err != nil {
		return nil, err
	}
	kg.mu.Lock()
	defer kg.mu.Unlock()
	if len(kg.by) >= granteesMost {
		clear(kg.by)
	}
	kg.by[grantee] = held
	return held, nil
}

func (s *Service) readGrants(ctx context.Context, arn aws.ARN, grantee string) (*granteeGrants, error) {
	held := &granteeGrants{equal: map[string][]heldGrant{}}
	const limit = 1000
	r := store.Range{Limit: limit}
	for {
		page, err := s.grants.At(arn).PageBy(ctx, byGrantee, granteeOn(keyIDOf(arn), grantee), r)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			document, err := e.Value.document()
			if err != nil {
				return nil, err
			}
			held.add(heldGrant{e.Value, document})
		}
		if len(page) < limit {
			return held, nil
		}
		r.After = page[limit-1].ID
	}
}

func (held *granteeGrants) add(g heldGrant) {
	// What the constraint is not asked for must be found whatever the context.
	if g.Equals == nil || g.allows("kms:DescribeKey") {
		held.other = append(held.other, g)
	}
	if g.Equals != nil {
		key := string(bound(nil, g.Equals))
		held.equal[key] = append(held.equal[key], g)
	}
}

// contextKey is the encryption context that a touch tells, in one form.
func contextKey(values map[string][]string) string {
	context := map[string]string{}
	for _, key := range values["kms:EncryptionContextKeys"] {
		if v := values["kms:EncryptionContext:"+key]; len(v) == 1 {
			context[key] = v[0]
		}
	}
	return string(bound(nil, context))
}
