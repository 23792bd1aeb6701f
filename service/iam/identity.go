package iam

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

// A cache holds what the gate asks on every call, until the store tells that a
// user, role or key has changed.
type cache struct {
	mu      sync.RWMutex
	keys    map[string]*knownKey
	holders map[holderKey]*knownHolder
	version uint64 // grows with every change, so that what was read before it is not kept
}

type holderKey struct {
	account aws.Account
	kind    aws.PrincipalKind // User or AssumedRole
	name    string            // in lower case
}

// knownMost bounds each map of the cache; a full map is begun anew.
const knownMost = 100_000

type knownKey struct {
	principal *aws.Principal
	secret    []byte
	active    bool
	used      time.Time
}

func (k *knownKey) newer(at time.Time) bool { return at.Sub(k.used) >= useGrain }

// knownHolder is a user's or role's unique id and compiled policies.
type knownHolder struct {
	id       string
	policies *policy.Policies
	grouped  bool     // some are of groups
	managed  []string // names of the account's managed policies among them, in lower case
}

func newCache(s *store.Store) *cache {
	c := &cache{keys: map[string]*knownKey{}, holders: map[holderKey]*knownHolder{}}
	s.Watch("iam.keys", func(ch store.Change) { c.forget(func() { forgetKey(c, ch) }) })
	s.Watch("iam.users", func(ch store.Change) { c.forget(func() { forgetHolder(c, ch, aws.User) }) })
	s.Watch("iam.roles", func(ch store.Change) { c.forget(func() { forgetHolder(c, ch, aws.AssumedRole) }) })
	s.Watch("iam.groups", func(ch store.Change) {
		c.forget(func() { forgetIf(c, ch, func(h *knownHolder) bool { return h.grouped }) })
	})
	s.Watch("iam.policies", func(ch store.Change) {
		c.forget(func() { forgetIf(c, ch, func(h *knownHolder) bool { return slices.Contains(h.managed, ch.ID) }) })
	})
	return c
}

func (c *cache) forget(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	f()
}

func forgetKey(c *cache, ch store.Change) {
	if ch.ID == "" {
		clear(c.keys)
		return
	}
	delete(c.keys, ch.ID)
}

func forgetHolder(c *cache, ch store.Change, kind aws.PrincipalKind) {
	if ch.ID == "" {
		clear(c.holders)
		clear(c.keys)
		return
	}
	delete(c.holders, holderKey{ch.Place.Account, kind, ch.ID})
	if kind != aws.User {
		return
	}
	// A key's principal carries its user's tags and unique id.
	for id, k := range c.keys {
		if k.principal.Account == ch.Place.Account && strings.EqualFold(k.principal.Name, ch.ID) {
			delete(c.keys, id)
		}
	}
}

// forgetIf forgets the holders of an account that a group or policy concerns.
func forgetIf(c *cache, ch store.Change, concerned func(*knownHolder) bool) {
	if ch.ID == "" {
		clear(c.holders)
		return
	}
	for key, h := range c.holders {
		if key.account == ch.Place.Account && concerned(h) {
			delete(c.holders, key)
		}
	}
}

func (c *cache) key(id string) *knownKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.keys[id]
}

func (c *cache) at() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.version
}

// keep runs put unless something has changed since version.
func (c *cache) keep(version uint64, put func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == version {
		put()
	}
}

// ErrUnknownKey means that no active access key has this id.
var ErrUnknownKey = errors.New("iam: no active access key has this id")

// LongTerm returns who holds a long-term access key, and its secret. An unknown
// or inactive key is ErrUnknownKey: AWS does not tell the two apart. ctx carries no
// unit of work: what is not committed must not be remembered.
func (s *Service) LongTerm(ctx context.Context, id string) (*aws.Principal, []byte, error) {
	k := s.known.key(id)
	if k == nil {
		var err error
		if k, err = s.readKey(ctx, id); err != nil {
			return nil, nil, err
		}
	}
	if !k.active {
		return nil, nil, ErrUnknownKey
	}
	return k.principal, k.secret, nil
}

func (s *Service) readKey(ctx context.Context, id string) (*knownKey, error) {
	version := s.known.at()
	k, err := s.keys.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrUnknownKey
	}
	if err != nil {
		return nil, err
	}
	p := &aws.Principal{
		Kind: aws.Root, Account: k.Account, ID: string(k.Account), AccessKeyID: k.ID,
		ARN: aws.ARN{Partition: ownPartition, Service: "iam", Account: k.Account, Resource: "root"},
	}
	if k.User != "" {
		u, err := s.users.In(store.Place{Account: k.Account}).Get(ctx, strings.ToLower(k.User))
		if err != nil {
			return nil, unknownIf(err) // deleted since its key was read
		}
		p.Kind, p.ID, p.Name, p.Tags = aws.User, u.ID, u.Name, tagMap(u.Tags)
		p.ARN = userARN(ownPartition, k.Account, u)
	}
	known := &knownKey{principal: p, secret: []byte(k.Secret), active: k.Active}
	if k.Used != nil {
		known.used = k.Used.At
	}
	s.known.keep(version, func() {
		if len(s.known.keys) >= knownMost {
			clear(s.known.keys)
		}
		s.known.keys[id] = known
	})
	return known, nil
}

// Policies returns the identity-based policies of p and its permissions boundary.
// The user must still exist, the role or user of a session must still have the
// unique id that issued it; else ErrUnknownKey. What it returns is shared: nobody
// changes it. ctx carries no unit of work, as for LongTerm.
func (s *Service) Policies(ctx context.Context, p *aws.Principal) (*policy.Policies, error) {
	key := holderKey{account: p.Account, kind: p.Kind, name: strings.ToLower(p.Name)}
	want := p.ID
	switch {
	case p.Kind == aws.Root, p.Kind == aws.Service:
		return &policy.Policies{}, nil
	case p.Kind == aws.User:
	case p.Kind == aws.AssumedRole && p.Session != nil:
		key.name, want = strings.ToLower(p.Session.IssuerName), p.Session.IssuerID
	default:
		return nil, ErrUnknownKey
	}
	h, err := s.knownAs(ctx, key, want)
	if errors.Is(err, ErrUnknownKey) && key.kind == aws.User {
		// A session may be older than its user's new name.
		who, missing := s.ids.Get(ctx, want)
		if missing != nil {
			return nil, unknownIf(missing)
		}
		key.name = who.Name
		h, err = s.knownAs(ctx, key, want)
	}
	if err != nil {
		return nil, err
	}
	return h.policies, nil
}

// knownAs returns the holder under key if it has the unique id that is wanted.
func (s *Service) knownAs(ctx context.Context, key holderKey, want string) (*knownHolder, error) {
	s.known.mu.RLock()
	h := s.known.holders[key]
	s.known.mu.RUnlock()
	if h == nil {
		var err error
		if h, err = s.readHolder(ctx, key); err != nil {
			return nil, err
		}
	}
	if h.id != want {
		return nil, ErrUnknownKey
	}
	return h, nil
}

func (s *Service) readHolder(ctx context.Context, key holderKey) (*knownHolder, error) {
	version := s.known.at()
	h, err := s.compiledHolder(ctx, key)
	if err != nil {
		return nil, err
	}
	s.known.keep(version, func() {
		if len(s.known.holders) >= knownMost {
			clear(s.known.holders)
		}
		s.known.holders[key] = h
	})
	return h, nil
}

func (s *Service) compiledHolder(ctx context.Context, key holderKey) (*knownHolder, error) {
	place := store.Place{Account: key.account}
	c := &compiler{s: s, account: key.account, holder: &knownHolder{policies: &policy.Policies{}}}
	if key.kind == aws.AssumedRole {
		r, err := s.roles.In(place).Get(ctx, key.name)
		if err != nil {
			return nil, unknownIf(err)
		}
		c.holder.id = r.ID
		return c.holder, errors.Join(c.grants(ctx, r.Name, &r.grants), c.boundary(ctx, r.Boundary))
	}
	u, err := s.users.In(place).Get(ctx, key.name)
	if err != nil {
		return nil, unknownIf(err)
	}
	c.holder.id, c.holder.grouped = u.ID, len(u.Groups) > 0
	err = errors.Join(c.grants(ctx, u.Name, &u.grants), c.boundary(ctx, u.Boundary))
	for _, id := range u.Groups {
		g, gone := groupByID(ctx, s.groups.In(place), id)
		err = errors.Join(err, gone)
		if g != nil {
			err = errors.Join(err, c.grants(ctx, g.Name, &g.grants))
		}
	}
	return c.holder, err
}

func unknownIf(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknownKey
	}
	return err
}

// A compiler gathers what a user or role has.
type compiler struct {
	s       *Service
	account aws.Account
	holder  *knownHolder
}

// grants adds inline policies all, since a user and a group may share a name, and
// managed ones once, however often they are attached.
func (c *compiler) grants(ctx context.Context, holder string, g *grants) error {
	for _, name := range slices.Sorted(maps.Keys(g.Inline)) {
		c.add("inline:"+holder+"/"+name, g.Inline[name])
	}
	for _, arn := range g.Attached {
		if slices.ContainsFunc(c.holder.policies.Identity, func(have *policy.Attached) bool { return have.Source == arn }) {
			continue
		}
		document, err := c.managed(ctx, arn)
		if err != nil {
			return err
		}
		c.add(arn, document)
	}
	return nil
}

func (c *compiler) add(source, document string) {
	c.holder.policies.Identity = append(c.holder.policies.Identity, c.compile(source, document))
}

func (c *compiler) boundary(ctx context.Context, arn string) error {
	if arn == "" {
		return nil
	}
	document, err := c.managed(ctx, arn)
	c.holder.policies.Boundary = c.compile(arn, document)
	return err
}

// managed returns the text of a managed policy. One that is attached cannot be
// deleted; should it be gone all the same, it denies everything.
func (c *compiler) managed(ctx context.Context, arn string) (string, error) {
	if c.s.aws.Find(arn) == nil {
		_, name := policyName(arn)
		c.holder.managed = append(c.holder.managed, strings.ToLower(name))
	}
	document, err := c.s.ManagedPolicy(ctx, c.account, arn)
	if errors.Is(err, store.ErrNotFound) {
		return denyAll, nil
	}
	return document, err
}

// compile returns a document ready to be evaluated. One that no longer parses
// allows nothing and denies everything: it may have held a Deny.
func (c *compiler) compile(source, document string) *policy.Attached {
	d, err := c.s.compiled.Parse(document, policy.Identity)
	if err != nil {
		d, err = c.s.compiled.Parse(denyAll, policy.Identity)
	}
	if err != nil {
		d = &policy.Document{} // as a boundary it allows nothing
	}
	return &policy.Attached{Document: d, Source: source}
}

const denyAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`

// A Role is what sts needs to know of a role that is to be assumed.
type Role struct {
	ARN        aws.ARN
	ID, Name   string
	Trust      string
	MaxSession time.Duration
	Tags       map[string]string
}

// RoleOf returns the role with this ARN, of any account; store.ErrNotFound when
// there is none, or its path is another.
func (s *Service) RoleOf(ctx context.Context, arn aws.ARN) (*Role, error) {
	name := arn.Resource[strings.LastIndex(arn.Resource, "/")+1:]
	r, err := s.roles.In(store.Place{Account: arn.Account}).Get(ctx, strings.ToLower(name))
	if err != nil {
		return nil, err
	}
	if roleARN(ownPartition, arn.Account, r) != arn {
		return nil, store.ErrNotFound
	}
	return &Role{ARN: arn, ID: r.ID, Name: r.Name, Trust: r.Trust, MaxSession: time.Duration(r.MaxSession) * time.Second, Tags: tagMap(r.Tags)}, nil
}
