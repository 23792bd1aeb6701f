package detect

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/enrich/enrichtest"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/detect/source/dns"
	"sumun.dev/detect/source/flow"
	"sumun.dev/detect/source/kube"
	edns "sumun.dev/engine/dns"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// lists are what the fixtures are judged by.
func lists(t testing.TB) intel.Lists { return listsAs(t, fixed) }

// listsAs are the same with other names and addresses.
func listsAs(t testing.TB, m *mask) intel.Lists {
	t.Helper()
	prefixes := func(all ...string) []netip.Prefix {
		var out []netip.Prefix
		for _, s := range all {
			out = append(out, m.prefix(netip.MustParsePrefix(s)))
		}
		return out
	}
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
		list(intel.Below("abused feed", intel.Abused, slices.Values([]string{"abused.test"}))),
		list(intel.Below("coins feed", intel.Coins, slices.Values([]string{"coins.test"}))),
		list(intel.Below("dga feed", intel.Generated, slices.Values([]string{"dga.test"}))),
		list(intel.Below("driveby feed", intel.DriveBy, slices.Values([]string{"driveby.test"}))),
		list(intel.Below("droppoint feed", intel.DropPoint, slices.Values([]string{"droppoint.test"}))),
		list(intel.Below("low-reputation feed", intel.LowReputation, slices.Values([]string{"low-reputation.test"}))),
		list(intel.Below("phishing feed", intel.Phishing, slices.Values([]string{"phishing.test"}))),
		list(intel.Below("suspicious feed", intel.Suspicious, slices.Values([]string{"suspicious.test"}))),
		intel.Addresses("c2 addresses", intel.CommandAndControl, prefixes("203.0.113.66/32")),
		intel.Addresses("mining addresses", intel.Mining, prefixes("203.0.113.67/32")),
		intel.Addresses("malicious addresses", intel.Malicious, prefixes("203.0.113.68/32")),
		intel.Addresses("blackhole addresses", intel.Blackhole, prefixes("203.0.113.69/32")),
		intel.Addresses("drop points", intel.DropPoint, prefixes("203.0.113.70/32")),
		intel.Addresses("scanners", intel.Scanner, prefixes("203.0.113.96/28")),
		intel.Addresses("tor nodes", intel.Tor, prefixes("203.0.113.80/29")),
	)...)
	here := store.Place{Account: "111122223333", Region: "us-east-1"}
	book.Own(here,
		list(intel.Exact("own", intel.Custom, slices.Values([]string{"evil.test", "*.bad.test"}))),
		list(intel.Exact("trusted", intel.Trusted, slices.Values([]string{"trusted.c2.test", "trusted.feed-evil.test", "trusted.abused.test", "trusted.coins.test", "trusted.dga.test", "trusted.driveby.test", "trusted.droppoint.test", "trusted.low-reputation.test", "trusted.phishing.test", "trusted.suspicious.test"}))).With(prefixes("198.18.0.7/32", "203.0.113.111/32")),
		intel.Addresses("own addresses", intel.Custom, prefixes("198.18.0.0/24")),
	)
	return book.At(here)
}

// engine returns an engine with all rules that knows the lists of the fixtures.
func engine(t testing.TB) *Engine {
	known := lists(t)
	return NewEngine(Options{Lists: func(aws.Account, aws.Region) intel.Lists { return known }})
}

// readers reads a line of a fixture, by the class of the rule.
var readers = map[record.Class]func() func([]byte) (*record.Record, error){
	record.Orchestration:   func() func([]byte) (*record.Record, error) { return kube.Read },
	record.DNSActivity:     func() func([]byte) (*record.Record, error) { return dns.NewReader().Read },
	record.APIActivity:     func() func([]byte) (*record.Record, error) { return cloudtrail.Read },
	record.NetworkActivity: func() func([]byte) (*record.Record, error) { return flow.NewReader().Read },
}

// TestRulesHaveEvidence tries the evidence of all rules: all of hit.jsonl is seen
// by one engine, and each of its suspicions comes from its last lines at the
// latest; of miss.jsonl nothing is.
func TestRulesHaveEvidence(t *testing.T) {
	folders, err := filepath.Glob("rule/*/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if name := filepath.Base(filepath.Dir(f)); !slices.ContainsFunc(Rules(), func(r *rule.Rule) bool { return r.Name == name }) {
			t.Errorf("rule/%s is not in the list of rules", name)
		}
	}
	if !slices.IsSortedFunc(Rules(), func(a, b *rule.Rule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the list of rules is not sorted")
	}
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			folder := filepath.Join("rule", r.Name)
			if _, err := os.Stat(filepath.Join(folder, "README.md")); err != nil {
				t.Error(err)
			}
			for _, typ := range r.Types {
				if _, ok := finding.KindOf(typ); !ok {
					t.Errorf("%s has no entry in the catalogue", typ)
				}
			}
			for file, hit := range map[string]bool{"hit.jsonl": true, "miss.jsonl": false} {
				evidence(t, r, filepath.Join(folder, file), hit, fixed)
			}
		})
	}
}

// places are where the addresses of fixtures are: some in countries, some in regions
// of AWS.
func places(t testing.TB, m *mask) *enrich.Net {
	t.Helper()
	city := func(country string, latitude, longitude float64) map[string]any {
		return map[string]any{"country": map[string]any{"iso_code": country}, "location": map[string]any{"latitude": latitude, "longitude": longitude}}
	}
	at := func(p string) string { return m.prefix(netip.MustParsePrefix(p)).String() }
	folder := t.TempDir()
	cities, clouds := filepath.Join(folder, "city.mmdb"), filepath.Join(folder, "ip-ranges.json")
	for name, b := range map[string][]byte{
		cities: enrichtest.MMDB(map[string]map[string]any{at("198.19.0.0/24"): city("FR", 48.9, 2.4), at("198.19.1.0/24"): city("JP", 35.7, 139.7), at("198.19.2.0/24"): city("BE", 50.8, 4.4)}),
		clouds: fmt.Appendf(nil, `{"prefixes":[{"ip_prefix":"%s","region":"us-east-1","service":"EC2"},{"ip_prefix":"%s","region":"eu-west-1","service":"EC2"}]}`, at("198.19.64.0/24"), at("198.19.65.0/24")),
	} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	net, err := enrich.Open(enrich.Files{MMDB: []string{cities}, Clouds: []string{clouds}})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// evidence judges a file. An empty line begins a story of its own, with an engine
// that knows nothing; in each story of hit.jsonl the rule has to speak, in those
// of miss.jsonl never. Without State, every line is a story. What learn.jsonl holds,
// where there is one, is learnt before each story.
// Names and addresses are changed by m.
func evidence(t *testing.T, r *rule.Rule, file string, hit bool, m *mask) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	read := readers[r.Class]()
	habits, err := os.ReadFile(filepath.Join(filepath.Dir(file), "learn.jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	b, habits = m.lines(t, b, habits)
	net := places(t, m)
	alone := func() *Engine {
		known := listsAs(t, m)
		e := NewEngine(Options{Rules: []*rule.Rule{r}, Net: net, Lists: func(aws.Account, aws.Region) intel.Lists { return known }})
		for line := range bytes.Lines(habits) {
			rec, err := read(line)
			if err != nil {
				t.Fatalf("what is learnt: %v", err)
			}
			e.Learn(rec)
		}
		return e
	}
	e, n, told, records, stories := alone(), 0, 0, 0, 0
	end := func() {
		if records > 0 {
			stories++
		}
		if records > 0 && (told > 0) != hit {
			t.Errorf("%s: the story that ends at line %d raises it %d times", file, n, told)
		}
		read = readers[r.Class]() // a story has its own header
		e, told, records = alone(), 0, 0
	}
	for line := range bytes.Lines(b) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			end()
			continue
		}
		rec, err := read(line)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, n, err)
		}
		if rec == nil { // a header, or an interval without traffic
			continue
		}
		rec.Account = cmp.Or(rec.Account, aws.Account(m.account("111122223333")))
		rec.Origin.File = m.word("evidence")
		records++
		e.See(rec, func(s finding.Suspicion) {
			if slices.Contains(r.Types, s.Type) {
				told++
			}
		})
		if r.State == nil {
			if r.Class == record.NetworkActivity { // lines share the header
				if (told > 0) != hit {
					t.Errorf("%s:%d raises it %d times", file, n, told)
				}
				stories++
				told, records = 0, 0
				continue
			}
			end()
		}
	}
	end()
	least := 1
	if r.State == nil { // a story is a record
		least = 3
	}
	if stories < least {
		t.Errorf("%s has %d stories", file, stories)
	}
}

func TestASuspicionTellsItsEvidence(t *testing.T) {
	r, err := dns.NewReader().Read([]byte(`{"query_timestamp":"2026-01-01T10:00:00Z","query_name":"x.bad.test.","vpc_id":"vpc-1","srcaddr":"10.0.0.7","transport":"TCP","srcids":{"instance":"i-1"},"firewall_rule_action":"BLOCK"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Origin = record.Origin{File: "queries.log", Line: 7}
	var found []finding.Suspicion
	engine(t).See(r, func(s finding.Suspicion) { found = append(found, s) })
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	s := found[0]
	if s.Threat.List != "own" || s.Threat.Entry != "*.bad.test" || *s.DNS != (finding.DNSRequest{Domain: "x.bad.test", Protocol: "TCP", Blocked: true}) || s.Instance.ID != "i-1" || s.Instance.VPC != "vpc-1" || !s.At.Equal(r.Time) {
		t.Errorf("%+v", s)
	}
	if len(s.Evidence) != 1 || s.Evidence[0].File != "queries.log" || s.Evidence[0].Line != 7 {
		t.Errorf("evidence %+v", s.Evidence)
	}
}

// BenchmarkDNS is what a harmless query costs: reading it and trying all rules.
func BenchmarkDNS(b *testing.B) {
	record := []byte(`{"version":"1.100000","account_id":"111122223333","region":"us-east-1","vpc_id":"vpc-0a1b2c3d","query_timestamp":"2026-01-01T10:00:00Z","query_name":"www.amazon.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"198.51.100.7","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.7","srcport":"40000","transport":"UDP","srcids":{"instance":"i-0123456789abcdef0"}}`)
	reader, e := dns.NewReader(), engine(b)
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		r, err := reader.Read(record)
		if err != nil {
			b.Fatal(err)
		}
		r.Account, r.Region = "111122223333", "us-east-1"
		e.See(r, func(s finding.Suspicion) { b.Fatal(s) })
	}
	b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "queries/s/core")
	b.ReportMetric(float64(len(Rules())), "rules")
}

// BenchmarkJudgeDNS is what judging a query costs with all rules: queries
// of 200 hosts for 5,000 domains, most often the same ones, one in eight with a label that nobody chose, and one in fifty does not exist.
func BenchmarkJudgeDNS(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(r, 1.2, 4, 4999)
	var all []*record.Record
	for i := range 1 << 16 {
		n := zipf.Uint64()
		name, err := edns.ParseName(fmt.Sprintf("%s.service-%d-of-many.%s", [...]string{"www", "api", "cdn-images", "login", "static", "a", "mail", "a1b2c3d4e5f6a7b8"}[n%8], n, [...]string{"com", "net", "co.uk", "io"}[n/4%4]))
		if err != nil {
			b.Fatal(err)
		}
		rcode := "NOERROR"
		if i%50 == 0 {
			rcode = "NXDOMAIN"
		}
		all = append(all, &record.Record{
			Class: record.DNSActivity, Account: "111122223333", Region: "us-east-1", Time: time.Date(2026, 1, 1, 10, 0, i/100, 0, time.UTC),
			DNS: &record.DNS{Name: name, Type: "A", Rcode: rcode, Transport: "UDP", Instance: fmt.Sprintf("i-%017x", r.IntN(200)), VPC: "vpc-1", Source: netip.MustParseAddr("10.0.0.7"), Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.7")}},
		})
	}
	e := engine(b)
	b.ReportAllocs()
	i := 0
	before := processorTime(b)
	for b.Loop() {
		e.See(all[i%len(all)], func(s finding.Suspicion) { b.Fatal(s) })
		i++
	}
	b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "queries/s/core")
	dns := 0
	for _, r := range Rules() {
		if r.Class == record.DNSActivity {
			dns++
		}
	}
	b.ReportMetric(float64(dns), "rules")
}

// processorTime is how long the process has computed: on a machine that others use
// too, the time of the clock tells nothing.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
