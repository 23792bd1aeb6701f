package route53resolver

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

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

// A Rule is a firewall rule with its compiled list.
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
	for row, err := range s.lists.Everywhere(ctx) {
		if err != nil {
			return err
		}
		c, err := s.compile(ctx, row.Place, row.ID)
		if err != nil {
			return err
		}
		m.lists[at{row.Place, row.ID}] = c
	}
	m.live = true
	m.publish()
	return nil
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
	m.s.env.Store.Watch(name, func(c store.Change) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !m.live {
			return
		}
		if c.ID == "" {
			clear(into)
			if err := fill(context.Background(), t, into); err != nil {
				m.s.env.Log.Error("firewall state cannot be read again", "table", name, "error", err)
			}
			m.publish()
			return
		}
		v, err := t.In(c.Place).Get(context.Background(), c.ID)
		switch {
		case err == nil:
			into[at{c.Place, c.ID}] = v
		case errors.Is(err, store.ErrNotFound):
			delete(into, at{c.Place, c.ID})
		default:
			m.s.env.Log.Error("firewall state cannot be read again", "table", name, "id", c.ID, "error", err)
			return
		}
		m.publish()
	})
}

// listChanged hears of a list's new version. The versions that this process has
// made are applied by expectList's hook, name by name; others are read anew.
func (m *mirror) listChanged(c store.Change) {
	ctx := context.Background()
	if c.ID == "" {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !m.live {
			return
		}
		clear(m.lists)
		for row, err := range m.s.lists.Everywhere(ctx) {
			if err == nil {
				m.refresh(ctx, row.Place, row.ID)
			}
		}
		m.publish()
		return
	}
	l, err := m.s.lists.In(c.Place).Get(ctx, c.ID)
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.lists[at{c.Place, c.ID}]
	switch {
	case !m.live:
	case errors.Is(err, store.ErrNotFound):
		delete(m.lists, at{c.Place, c.ID})
		m.publish()
	case err != nil:
		m.s.env.Log.Error("a domain list cannot be read again", "list", c.ID, "error", err)
	case l.Node == m.s.node || have != nil && have.version == l.Version:
	default:
		m.refresh(ctx, c.Place, c.ID)
		m.publish()
	}
}

// refresh compiles a list anew from the store.
func (m *mirror) refresh(ctx context.Context, p store.Place, id string) {
	c, err := m.s.compile(ctx, p, id)
	if err != nil {
		m.s.env.Log.Error("a domain list cannot be read again", "list", id, "error", err)
		return
	}
	m.lists[at{p, id}] = c
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
			m.refresh(context.WithoutCancel(ctx), p, id)
		}
		m.publish()
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
		}
		if c := m.lists[at{p, r.List}]; c != nil {
			out.List = c.list
		}
		rules = append(rules, out)
	}
	return rules
}
