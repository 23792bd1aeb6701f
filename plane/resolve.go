package plane

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	mdns "github.com/miekg/dns"

	"sumun.dev/aws"
	"sumun.dev/enforce/resolver"
	"sumun.dev/engine/dns/zone"
	"sumun.dev/plane/config"
	"sumun.dev/service/route53resolver"
)

// localVPC and localInstance stand for this machine when it asks the resolver
// from a loopback address that is no configured host.
const (
	localVPC      = "vpc-00000000"
	localInstance = "i-00000000"
)

// openResolver makes the resolver. It refuses everybody until the services have
// said which VPCs there are.
func (p *Plane) openResolver() error {
	upstreams, err := p.upstreams()
	if err != nil {
		return err
	}
	p.Resolver = resolver.New(resolver.Config{
		Upstreams: upstreams, Log: queryLog{p}, Logger: p.log.With("part", "resolver"), CacheBytes: p.config.DNS.CacheMiB << 20,
	})
	return nil
}

func (p *Plane) upstreams() ([]netip.AddrPort, error) {
	if p.options.NoUpstreams {
		return nil, nil
	}
	if len(p.config.DNS.Upstreams) == 0 {
		found, err := resolver.SystemUpstreams()
		if err != nil {
			p.log.Warn("no upstream resolver is known; only own zones are answered", "error", err)
		}
		return found, nil
	}
	var all []netip.AddrPort
	for _, text := range p.config.DNS.Upstreams {
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			ip, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("dns.upstreams: %w", err)
			}
			at = netip.AddrPortFrom(ip, 53)
		}
		all = append(all, at)
	}
	return all, nil
}

// queryLog puts what the resolver tells on the spine: the record of each query, and
// for what a rule alerts of or blocks an event for EventBridge. Route 53 Developer
// Guide, "Using Amazon EventBridge with DNS Firewall".
type queryLog struct{ plane *Plane }

// Log returns when the records are durable; the resolver waits when its queue is full.
func (q queryLog) Log(ctx context.Context, batch []resolver.QueryRecord) error {
	events := make([]aws.Event, 0, len(batch))
	for _, r := range batch {
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		events = append(events, aws.Event{
			Stream: aws.DNSStream, ID: rand.Text(), Type: "DNSQuery",
			Account: r.Account, Region: r.Region, Time: r.Time, Data: data,
		})
		detailType, detail, ok := r.FirewallEvent()
		if !ok {
			continue
		}
		e, err := aws.NewBusEvent("aws.route53resolver", detailType, r.Account, r.Region, r.Time, detail)
		if err != nil {
			return err
		}
		told, err := e.On("default", r.Time)
		if err != nil {
			return err
		}
		events = append(events, told)
	}
	return q.plane.current.Load().publish(ctx, events...)
}

// network is what the settings say of hosts and zones: the part of the
// resolver's snapshot that no API changes.
type network struct {
	hosts []resolver.Host
	local *resolver.Host
	vpcs  []resolver.VPC // without rules
	zones []resolver.Zone
}

func newNetwork(cfg *config.Config, account aws.Account) (*network, error) {
	n := &network{local: &resolver.Host{Instance: localInstance, VPC: localVPC}}
	known := map[string]bool{}
	add := func(vpc string, owner aws.Account, region aws.Region) {
		if !known[vpc] {
			known[vpc] = true
			n.vpcs = append(n.vpcs, resolver.VPC{ID: vpc, Account: owner, Region: region})
		}
	}
	for i, h := range cfg.Hosts {
		at, err := netip.ParseAddr(h.Address)
		if err != nil {
			return nil, fmt.Errorf("hosts[%d].address: %w", i, err)
		}
		vpc := h.VPC
		if vpc == "" {
			vpc = localVPC
		}
		owner, region := ownerOf(&h, cfg, account)
		add(vpc, owner, region)
		n.hosts = append(n.hosts, resolver.Host{Address: at, Instance: h.Instance, VPC: vpc})
	}
	add(localVPC, account, aws.Region(cfg.Region))
	for i, z := range cfg.DNS.Zones {
		compiled, err := newZone(z)
		if err != nil {
			return nil, fmt.Errorf("dns.zones[%d]: %w", i, err)
		}
		n.zones = append(n.zones, resolver.Zone{Zone: compiled})
	}
	return n, nil
}

// newZone compiles a configured zone from its records in zone-file form.
func newZone(z config.Zone) (*zone.Zone, error) {
	type set struct{ name, kind string }
	var order []set
	sets := map[set]*zone.Record{}
	for i, line := range z.Records {
		parser := mdns.NewZoneParser(strings.NewReader(line+"\n"), mdns.Fqdn(z.Name), "")
		parser.SetDefaultTTL(60)
		rr, ok := parser.Next()
		if err := parser.Err(); err != nil || !ok {
			return nil, fmt.Errorf("records[%d]: %q is not a record in zone-file form", i, line)
		}
		head := rr.Header()
		at := set{strings.ToLower(head.Name), mdns.TypeToString[head.Rrtype]}
		if sets[at] == nil {
			sets[at] = &zone.Record{Name: at.name, Type: at.kind, TTL: head.Ttl}
			order = append(order, at)
		}
		sets[at].Values = append(sets[at].Values, strings.TrimPrefix(rr.String(), head.String()))
	}
	var records []zone.Record
	for _, at := range order {
		records = append(records, *sets[at])
	}
	return zone.New(z.Name, records)
}

// snapshot joins what the settings say of the network with what the firewall
// services say of its VPCs.
func (n *network) snapshot(f *route53resolver.Firewall) resolver.Snapshot {
	s := resolver.Snapshot{Hosts: n.hosts, Local: n.local, Zones: n.zones}
	for _, v := range n.vpcs {
		for _, w := range f.VPCs {
			// Only the owner's word counts for a VPC.
			if w.ID == v.ID && w.Account == v.Account && w.Region == v.Region {
				v.FailOpen, v.RuleGroups, v.QueryLogs = w.FailOpen, ruleGroups(w.Groups), queryLogs(w.QueryLogs)
			}
		}
		s.VPCs = append(s.VPCs, v)
	}
	return s
}

func ruleGroups(in []route53resolver.Group) []resolver.RuleGroup {
	var out []resolver.RuleGroup
	for _, g := range in {
		group := resolver.RuleGroup{ID: g.ID, Priority: g.Priority}
		for _, r := range g.Rules {
			group.Rules = append(group.Rules, resolver.Rule{
				Priority: r.Priority, Action: r.Action, BlockResponse: r.BlockResponse, OverrideDomain: r.OverrideDomain, OverrideTTL: r.OverrideTTL,
				Type: r.Type, Redirection: r.Redirection, ListID: r.ListID, List: r.List, Threat: r.Threat, Confidence: r.Confidence,
			})
		}
		out = append(out, group)
	}
	return out
}

func queryLogs(in []route53resolver.QueryLog) []resolver.QueryLogConfig {
	var out []resolver.QueryLogConfig
	for _, q := range in {
		out = append(out, resolver.QueryLogConfig{ID: q.ID, Destination: q.Destination})
	}
	return out
}
