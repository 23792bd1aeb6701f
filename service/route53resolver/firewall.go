package route53resolver

import (
	"context"
	"errors"
	"iter"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"sumun.dev/aws"
	"sumun.dev/engine/dns"
	"sumun.dev/store"
)

// A Firewall is all that a resolver must know of the services' state: one
// immutable picture of all accounts and regions.
type Firewall struct {
	VPCs []VPC
}

// A VPC is what applies to the queries of one VPC. Several accounts may say
// something of the same VPC id; each is a VPC of its own here.
type VPC struct {
	ID        string
	Account   aws.Account
	Region    aws.Region
	FailOpen  bool
	Groups    []Group
	QueryLogs []QueryLog
}

// A Group is a rule group that is associated with a VPC.
type Group struct {
	ID       string
	Priority int
	Rules    []Rule
}

// A Rule is a firewall rule with its compiled list, or a DNS Firewall Advanced rule,
// which has a Threat instead.
type Rule struct {
	Priority       int
	Action         string
	BlockResponse  string
	OverrideDomain string
	OverrideTTL    uint32
	Type           string
	Redirection    string
	ListID         string
	List           *dns.List
	Threat         string // DGA, DNS_TUNNELING, DICTIONARY_DGA
	Confidence     string // LOW, MEDIUM, HIGH
}

// A QueryLog is a query logging configuration of a VPC.
type QueryLog struct{ ID, Destination string }

// mirror holds all state in memory, in step with the store, and makes Firewalls.
type mirror struct {
	s  *Service
	mu sync.Mutex // held while a Firewall is made and handed on, so that they come in order

	lists   map[at]*compiled
	groups  map[at]*group
	ties    map[at]*association
	configs map[at]*vpcConfig
	logs    map[at]*logConfig
	logTies map[at]*logTie

	current *Firewall
	tell    func(*Firewall)
	live    bool // Start has read everything
}

type at struct {
	store.Place
	id string
}

type compiled struct {
	version uint64
	list    *dns.List
}

func newMirror(s *Service) *mirror {
	m := &mirror{
		s: s, lists: map[at]*compiled{}, groups: map[at]*group{}, ties: map[at]*association{},
		configs: map[at]*vpcConfig{}, logs: map[at]*logConfig{}, logTies: map[at]*logTie{},
		current: &Firewall{}, tell: func(*Firewall) {},
	}
	follow(m, "route53resolver.groups", s.groups, m.groups)
	follow(m, "route53resolver.associations", s.ties, m.ties)
	follow(m, "route53resolver.configs", s.configs, m.configs)
	follow(m, "route53resolver.logs", s.logs, m.logs)
	follow(m, "route53resolver.logassociations", s.logTies, m.logTies)
	s.env.Store.Watch("route53resolver.lists", m.listChanged)
	return m
}

// Firewall returns the picture as it is now.
func (s *Service) Firewall() *Firewall {
	s.mirror.mu.Lock()
	defer s.mirror.mu.Unlock()
	return s.mirror.current
}

// OnChange has f called with each new picture, before the call that caused it is
// answered. It is called once, before Start.
func (s *Service) OnChange(f func(*Firewall)) { s.mirror.tell = f }

// Start reads all state and makes the first picture.
func (s *Service) Start(ctx context.Context) error {
	m := s.mirror
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(
		fill(ctx, s.groups, m.groups), fill(ctx, s.ties, m.ties), fill(ctx, s.configs, m.configs),
		fill(ctx, s.logs, m.logs), fill(ctx, s.logTies, m.logTies),
	); err != nil {
		return err
	}
	if err := m.readLists(ctx); err != nil {
		return err
	}
	m.live = true
	m.publish()
	total := 0
	for _, c := range m.lists {
		total += c.list.Len()
	}
	tidy(total)
	return nil
}

// tidy gives back the memory that reading n domains has left behind, several
// times what the compiled list takes. It takes a collection of all garbage, so it
// is for large lists, when they are loaded.
func tidy(n int) {
	if n >= 100_000 {
		debug.FreeOSMemory()
	}
}

func fill[T any](ctx context.Context, t *store.Table[T], into map[at]*T) error {
	for row, err := range t.Everywhere(ctx) {
		if err != nil {
			return err
		}
		into[at{row.Place, row.ID}] = row.Value
	}
	return nil
}

// follow keeps into in step with a table.
func follow[T any](m *mirror, name string, t *store.Table[T], into map[at]*T) {
	ctx := context.Background()
	m.s.env.Store.Watch(name, func(c store.Change) {
		m.reread(name, firstRetry, func() (bool, error) {
			if c.ID == "" {
				fresh := map[at]*T{}
				if err := fill(ctx, t, fresh); err != nil {
					return false, err
				}
				clear(into)
				maps.Copy(into, fresh)
				return true, nil
			}
			v, err := t.In(c.Place).Get(ctx, c.ID)
			switch {
			case err == nil:
				into[at{c.Place, c.ID}] = v
			case errors.Is(err, store.ErrNotFound):
				delete(into, at{c.Place, c.ID})
			default:
				return false, err
			}
			return true, nil
		})
	})
}

// What cannot be read again is tried again after these times; meanwhile the
// picture stays as it is.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// reread brings the picture up to date with what read reads; read reports whether
// that is a change.
func (m *mirror) reread(what string, retry time.Duration, read func() (bool, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.live {
		return
	}
	changed, err := read()
	if err != nil {
		m.s.env.Log.Error("firewall state cannot be read again", "what", what, "error", err, "retry", retry)
		if retry <= lastRetry {
			time.AfterFunc(retry, func() { m.reread(what, 2*retry, read) })
		}
		return
	}
	if changed {
		m.publish()
	}
}

// listChanged hears of a list's new version. The versions that this process has
// made are applied by expectList's hook, name by name; others are read anew.
func (m *mirror) listChanged(c store.Change) {
	ctx := context.Background()
	m.reread("domain list "+c.ID, firstRetry, func() (bool, error) {
		if c.ID == "" {
			return true, m.readLists(ctx)
		}
		l, err := m.s.lists.In(c.Place).Get(ctx, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			delete(m.lists, at{c.Place, c.ID})
			return true, nil
		}
		if err != nil || l.Node == m.s.node {
			return false, err
		}
		have := m.lists[at{c.Place, c.ID}]
		switch {
		case have != nil && have.version == l.Version:
			return false, nil
		case have != nil && have.version+1 == l.Version && l.Last != nil:
			next, err := have.list.Update(l.Last.Added, l.Last.Removed)
			if err != nil {
				return false, err
			}
			m.lists[at{c.Place, c.ID}] = &compiled{l.Version, next}
			return true, nil
		}
		next, err := m.s.compile(ctx, c.Place, c.ID)
		if err != nil {
			return false, err
		}
		m.lists[at{c.Place, c.ID}] = next
		return true, nil
	})
}

// readLists compiles all lists whose version is not at hand.
func (m *mirror) readLists(ctx context.Context) error {
	fresh := map[at]*compiled{}
	for row, err := range m.s.lists.Everywhere(ctx) {
		if err != nil {
			return err
		}
		k := at{row.Place, row.ID}
		if have := m.lists[k]; have != nil && have.version == row.Value.Version {
			fresh[k] = have
			continue
		}
		c, err := m.s.compile(ctx, row.Place, row.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		fresh[k] = c
	}
	m.lists = fresh
	return nil
}

// expectList has the compiled list follow when the unit commits: version is what
// the list is then, added and removed are what changes; whole says that removed is
// all there was.
func (m *mirror) expectList(ctx context.Context, p store.Place, id string, version uint64, added, removed []string, whole bool) {
	store.AfterCommit(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !m.live {
			return
		}
		have := m.lists[at{p, id}]
		switch {
		case whole:
			if have != nil && have.version >= version {
				return
			}
			l, err := dns.NewList(slices.Values(added))
			if err != nil {
				m.s.env.Log.Error("a domain list does not compile", "list", id, "error", err)
				return
			}
			m.lists[at{p, id}] = &compiled{version, l}
		case have != nil && have.version+1 == version:
			l, err := have.list.Update(added, removed)
			if err != nil {
				m.s.env.Log.Error("a domain list does not compile", "list", id, "error", err)
				return
			}
			m.lists[at{p, id}] = &compiled{version, l}
		case have != nil && have.version >= version:
			return // a later version has been read already
		default:
			// The hook of the version before has not run yet.
			next, err := m.s.compile(context.WithoutCancel(ctx), p, id)
			if errors.Is(err, store.ErrNotFound) {
				return
			}
			if err != nil {
				m.s.env.Log.Error("a domain list cannot be read again", "list", id, "error", err)
				go m.listLost(p, id)
				return
			}
			m.lists[at{p, id}] = next
		}
		m.publish()
	})
}

// listLost reads a list anew, whoever has made its version.
func (m *mirror) listLost(p store.Place, id string) {
	m.reread("domain list "+id, firstRetry, func() (bool, error) {
		next, err := m.s.compile(context.Background(), p, id)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		m.lists[at{p, id}] = next
		return true, nil
	})
}

// compile reads a list's domains. When the list changes meanwhile it reads again.
func (s *Service) compile(ctx context.Context, p store.Place, id string) (*compiled, error) {
	for {
		before, err := s.lists.In(p).Get(ctx, id)
		if err != nil {
			return nil, err
		}
		var failed error
		l, err := dns.NewList(s.domainsOf(ctx, p, id, &failed))
		if err := errors.Join(failed, err); err != nil {
			return nil, err
		}
		after, err := s.lists.In(p).Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if before.Version == after.Version {
			return &compiled{after.Version, l}, nil
		}
	}
}

func (s *Service) domainsOf(ctx context.Context, p store.Place, id string, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for row, err := range s.buckets.In(p).All(ctx, id+"/") {
			if err != nil {
				*failed = err
				return
			}
			for _, d := range row.Value.Domains {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// publish makes a new picture and hands it on. The caller holds mu.
func (m *mirror) publish() {
	vpcs := map[at]*VPC{}
	of := func(p store.Place, id string) *VPC {
		k := at{p, id}
		if vpcs[k] == nil {
			vpcs[k] = &VPC{ID: id, Account: p.Account, Region: p.Region}
		}
		return vpcs[k]
	}
	for k, c := range m.configs {
		of(k.Place, k.id).FailOpen = c.FailOpen
	}
	for k, a := range m.ties {
		g := m.groups[at{k.Place, a.Group}]
		if g == nil {
			continue
		}
		v := of(k.Place, a.VPC)
		v.Groups = append(v.Groups, Group{ID: a.Group, Priority: int(a.Priority), Rules: m.rules(k.Place, g)})
	}
	for k, t := range m.logTies {
		if l := m.logs[at{k.Place, t.Config}]; l != nil {
			v := of(k.Place, t.VPC)
			v.QueryLogs = append(v.QueryLogs, QueryLog{t.Config, l.Destination})
		}
	}
	next := &Firewall{}
	for _, k := range slices.SortedFunc(maps.Keys(vpcs), compareAt) {
		next.VPCs = append(next.VPCs, *vpcs[k])
	}
	m.current = next
	m.tell(next)
}

func compareAt(a, b at) int {
	return strings.Compare(a.id+"\x00"+a.Place.String(), b.id+"\x00"+b.Place.String())
}

func (m *mirror) rules(p store.Place, g *group) []Rule {
	rules := make([]Rule, 0, len(g.Rules))
	for _, r := range g.Rules {
		out := Rule{
			Priority: int(r.Priority), Action: r.Action, BlockResponse: r.BlockResponse, OverrideDomain: r.OverrideDomain,
			OverrideTTL: uint32(r.OverrideTTL), Type: r.Qtype, Redirection: r.Redirection, ListID: r.List,
			Threat: r.Threat, Confidence: r.Confidence,
		}
		if c := m.lists[at{p, r.List}]; c != nil {
			out.List = c.list
		}
		rules = append(rules, out)
	}
	return rules
}
