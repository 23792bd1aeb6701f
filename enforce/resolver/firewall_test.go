package resolver_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/zone"
)

// recorder is a query log that keeps its records.
type recorder chan []resolver.QueryRecord

func (r recorder) Log(_ context.Context, batch []resolver.QueryRecord) error {
	r <- slices.Clone(batch)
	return nil
}

func newRecorder() recorder { return make(recorder, 1000) }

// closed ends the server, and returns all that it logged.
func (r recorder) closed(t *testing.T, s *resolver.Server) []resolver.QueryRecord {
	t.Helper()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(r)
	var all []resolver.QueryRecord
	for batch := range r {
		all = append(all, batch...)
	}
	return all
}

func domains(t testing.TB, s string) *dns.List {
	t.Helper()
	l, err := dns.NewList(slices.Values(strings.Fields(s)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var host = netip.MustParseAddrPort("10.0.0.7:40000")

// testZone holds what the tests ask for.
func testZone(t testing.TB) resolver.Zone {
	t.Helper()
	a := func(name string) zone.Record {
		return zone.Record{Name: name, Type: "A", TTL: 300, Values: []string{"192.0.2.1"}}
	}
	cname := func(name, target string) zone.Record {
		return zone.Record{Name: name, Type: "CNAME", TTL: 300, Values: []string{target}}
	}
	z, err := zone.New("test", []zone.Record{
		a("good.test"), a("bad.test"), a("www.bad.test"), a("sink.test"), a("c3.test"),
		cname("c1.test", "c2.test."), cname("c2.test", "c3.test."),
		{Name: "good.test", Type: "TXT", TTL: 300, Values: []string{`"hello"`}},
		{Name: "bad.test", Type: "AAAA", TTL: 300, Values: []string{"2001:db8::1"}},
		{Name: "*.wild.test", Type: "A", TTL: 300, Values: []string{"192.0.2.2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resolver.Zone{Zone: z}
}

func snapshotOf(t testing.TB, groups ...resolver.RuleGroup) resolver.Snapshot {
	return resolver.Snapshot{
		VPCs:  []resolver.VPC{{ID: "vpc-1", Account: "111122223333", Region: "eu-central-1", RuleGroups: groups}},
		Hosts: []resolver.Host{{Address: host.Addr(), Instance: "i-1", VPC: "vpc-1"}},
		Zones: []resolver.Zone{testZone(t)},
	}
}

func start(t testing.TB, c resolver.Config, snapshot resolver.Snapshot) *resolver.Server {
	t.Helper()
	s := resolver.New(c)
	if err := s.SetSnapshot(snapshot); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func query(t testing.TB, name string, qtype uint16) *mdns.Msg {
	t.Helper()
	return new(mdns.Msg).SetQuestion(mdns.Fqdn(name), qtype)
}

// resolve asks in memory.
func resolve(t testing.TB, s *resolver.Server, from netip.AddrPort, q *mdns.Msg) *mdns.Msg {
	t.Helper()
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	out := s.Resolve(t.Context(), from, b)
	if out == nil {
		return nil
	}
	m := new(mdns.Msg)
	if err := m.Unpack(out); err != nil {
		t.Fatal(err)
	}
	bare := m.Rcode == mdns.RcodeNotImplemented && len(m.Question) == 0 // not even the question was read
	if m.Id != q.Id || !m.Response || !bare && (len(m.Question) != 1 || m.Question[0] != q.Question[0]) {
		t.Fatalf("not a response to the query:\n%v", m)
	}
	return m
}

// brief is a response in one line: the code, and the answer's data.
func brief(m *mdns.Msg) string {
	parts := []string{mdns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		parts = append(parts, mdns.Type(rr.Header().Rrtype).String(), strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	return strings.Join(parts, " ")
}

func TestFirewall(t *testing.T) {
	rule := func(priority int, action, list string, more ...func(*resolver.Rule)) resolver.Rule {
		r := resolver.Rule{Priority: priority, Action: action, ListID: "l" + string(rune('0'+priority)), List: domains(t, list)}
		for _, f := range more {
			f(&r)
		}
		return r
	}
	response := func(s string) func(*resolver.Rule) { return func(r *resolver.Rule) { r.BlockResponse = s } }
	override := func(r *resolver.Rule) {
		r.BlockResponse, r.OverrideDomain, r.OverrideTTL = "OVERRIDE", "sink.test", 42
	}
	qtype := func(s string) func(*resolver.Rule) { return func(r *resolver.Rule) { r.Type = s } }
	trust := func(r *resolver.Rule) { r.Redirection = "TRUST_REDIRECTION_DOMAIN" }
	inspect := func(r *resolver.Rule) { r.Redirection = "INSPECT_REDIRECTION_DOMAIN" }
	missing := func(r *resolver.Rule) { r.List = nil }
	group := func(id string, priority int, rules ...resolver.Rule) resolver.RuleGroup {
		return resolver.RuleGroup{ID: id, Priority: priority, Rules: rules}
	}
	const passed = "NOERROR A 192.0.2.1"
	const chain = "NOERROR CNAME c2.test. CNAME c3.test. A 192.0.2.1"

	for _, c := range []struct {
		name     string
		groups   []resolver.RuleGroup
		failOpen bool
		ask      string // name, then type if not A
		want     string
		log      string // action, group and list of the record
	}{
		{name: "no_rules_pass", ask: "bad.test", want: passed},
		{name: "no_match_passes", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test"))}, ask: "good.test", want: passed},
		{name: "nodata_is_default", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test"))},
			ask: "bad.test", want: "NOERROR", log: "BLOCK g l1"},
		{name: "nodata", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", response("NODATA")))},
			ask: "bad.test", want: "NOERROR", log: "BLOCK g l1"},
		{name: "nxdomain", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", response("NXDOMAIN")))},
			ask: "bad.test", want: "NXDOMAIN", log: "BLOCK g l1"},
		{name: "override_is_followed", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", override))},
			ask: "bad.test", want: "NOERROR CNAME sink.test. A 192.0.2.1", log: "BLOCK g l1"},
		{name: "override_without_the_type", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", override))},
			ask: "bad.test AAAA", want: "NOERROR CNAME sink.test.", log: "BLOCK g l1"},
		{name: "override_asked_for_cname", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", override))},
			ask: "bad.test CNAME", want: "NOERROR CNAME sink.test.", log: "BLOCK g l1"},
		{name: "override_target_is_not_judged", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "*", override))},
			ask: "bad.test", want: "NOERROR CNAME sink.test. A 192.0.2.1", log: "BLOCK g l1"},
		{name: "letter_case_does_not_matter", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "BAD.test"))},
			ask: "bAd.TEST", want: "NOERROR", log: "BLOCK g l1"},
		{name: "domain_is_itself_only", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test"))}, ask: "www.bad.test", want: passed},
		{name: "wildcard_is_below", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "*.bad.test"))},
			ask: "www.bad.test", want: "NOERROR", log: "BLOCK g l1"},
		{name: "wildcard_is_not_itself", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "*.bad.test"))}, ask: "bad.test", want: passed},
		{name: "alert_passes_and_logs", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALERT", "bad.test"))},
			ask: "bad.test", want: passed, log: "ALERT g l1"},
		{name: "alert_ends_evaluation", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALERT", "bad.test"), rule(2, "BLOCK", "bad.test"))},
			ask: "bad.test", want: passed, log: "ALERT g l1"},
		{name: "allow_ends_evaluation", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALLOW", "good.test"), rule(2, "BLOCK", "*"))},
			ask: "good.test", want: passed},
		{name: "rules_in_order_of_priority", groups: []resolver.RuleGroup{group("g", 1, rule(2, "BLOCK", "*"), rule(1, "ALLOW", "good.test"))},
			ask: "good.test", want: passed},
		{name: "groups_in_order_of_association", groups: []resolver.RuleGroup{
			group("second", 200, rule(1, "BLOCK", "bad.test")), group("first", 100, rule(9, "ALLOW", "bad.test"))},
			ask: "bad.test", want: passed},
		{name: "group_before_rule_priority", groups: []resolver.RuleGroup{
			group("first", 100, rule(9, "BLOCK", "bad.test", response("NXDOMAIN"))), group("second", 200, rule(1, "ALLOW", "bad.test"))},
			ask: "bad.test", want: "NXDOMAIN", log: "BLOCK first l9"},
		{name: "query_type_matches", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", qtype("AAAA")))},
			ask: "bad.test AAAA", want: "NOERROR", log: "BLOCK g l1"},
		{name: "query_type_differs", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", qtype("AAAA")))}, ask: "bad.test", want: passed},
		{name: "query_type_by_number", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "bad.test", qtype("TYPE28")))},
			ask: "bad.test AAAA", want: "NOERROR", log: "BLOCK g l1"},

		{name: "chain_is_inspected", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "c3.test", response("NXDOMAIN")))},
			ask: "c1.test", want: "NXDOMAIN", log: "BLOCK g l1"},
		{name: "middle_of_chain_is_inspected", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "c2.test", inspect))},
			ask: "c1.test", want: "NOERROR", log: "BLOCK g l1"},
		{name: "chain_may_alert", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALERT", "c2.test"))},
			ask: "c1.test", want: chain, log: "ALERT g l1"},
		{name: "alert_on_first_name_does_not_spare_the_chain", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALERT", "c1.test"), rule(2, "BLOCK", "c3.test"))},
			ask: "c1.test", want: "NOERROR", log: "BLOCK g l2"},
		{name: "walled_garden_needs_the_whole_chain", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALLOW", "c1.test"), rule(2, "BLOCK", "*"))},
			ask: "c1.test", want: "NOERROR", log: "BLOCK g l2"},
		{name: "walled_garden_with_the_whole_chain", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALLOW", "c1.test c2.test c3.test"), rule(2, "BLOCK", "*"))},
			ask: "c1.test", want: chain},
		{name: "trusted_redirection_in_walled_garden", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALLOW", "c1.test", trust), rule(2, "BLOCK", "*"))},
			ask: "c1.test", want: chain},
		{name: "trust_is_for_one_answer", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALLOW", "c1.test", trust), rule(2, "BLOCK", "*"))},
			ask: "c2.test", want: "NOERROR", log: "BLOCK g l2"},
		{name: "rule_that_trusts_looks_at_first_name_only", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "c3.test", trust))},
			ask: "c1.test", want: chain},

		{name: "missing_list_fails_closed", groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "", missing))}, ask: "good.test", want: "SERVFAIL"},
		{name: "missing_list_fails_open", failOpen: true, groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "", missing), rule(2, "BLOCK", "bad.test"))},
			ask: "good.test", want: passed},
		{name: "missing_list_skips_its_rule_only", failOpen: true, groups: []resolver.RuleGroup{group("g", 1, rule(1, "BLOCK", "", missing), rule(2, "BLOCK", "bad.test"))},
			ask: "bad.test", want: "NOERROR", log: "BLOCK g l2"},
		{name: "rule_before_missing_list_decides", groups: []resolver.RuleGroup{group("g", 1, rule(1, "ALLOW", "good.test"), rule(2, "BLOCK", "", missing))},
			ask: "good.test", want: passed},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := newRecorder()
			snapshot := snapshotOf(t, c.groups...)
			snapshot.VPCs[0].FailOpen = c.failOpen
			s := start(t, resolver.Config{Log: log}, snapshot)
			name, typeName, _ := strings.Cut(c.ask, " ")
			qtype := uint16(mdns.TypeA)
			if typeName != "" {
				qtype = mdns.StringToType[typeName]
			}
			m := resolve(t, s, host, query(t, name, qtype))
			if got := brief(m); got != c.want {
				t.Errorf("answer %s, want %s", got, c.want)
			}
			if strings.HasPrefix(c.log, "BLOCK") && len(m.Answer) == 0 {
				if len(m.Ns) != 1 || m.Ns[0].Header().Rrtype != mdns.TypeSOA {
					t.Errorf("no SOA says how long to believe it:\n%v", m)
				}
			}
			records := log.closed(t, s)
			if len(records) != 1 {
				t.Fatalf("%d records, want 1", len(records))
			}
			r := records[0]
			if got := strings.TrimSpace(r.Action + " " + r.RuleGroupID + " " + r.DomainListID); got != c.log {
				t.Errorf("logged %q, want %q", got, c.log)
			}
			if r.Name != strings.ToLower(mdns.Fqdn(name)) || r.Instance != "i-1" || r.VPC != "vpc-1" || r.Rcode != mdns.RcodeToString[m.Rcode] || len(r.Answers) != len(m.Answer) {
				t.Errorf("record %+v", r)
			}
		})
	}
}

func TestOverrideHasTheRulesTTL(t *testing.T) {
	s := start(t, resolver.Config{}, snapshotOf(t, resolver.RuleGroup{Rules: []resolver.Rule{{
		Action: "BLOCK", BlockResponse: "OVERRIDE", OverrideDomain: "sink.test.", OverrideTTL: 42, List: domains(t, "bad.test")}}}))
	m := resolve(t, s, host, query(t, "bad.test", mdns.TypeA))
	if len(m.Answer) != 2 || m.Answer[0].Header().Ttl != 42 || m.Answer[1].Header().Ttl != 300 {
		t.Errorf("%v", m)
	}
}

func TestSnapshotTakesForceAtOnceAndWrongOnesNever(t *testing.T) {
	s := start(t, resolver.Config{}, snapshotOf(t))
	q := query(t, "bad.test", mdns.TypeA)
	if got := brief(resolve(t, s, host, q)); got != "NOERROR A 192.0.2.1" {
		t.Fatal(got)
	}
	block := snapshotOf(t, resolver.RuleGroup{Rules: []resolver.Rule{{Action: "BLOCK", BlockResponse: "NXDOMAIN", List: domains(t, "bad.test")}}})
	if err := s.SetSnapshot(block); err != nil {
		t.Fatal(err)
	}
	for name, wrong := range map[string]func(*resolver.Snapshot){
		"action":         func(x *resolver.Snapshot) { x.VPCs[0].RuleGroups[0].Rules[0].Action = "" },
		"block response": func(x *resolver.Snapshot) { x.VPCs[0].RuleGroups[0].Rules[0].BlockResponse = "DROP" },
		"override":       func(x *resolver.Snapshot) { x.VPCs[0].RuleGroups[0].Rules[0].BlockResponse = "OVERRIDE" },
		"type":           func(x *resolver.Snapshot) { x.VPCs[0].RuleGroups[0].Rules[0].Type = "TYPE0" },
		"redirection":    func(x *resolver.Snapshot) { x.VPCs[0].RuleGroups[0].Rules[0].Redirection = "TRUST" },
		"host":           func(x *resolver.Snapshot) { x.Hosts[0].VPC = "vpc-2" },
		"host twice":     func(x *resolver.Snapshot) { x.Hosts = append(x.Hosts, x.Hosts[0]) },
		"local":          func(x *resolver.Snapshot) { x.Local = &resolver.Host{} },
		"vpc":            func(x *resolver.Snapshot) { x.VPCs = append(x.VPCs, x.VPCs[0]) },
		"zone":           func(x *resolver.Snapshot) { x.Zones = append(x.Zones, resolver.Zone{}) },
	} {
		x := snapshotOf(t, resolver.RuleGroup{Rules: []resolver.Rule{{Action: "ALLOW", List: domains(t, "bad.test")}}})
		x.VPCs[0].RuleGroups[0].Rules[0].Action = "BLOCK"
		wrong(&x)
		if err := s.SetSnapshot(x); err == nil {
			t.Errorf("wrong %s: accepted", name)
		}
	}
	if got := brief(resolve(t, s, host, q)); got != "NXDOMAIN" {
		t.Errorf("after wrong snapshots: %s", got)
	}
}

func TestEachVPCHasItsRulesAndZones(t *testing.T) {
	private, err := zone.New("corp", []zone.Record{{Name: "db.corp", Type: "A", TTL: 60, Values: []string{"10.1.0.9"}}})
	if err != nil {
		t.Fatal(err)
	}
	x := snapshotOf(t)
	x.VPCs = append(x.VPCs, resolver.VPC{ID: "vpc-2", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")},
		RuleGroups: []resolver.RuleGroup{{Rules: []resolver.Rule{{Action: "BLOCK", List: domains(t, "bad.test")}}}}})
	x.Zones = append(x.Zones, resolver.Zone{Zone: private, VPCs: []string{"vpc-2"}})
	s := start(t, resolver.Config{}, x)
	other := netip.MustParseAddrPort("10.2.3.4:1")
	for _, c := range []struct {
		from netip.AddrPort
		name string
		want string
	}{
		{host, "bad.test", "NOERROR A 192.0.2.1"},
		{other, "bad.test", "NOERROR"},
		{other, "db.corp", "NOERROR A 10.1.0.9"},
		{host, "db.corp", "SERVFAIL"}, // neither zone nor upstream
		{netip.MustParseAddrPort("[::ffff:10.0.0.7]:9"), "good.test", "NOERROR A 192.0.2.1"},
		{netip.MustParseAddrPort("10.9.0.1:1"), "good.test", "REFUSED"},
	} {
		if got := brief(resolve(t, s, c.from, query(t, c.name, mdns.TypeA))); got != c.want {
			t.Errorf("%s asks for %s: %s, want %s", c.from, c.name, got, c.want)
		}
	}
}
