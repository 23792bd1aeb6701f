package resolver

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"

	"sumun.dev/aws"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/cache"
	"sumun.dev/engine/dns/zone"
)

// A Snapshot is all that the resolver knows of VPCs and hosts at one time. The
// wiring builds it from what the services hold; the resolver never asks them.
// The zero Snapshot refuses everybody.
type Snapshot struct {
	VPCs  []VPC
	Hosts []Host
	// Local is who a loopback address is that is not among Hosts. Without it
	// such addresses are refused, like every unknown one: this is no open resolver.
	Local *Host
	Zones []Zone
}

// A VPC is what rules, logging and private zones hang on.
type VPC struct {
	ID         string
	Account    aws.Account // that made the VPC
	Region     aws.Region
	CIDRs      []netip.Prefix // addresses that ask without being in Hosts
	FailOpen   bool           // FirewallFailOpen ENABLED
	RuleGroups []RuleGroup    // associated; in any order
	QueryLogs  []QueryLogConfig
}

// A RuleGroup is an associated rule group.
type RuleGroup struct {
	ID       string // rslvr-frg-…
	Priority int    // of the association
	Rules    []Rule // in any order
}

// A Rule is a firewall rule, in AWS's words: over a domain list, or, when it has a
// Threat, a DNS Firewall Advanced rule.
type Rule struct {
	Priority       int
	Action         string // ALLOW, ALERT or BLOCK
	BlockResponse  string // NODATA (also when empty), NXDOMAIN or OVERRIDE
	OverrideDomain string // for OVERRIDE: where its CNAME leads
	OverrideTTL    uint32 // seconds
	Type           string // the record type that the rule is for, "A" or "TYPE28"; empty for all
	Redirection    string // INSPECT_REDIRECTION_DOMAIN (also when empty) or TRUST_REDIRECTION_DOMAIN
	ListID         string // rslvr-fdl-…
	// List is nil when the list cannot be had. The VPC's FailOpen then decides:
	// the rule is skipped, or queries that reach it fail.
	List *dns.List

	Threat     string // DGA, DICTIONARY_DGA or DNS_TUNNELING; Action is then ALERT or BLOCK
	Confidence string // from which on the rule is met: LOW, MEDIUM or HIGH
}

// A QueryLogConfig is a query logging configuration that the VPC is associated with.
type QueryLogConfig struct {
	ID          string // rqlc-…
	Destination string // ARN of a bucket, log group or delivery stream
}

// A Host is who asks from an address.
type Host struct {
	Address  netip.Addr
	Instance string // i-…; may be empty
	VPC      string // id of one of the snapshot's VPCs
}

// A Zone is a private zone. Zones and lists are compiled by whoever changes
// them, and shared by many snapshots.
type Zone struct {
	*zone.Zone
	VPCs []string // that see it; none means all
}

// compiled is a snapshot in the form that answers use. It never changes.
type compiled struct {
	hosts map[netip.Addr]*host
	cidrs []block
	local *host

	advanced bool // some VPC has rules about threats
}

type block struct {
	prefix netip.Prefix
	host   *host // without instance
}

type host struct {
	instance string
	vpc      *vpc
}

type vpc struct {
	id       string
	account  aws.Account
	region   aws.Region
	failOpen bool
	advanced bool    // some of the rules are about threats
	rules    []*rule // in the order of evaluation
	logs     []QueryLogConfig
	zones    map[string]*zone.Zone // by wire name
	packed   *cache.Cache          // answers from zones alone, ready to be written
}

type rule struct {
	action   string
	answer   *dns.Answer // for BLOCK
	override string      // for OVERRIDE: the name to resolve further
	qtype    uint16      // 0 for all
	trust    bool
	group    string
	listID   string
	list     *dns.List
	threat   string // for Advanced rules
	sure     confidence
	mark     uint64 // tells rules and actions apart in the memory of what was logged
}

// blockTTL is for how many seconds NODATA and NXDOMAIN of a rule may be
// cached. Short, so that hosts notice soon when the rule is taken back.
const blockTTL = 10

// packedBytes bounds, for a VPC, the packed answers from zones.
const packedBytes = 4 << 20

func compile(s Snapshot, seed maphash.Seed) (*compiled, error) {
	vpcs := map[string]*vpc{}
	c := &compiled{hosts: map[netip.Addr]*host{}}
	for _, in := range s.VPCs {
		if in.ID == "" || vpcs[in.ID] != nil {
			return nil, fmt.Errorf("VPC %q is empty or given twice", in.ID)
		}
		v, err := compileVPC(in, seed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.ID, err)
		}
		vpcs[in.ID] = v
		c.advanced = c.advanced || v.advanced
		for _, p := range in.CIDRs {
			c.cidrs = append(c.cidrs, block{p.Masked(), &host{vpc: v}})
		}
	}
	// The narrowest block counts.
	slices.SortStableFunc(c.cidrs, func(a, b block) int { return cmp.Compare(b.prefix.Bits(), a.prefix.Bits()) })
	hostOf := func(in Host) (*host, error) {
		v := vpcs[in.VPC]
		if v == nil {
			return nil, fmt.Errorf("host %s: VPC %q is not known", in.Address, in.VPC)
		}
		return &host{in.Instance, v}, nil
	}
	for _, in := range s.Hosts {
		h, err := hostOf(in)
		if err != nil {
			return nil, err
		}
		if c.hosts[in.Address.Unmap()] != nil {
			return nil, fmt.Errorf("host %s is given twice", in.Address)
		}
		c.hosts[in.Address.Unmap()] = h
	}
	if s.Local != nil {
		h, err := hostOf(*s.Local)
		if err != nil {
			return nil, err
		}
		c.local = h
	}
	return c, addZones(s.Zones, vpcs)
}

func compileVPC(in VPC, seed maphash.Seed) (*vpc, error) {
	v := &vpc{
		id: in.ID, account: in.Account, region: in.Region, failOpen: in.FailOpen,
		logs: slices.Clone(in.QueryLogs), zones: map[string]*zone.Zone{}, packed: cache.New(packedBytes),
	}
	groups := slices.Clone(in.RuleGroups)
	slices.SortStableFunc(groups, func(a, b RuleGroup) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, g := range groups {
		rules := slices.Clone(g.Rules)
		slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
		for _, r := range rules {
			one, err := compileRule(r)
			if err != nil {
				return nil, fmt.Errorf("%s: rule of priority %d: %w", g.ID, r.Priority, err)
			}
			one.group = g.ID
			one.mark = maphash.String(seed, one.action+"\x00"+g.ID+"\x00"+one.listID+one.threat)
			v.advanced = v.advanced || one.threat != ""
			v.rules = append(v.rules, one)
		}
	}
	return v, nil
}

func compileRule(in Rule) (*rule, error) {
	r := &rule{action: in.Action, listID: in.ListID, list: in.List, threat: in.Threat}
	if err := r.readThreat(in); err != nil {
		return nil, err
	}
	switch in.Action {
	case Allow, Alert, Block:
	default:
		return nil, fmt.Errorf("action %q is not known", in.Action)
	}
	switch in.Redirection {
	case "", "INSPECT_REDIRECTION_DOMAIN":
	case "TRUST_REDIRECTION_DOMAIN":
		r.trust = true
	default:
		return nil, fmt.Errorf("redirection action %q is not known", in.Redirection)
	}
	if in.Type != "" {
		t, err := zone.ParseType(in.Type)
		if err != nil {
			return nil, err
		}
		r.qtype = t
	}
	if in.Action != Block {
		return r, nil
	}
	switch in.BlockResponse {
	case "", "NODATA":
		r.answer = dns.NewEmpty(dns.Success, blockTTL)
	case "NXDOMAIN":
		r.answer = dns.NewEmpty(dns.NameError, blockTTL)
	case "OVERRIDE":
		target, err := dns.ParseName(in.OverrideDomain)
		if err != nil {
			return nil, fmt.Errorf("override %w", err)
		}
		if in.OverrideTTL > 604800 {
			return nil, errors.New("the override's TTL is at most 604800")
		}
		r.answer, r.override = dns.NewAlias(target, in.OverrideTTL), target.String()
	default:
		return nil, fmt.Errorf("block response %q is not known", in.BlockResponse)
	}
	return r, nil
}

// readThreat reads what makes a rule an Advanced one.
func (r *rule) readThreat(in Rule) (err error) {
	switch in.Threat {
	case "":
		return nil
	case DGA, DictionaryDGA, Tunneling:
	default:
		return fmt.Errorf("threat %q is not known", in.Threat)
	}
	if in.List != nil || in.ListID != "" || in.Action == Allow {
		return errors.New("a rule about a threat has no list, and alerts or blocks")
	}
	r.sure, err = readConfidence(in.Confidence)
	return err
}

func addZones(zones []Zone, vpcs map[string]*vpc) error {
	for _, z := range zones {
		if z.Zone == nil {
			return errors.New("a zone is missing")
		}
		for id, v := range vpcs {
			if len(z.VPCs) == 0 || slices.Contains(z.VPCs, id) {
				v.zones[string(z.Origin)] = z.Zone
			}
		}
	}
	return nil
}

// host finds who asks from an address; nil for strangers.
func (c *compiled) host(from netip.Addr) *host {
	from = from.Unmap()
	if h := c.hosts[from]; h != nil {
		return h
	}
	for _, b := range c.cidrs {
		if b.prefix.Contains(from) {
			return b.host
		}
	}
	if from.IsLoopback() {
		return c.local
	}
	return nil
}

// zone finds the zone that answers for a name: the one with the longest origin.
func (v *vpc) zone(name dns.Name) *zone.Zone {
	if len(v.zones) == 0 {
		return nil
	}
	for n := name; ; n = n.Parent() {
		if z := v.zones[string(n)]; z != nil {
			return z
		}
		if len(n) <= 1 {
			return nil
		}
	}
}
