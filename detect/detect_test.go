package detect

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sumun.dev/detect/intel"
	"sumun.dev/detect/source/dns"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// lists are what the fixtures are judged by.
func lists(t testing.TB) intel.Lists {
	t.Helper()
	list := func(l *intel.List, err error) *intel.List {
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	book := intel.NewBook(append(intel.Builtin(),
		list(intel.Below("c2 feed", intel.CommandAndControl, slices.Values([]string{"c2.test"}))),
		list(intel.Below("mining feed", intel.Mining, slices.Values([]string{"pool.test"}))),
		list(intel.Below("malicious feed", intel.Malicious, slices.Values([]string{"feed-evil.test"}))),
		list(intel.Below("blackhole feed", intel.Blackhole, slices.Values([]string{"sunk.test"}))),
	)...)
	here := store.Place{Account: "111122223333", Region: "us-east-1"}
	book.Own(here,
		list(intel.Exact("own", intel.Custom, slices.Values([]string{"evil.test", "*.bad.test"}))),
		list(intel.Exact("trusted", intel.Trusted, slices.Values([]string{"trusted.c2.test", "trusted.feed-evil.test"}))),
	)
	return book.At(here)
}

// folders names the folder of each rule.
var folders = map[string]string{
	finding.CommandAndControlDNS: "ccactivity", finding.BitcoinToolDNS: "bitcointool",
	finding.MaliciousDomain: "maliciousdomain", finding.BlackholeTrafficDNS: "blackhole",
}

func TestRulesHaveEvidence(t *testing.T) {
	rules := DNSRules()
	if len(rules) != len(folders) {
		t.Fatalf("%d rules, %d folders", len(rules), len(folders))
	}
	reader, known := dns.NewReader(), lists(t)
	for _, rule := range rules {
		folder := filepath.Join("rule", folders[rule.Type])
		if _, ok := finding.KindOf(rule.Type); !ok {
			t.Errorf("%s has no entry in the catalogue", rule.Type)
		}
		if _, err := os.Stat(filepath.Join(folder, "README.md")); err != nil {
			t.Error(err)
		}
		for file, want := range map[string]bool{"hit.jsonl": true, "miss.jsonl": false} {
			b, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for line := range bytes.Lines(b) {
				n++
				r, err := reader.Read(line)
				if err != nil {
					t.Fatalf("%s/%s:%d: %v", folder, file, n, err)
				}
				found := DNS(rules, r, known)
				got := slices.ContainsFunc(found, func(s finding.Suspicion) bool { return s.Type == rule.Type })
				if got != want {
					t.Errorf("%s/%s:%d: %s: found %+v", folder, file, n, r.Name, found)
				}
			}
			if n < 3 {
				t.Errorf("%s/%s has %d records", folder, file, n)
			}
		}
	}
}

func TestASuspicionTellsItsEvidence(t *testing.T) {
	r, err := dns.NewReader().Read([]byte(`{"query_timestamp":"2026-01-01T10:00:00Z","query_name":"x.bad.test.","vpc_id":"vpc-1","srcaddr":"10.0.0.7","transport":"TCP","srcids":{"instance":"i-1"},"firewall_rule_action":"BLOCK"}`))
	if err != nil {
		t.Fatal(err)
	}
	found := DNS(DNSRules(), r, lists(t))
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	s := found[0]
	if s.Threat.List != "own" || s.Threat.Entry != "*.bad.test" || *s.DNS != (finding.DNSRequest{Domain: "x.bad.test", Protocol: "TCP", Blocked: true}) || s.Instance.ID != "i-1" || s.Instance.VPC != "vpc-1" || !s.At.Equal(r.Time) {
		t.Errorf("%+v", s)
	}
}

// BenchmarkDNS is what a harmless query costs: reading it and trying all rules.
func BenchmarkDNS(b *testing.B) {
	record := []byte(`{"version":"1.100000","account_id":"111122223333","region":"us-east-1","vpc_id":"vpc-0a1b2c3d","query_timestamp":"2026-01-01T10:00:00Z","query_name":"www.amazon.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"198.51.100.7","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.7","srcport":"40000","transport":"UDP","srcids":{"instance":"i-0123456789abcdef0"}}`)
	reader, rules, known := dns.NewReader(), DNSRules(), lists(b)
	b.ReportAllocs()
	for b.Loop() {
		r, err := reader.Read(record)
		if err != nil {
			b.Fatal(err)
		}
		if found := DNS(rules, r, known); found != nil {
			b.Fatal(found)
		}
	}
	b.ReportMetric(float64(len(rules)), "rules")
}
