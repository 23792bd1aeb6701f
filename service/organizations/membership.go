package organizations

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

// A standing is what the gate asks of an account on every call.
type standing struct {
	membership *policy.Membership // nil: in no organisation
	management aws.Account
	closed     bool
}

// A cache holds standings until the store tells that something they were made of
// has changed, on this node or another.
type cache struct {
	mu        sync.RWMutex
	standings map[aws.Account]*standing
	documents map[documentKey]*policy.Document
	version   uint64 // grows with every change, so that what was read before it is not kept
}

type documentKey struct {
	kind policy.Kind
	text string
}

// What is remembered is bounded; a full map is begun anew.
const (
	mostStandings = 100_000
	mostDocuments = 4096
	mostReads     = 5 // of a standing that changes while it is read
)

func newCache(s *store.Store) *cache {
	c := &cache{}
	c.clear()
	s.Watch("organizations.accounts", func(ch store.Change) { c.forget(aws.Account(ch.ID), "") })
	for _, table := range []string{"organizations.organizations", "organizations.nodes", "organizations.policies"} {
		s.Watch(table, func(ch store.Change) { c.forget("", ch.Place.Account) })
	}
	return c
}

func (c *cache) clear() {
	c.standings, c.documents = map[aws.Account]*standing{}, map[documentKey]*policy.Document{}
}

// forget drops what is known of one account, or of all in an organisation; of all
// accounts when neither is said.
func (c *cache) forget(account, management aws.Account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	switch {
	case account != "":
		delete(c.standings, account)
	case management == "":
		clear(c.standings)
	default:
		for id, s := range c.standings {
			if s.management == management {
				delete(c.standings, id)
			}
		}
	}
}

// Membership returns where an account stands in its organisation and which
// control policies bind it, from memory; nil when it is in none. What it returns
// is shared: nobody changes it. ctx carries no unit of work: what is not committed
// must not be remembered.
func (s *Service) Membership(ctx context.Context, id aws.Account) (*policy.Membership, error) {
	st, err := s.standing(ctx, id)
	if err != nil {
		return nil, err
	}
	return st.membership, nil
}

// Closed reports whether the account has been closed: its credentials are worth
// nothing any more.
func (s *Service) Closed(ctx context.Context, id aws.Account) (bool, error) {
	st, err := s.standing(ctx, id)
	if err != nil {
		return false, err
	}
	return st.closed, nil
}

func (s *Service) standing(ctx context.Context, id aws.Account) (*standing, error) {
	s.standings.mu.RLock()
	st, version := s.standings.standings[id], s.standings.version
	s.standings.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	st, err := s.readStanding(ctx, id)
	for tries := 1; errors.Is(err, store.ErrConflict) && tries < mostReads; tries++ {
		st, err = s.readStanding(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	s.standings.mu.Lock()
	defer s.standings.mu.Unlock()
	if s.standings.version == version {
		if len(s.standings.standings) >= mostStandings {
			clear(s.standings.standings)
		}
		s.standings.standings[id] = st
	}
	return st, nil
}

func (s *Service) readStanding(ctx context.Context, id aws.Account) (*standing, error) {
	a, err := s.known(ctx, id)
	if err != nil {
		return nil, err
	}
	st := &standing{}
	if a == nil {
		return st, nil
	}
	st.management, st.closed = a.Management, a.State != organizationsapi.AccountStateActive
	o, err := s.at(ctx, a.Management)
	if err != nil || o == nil {
		return st, err
	}
	n, err := s.node(ctx, o, string(id))
	if err != nil {
		return nil, err
	}
	if n == nil { // read between two commits
		return nil, store.ErrConflict
	}
	line, err := s.line(ctx, o, n)
	if err != nil {
		return nil, err
	}
	m := &policy.Membership{Organization: o.ID, Path: o.path(line), Management: o.Management == id}
	st.membership = m
	if m.Management {
		return st, nil
	}
	if m.SCPs, err = s.levels(ctx, o, line, organizationsapi.PolicyTypeServiceControlPolicy, policy.SCP); err != nil {
		return nil, err
	}
	m.RCPs, err = s.levels(ctx, o, line, organizationsapi.PolicyTypeResourceControlPolicy, policy.RCP)
	return st, err
}

// levels compiles the control policies of a type along a line; nil while the
// type is not enabled.
func (s *Service) levels(ctx context.Context, o *organization, line []*node, t organizationsapi.PolicyType, kind policy.Kind) ([][]*policy.Attached, error) {
	if !o.enabled(t) {
		return nil, nil
	}
	levels := make([][]*policy.Attached, 0, len(line))
	for _, n := range line {
		level := []*policy.Attached{}
		for _, id := range n.attached(t) {
			p, err := s.policy(ctx, o, id)
			if err != nil {
				return nil, err
			}
			if p == nil { // read between two commits
				return nil, store.ErrConflict
			}
			doc, err := s.compiled(p, kind)
			if err != nil {
				return nil, fmt.Errorf("organizations: %s: %w", o.policyARN(t, id), err)
			}
			level = append(level, &policy.Attached{Document: doc, Source: o.policyARN(t, id).String()})
		}
		levels = append(levels, level)
	}
	return levels, nil
}

// compiled returns the document of a control policy; accounts that share a
// policy share it.
func (s *Service) compiled(p *storedPolicy, kind policy.Kind) (*policy.Document, error) {
	if p.ID == fullRCP {
		kind = policy.Resource // an RCP that people write cannot allow
	}
	key := documentKey{kind, p.Content}
	s.standings.mu.RLock()
	doc := s.standings.documents[key]
	s.standings.mu.RUnlock()
	if doc != nil {
		return doc, nil
	}
	doc, err := policy.Parse([]byte(p.Content), kind)
	if err != nil {
		return nil, err
	}
	s.standings.mu.Lock()
	defer s.standings.mu.Unlock()
	if len(s.standings.documents) >= mostDocuments {
		clear(s.standings.documents)
	}
	s.standings.documents[key] = doc
	return doc, nil
}

// policy returns a policy of the organisation or one that AWS owns; nil when
// there is none.
func (s *Service) policy(ctx context.Context, o *organization, id string) (*storedPolicy, error) {
	if p := owned(id); p != nil {
		return p, nil
	}
	p, err := s.policies.In(o.place()).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}
