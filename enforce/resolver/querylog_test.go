package resolver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
)

// sink is a query log that does as told.
type sink struct {
	mu      sync.Mutex
	records []resolver.QueryRecord
	before  func() error
}

func (s *sink) Log(_ context.Context, batch []resolver.QueryRecord) error {
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, batch...)
	return nil
}

func (s *sink) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}

// TestRepeatsAreLoggedOncePerTTL also shows that zones, firewall and log work in virtual time.
func TestRepeatsAreLoggedOncePerTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log sink
		x := snapshotOf(t)
		other := netip.MustParseAddrPort("10.0.0.8:1")
		x.Hosts = append(x.Hosts, resolver.Host{Address: other.Addr(), VPC: "vpc-1"})
		s := start(t, resolver.Config{Log: &log}, x)
		expect := func(want int, what string) {
			t.Helper()
			synctest.Wait()
			if n := log.len(); n != want {
				t.Errorf("%s: %d records, want %d", what, n, want)
			}
		}
		ask := func(from netip.AddrPort, name string, qtype uint16) { resolve(t, s, from, query(t, name, qtype)) }

		ask(host, "good.test", mdns.TypeA)
		ask(host, "good.test", mdns.TypeA)
		ask(host, "GOOD.test", mdns.TypeA)
		expect(1, "a repeat")
		ask(host, "good.test", mdns.TypeTXT)
		expect(2, "another type")
		ask(other, "good.test", mdns.TypeA)
		expect(3, "another host")
		time.Sleep(299 * time.Second)
		ask(host, "good.test", mdns.TypeA)
		expect(3, "a repeat just within the TTL of 300 s")
		time.Sleep(time.Second)
		ask(host, "good.test", mdns.TypeA)
		expect(4, "a repeat after the TTL")

		block := snapshotOf(t, resolver.RuleGroup{ID: "g", Rules: []resolver.Rule{{Action: "BLOCK", ListID: "l", List: domains(t, "good.test")}}})
		if err := s.SetSnapshot(block); err != nil {
			t.Fatal(err)
		}
		ask(host, "good.test", mdns.TypeA)
		expect(5, "the name is blocked now")
		ask(host, "good.test", mdns.TypeA)
		expect(5, "a repeat of the block")
		if r := log.records[4]; r.Action != "BLOCK" || r.Time != time.Now() {
			t.Errorf("%+v", r)
		}
		s.Close(t.Context())
	})
}

func TestQueriesWaitForTheLogAndNothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		log := sink{before: func() error { <-release; return nil }}
		s := start(t, resolver.Config{Log: &log, LogQueue: 4}, snapshotOf(t))
		var answered sync.WaitGroup
		for i := range 20 {
			answered.Go(func() { resolve(t, s, host, query(t, fmt.Sprintf("x%d.wild.test", i), mdns.TypeA)) })
		}
		synctest.Wait()
		if n := s.Stats().LogWaits; n == 0 {
			t.Error("nobody waits for a log that takes nothing")
		}
		close(release)
		answered.Wait()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if log.len() != 20 || s.Stats().Logged != 20 {
			t.Errorf("%d records of 20 queries", log.len())
		}
	})
}

func TestRefusedRecordsComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 3
		log := sink{before: func() error {
			if fails--; fails >= 0 {
				return errors.New("disk full")
			}
			return nil
		}}
		s := start(t, resolver.Config{Log: &log}, snapshotOf(t))
		resolve(t, s, host, query(t, "good.test", mdns.TypeA))
		if err := s.Close(t.Context()); err != nil || log.len() != 1 || s.Stats().LogErrors != 3 {
			t.Errorf("%v, %d records, %+v", err, log.len(), s.Stats())
		}
	})
}

func TestCloseSaysWhatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := sink{before: func() error { return errors.New("disk full") }}
		s := start(t, resolver.Config{Log: &log}, snapshotOf(t))
		resolve(t, s, host, query(t, "good.test", mdns.TypeA))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err == nil || s.Stats().LogLost != 1 {
			t.Errorf("%v, %+v", err, s.Stats())
		}
	})
}

func TestRecordJSON(t *testing.T) {
	r := resolver.QueryRecord{
		Account: "111122223333", Region: "us-east-1", VPC: "vpc-7example", Time: time.Date(2021, 2, 4, 17, 51, 55, 6, time.UTC),
		Name: "15.3.4.32.in-addr.arpa.", Type: "PTR", Class: "IN", Rcode: "NOERROR",
		Answers: []resolver.Answer{{Rdata: "203.0.113.9", Type: "PTR", Class: "IN"}},
		Source:  netip.MustParseAddrPort("192.0.2.102:56067"), Transport: "UDP", Instance: "i-0d15cd0d3example",
		Action: "BLOCK", RuleGroupID: "rslvr-frg-01234567890abcdef", DomainListID: "rslvr-fdl-01234567890abcdef",
	}
	// The members of the Route 53 Developer Guide, "VPC Resolver query log example".
	const want = `{"version":"1.100000","account_id":"111122223333","region":"us-east-1","vpc_id":"vpc-7example",` +
		`"query_timestamp":"2021-02-04T17:51:55Z","query_name":"15.3.4.32.in-addr.arpa.","query_type":"PTR","query_class":"IN",` +
		`"rcode":"NOERROR","answers":[{"Rdata":"203.0.113.9","Type":"PTR","Class":"IN"}],"srcaddr":"192.0.2.102","srcport":"56067",` +
		`"transport":"UDP","srcids":{"instance":"i-0d15cd0d3example"},"firewall_rule_action":"BLOCK",` +
		`"firewall_rule_group_id":"rslvr-frg-01234567890abcdef","firewall_domain_list_id":"rslvr-fdl-01234567890abcdef"}`
	got, err := json.Marshal(r)
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	kind, detail, ok := r.FirewallEvent()
	if !ok || kind != "DNS Firewall Block" || string(detail) != `{"account-id":"111122223333","last-observed-at":"2021-02-04T17:51:55Z",`+
		`"query-name":"15.3.4.32.in-addr.arpa.","query-type":"PTR","query-class":"IN","transport":"UDP","firewall-rule-action":"BLOCK",`+
		`"firewall-rule-group-id":"rslvr-frg-01234567890abcdef","firewall-domain-list-id":"rslvr-fdl-01234567890abcdef",`+
		`"src-addr":"192.0.2.102","src-port":"56067","vpc-id":"vpc-7example",`+
		`"resources":[{"resource-type":"instance","instance-details":{"id":"i-0d15cd0d3example"}}]}` {
		t.Errorf("event %v %s\n%s", ok, kind, detail)
	}
	if _, _, ok := (resolver.QueryRecord{}).FirewallEvent(); ok {
		t.Error("a query that no rule met is an event")
	}
	var back resolver.QueryRecord
	r.Time = r.Time.Truncate(time.Second)
	if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("%v\n%+v", err, back)
	}
	r.DomainListID, r.Protection = "", "DNS_TUNNELING"
	got, err = json.Marshal(r)
	if err != nil || !strings.HasSuffix(string(got), `"firewall_rule_group_id":"rslvr-frg-01234567890abcdef","firewall_protection":"DNS_TUNNELING"}`) {
		t.Errorf("%v %s", err, got)
	}
	if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("%v\n%+v", err, back)
	}
	if _, detail, _ := r.FirewallEvent(); !bytes.Contains(detail, []byte(`"firewall-protection":"DNS_TUNNELING"`)) || bytes.Contains(detail, []byte("domain-list")) {
		t.Errorf("event %s", detail)
	}
	bare, err := json.Marshal(resolver.QueryRecord{Source: netip.MustParseAddrPort("[2001:db8::1]:1")})
	if err != nil || bytes.Contains(bare, []byte("firewall")) || !bytes.Contains(bare, []byte(`"answers":[]`)) || !bytes.Contains(bare, []byte(`"srcaddr":"2001:db8::1"`)) {
		t.Errorf("%v %s", err, bare)
	}
}

func TestRecordOfAnAnswer(t *testing.T) {
	log := newRecorder()
	s := start(t, resolver.Config{Log: log}, func() resolver.Snapshot {
		x := localSnapshot(t)
		x.VPCs[0].QueryLogs = []resolver.QueryLogConfig{{ID: "rqlc-1", Destination: "arn:aws:s3:::logs"}}
		return x
	}())
	addr := serve(t, s)
	exchange(t, "tcp", addr, query(t, "c1.test", mdns.TypeA))
	exchange(t, "udp", addr, query(t, "nothing.test", 65280))
	exchange(t, "udp", addr, query(t, "good.test", mdns.TypeTXT))
	records := log.closed(t, s)
	if len(records) != 3 {
		t.Fatalf("%d records", len(records))
	}
	tcp := records[0]
	want := []resolver.Answer{{"c2.test.", "CNAME", "IN"}, {"c3.test.", "CNAME", "IN"}, {"192.0.2.1", "A", "IN"}}
	if tcp.Transport != "TCP" || !reflect.DeepEqual(tcp.Answers, want) || tcp.Source.Port() == 0 || tcp.Instance != "i-local" ||
		tcp.Account != "111122223333" || tcp.Region != "eu-central-1" || len(tcp.Logs) != 1 || tcp.Logs[0].ID != "rqlc-1" {
		t.Errorf("%+v", tcp)
	}
	if r := records[1]; r.Transport != "UDP" || r.Type != "TYPE65280" || r.Rcode != "NXDOMAIN" || len(r.Answers) != 0 {
		t.Errorf("%+v", r)
	}
	if r := records[2]; len(r.Answers) != 1 || r.Answers[0].Rdata != `"hello"` {
		t.Errorf("%+v", r)
	}
}
