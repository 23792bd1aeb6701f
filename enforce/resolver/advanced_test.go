package resolver_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"weak"

	mdns "github.com/miekg/dns"

	"sumun.dev/enforce/resolver"
	"sumun.dev/engine/dga"
	"sumun.dev/engine/dga/learn"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/zone"
	"sumun.dev/engine/tunnel/tunneltest"
)

// advancedOf has zones in which every name of com exists, and none but www of net.
func advancedOf(t testing.TB, rules ...resolver.Rule) resolver.Snapshot {
	t.Helper()
	x := snapshotOf(t, resolver.RuleGroup{ID: "g", Rules: rules})
	for origin, name := range map[string]string{"com": "*.com", "net": "www.net", "example": "*.example", "internal": "*.internal"} {
		z, err := zone.New(origin, []zone.Record{
			{Name: name, Type: "A", TTL: 300, Values: []string{"192.0.2.1"}},
			{Name: name, Type: "TXT", TTL: 300, Values: []string{`"ok"`}},
		})
		if err != nil {
			t.Fatal(err)
		}
		x.Zones = append(x.Zones, resolver.Zone{Zone: z})
	}
	z, err := zone.New("org", []zone.Record{{Name: "www.ordinary.org", Type: "CNAME", TTL: 300, Values: []string{"qxkzvwjhpfgtb.com."}}})
	if err != nil {
		t.Fatal(err)
	}
	x.Zones = append(x.Zones, resolver.Zone{Zone: z})
	return x
}

func about(priority int, threat, confidence, action string) resolver.Rule {
	return resolver.Rule{Priority: priority, Threat: threat, Confidence: confidence, Action: action}
}

// unsureLabels are of algorithms, and tell too little by themselves for HIGH.
func unsureLabels(seed uint64) (unsure []string) {
	r := rand.New(rand.NewPCG(seed, 4))
	for _, l := range learn.Made(4000, r, learn.NewMarkov([]string{"wikipedia", "example", "letsencrypt"})) {
		if score := dga.Default().Score(l); score > 2 && score < dga.OneInThousand {
			unsure = append(unsure, l)
		}
	}
	return unsure
}

func TestAdvancedRules(t *testing.T) {
	const passed = "NOERROR A 192.0.2.1"
	const letters, words = "qxkzvwjhpfgtb.com", "whetheralone.com"
	block := func(threat, confidence string) []resolver.Rule {
		return []resolver.Rule{about(1, threat, confidence, "BLOCK")}
	}
	listed := func(priority int, action, list string) resolver.Rule {
		return resolver.Rule{Priority: priority, Action: action, ListID: "l", List: domains(t, list)}
	}
	for _, c := range []struct {
		name  string
		rules []resolver.Rule
		ask   string
		want  string
		log   string // action, list and protection
	}{
		{"letters", block("DGA", "HIGH"), letters, "NOERROR", "BLOCK  DGA"},
		{"below_the_domain", block("DGA", "HIGH"), "a.b." + letters, "NOERROR", "BLOCK  DGA"},
		{"words_are_no_letters", block("DGA", "LOW"), words, passed, ""},
		{"words", block("DICTIONARY_DGA", "HIGH"), words, "NOERROR", "BLOCK  DICTIONARY_DGA"},
		{"letters_are_no_words", block("DICTIONARY_DGA", "LOW"), letters, passed, ""},
		{"unsure_meets_low", block("DGA", "LOW"), "wbzkrt.com", "NOERROR", "BLOCK  DGA"},
		{"unsure_does_not_meet_high", block("DGA", "HIGH"), "wbzkrt.com", passed, ""},
		{"people", block("DGA", "LOW"), "www.wikipedia.com", passed, ""},
		{"peoples_words", block("DICTIONARY_DGA", "LOW"), "cloudstorage.com", passed, ""},
		{"alert", []resolver.Rule{about(1, "DGA", "LOW", "ALERT")}, letters, passed, "ALERT  DGA"},
		{"first_match_decides", []resolver.Rule{about(1, "DGA", "LOW", "ALERT"), about(2, "DGA", "HIGH", "BLOCK")}, letters, passed, "ALERT  DGA"},
		{"priority", []resolver.Rule{about(2, "DGA", "LOW", "ALERT"), about(1, "DGA", "HIGH", "BLOCK")}, letters, "NOERROR", "BLOCK  DGA"},
		{"less_sure_goes_on", []resolver.Rule{about(2, "DGA", "LOW", "ALERT"), about(1, "DGA", "HIGH", "BLOCK")}, "wbzkrt.com", passed, "ALERT  DGA"},
		{"list_before", []resolver.Rule{listed(1, "ALLOW", letters), about(2, "DGA", "LOW", "BLOCK")}, letters, passed, ""},
		{"list_after", []resolver.Rule{about(1, "DGA", "LOW", "BLOCK"), listed(2, "ALLOW", "*")}, letters, "NOERROR", "BLOCK  DGA"},
		{"list_decides_the_rest", []resolver.Rule{about(1, "DGA", "LOW", "BLOCK"), listed(2, "ALERT", "*")}, "good.test", passed, "ALERT l "},
		{"internal_names", block("DGA", "LOW"), "qxkzvwjhpfgtb.internal", passed, ""},
		{"documentation_names", block("DGA", "LOW"), "qxkzvwjhpfgtb.example", "NOERROR", "BLOCK  DGA"},
		{"not_ascii", block("DGA", "LOW"), "xn--qxkzvwjhpfgtb.com", passed, ""},
		{"redirection_is_not_looked_at", block("DGA", "LOW"), "www.ordinary.org", "NOERROR CNAME qxkzvwjhpfgtb.com. A 192.0.2.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := newRecorder()
			s := start(t, resolver.Config{Log: log}, advancedOf(t, c.rules...))
			if got := brief(resolve(t, s, host, query(t, c.ask, mdns.TypeA))); got != c.want {
				t.Errorf("answer %s, want %s", got, c.want)
			}
			r := log.closed(t, s)[0]
			if got := r.Action + " " + r.DomainListID + " " + r.Protection; got != c.log && !(got == "  " && c.log == "") {
				t.Errorf("logged %q, want %q", got, c.log)
			}
		})
	}
}

// An answer is as the rule has it, whatever the rule is about.
func TestAdvancedRulesAnswer(t *testing.T) {
	for response, want := range map[string]string{"NODATA": "NOERROR", "NXDOMAIN": "NXDOMAIN", "OVERRIDE": "NOERROR CNAME sink.test. A 192.0.2.1"} {
		r := about(1, "DGA", "MEDIUM", "BLOCK")
		r.BlockResponse = response
		if response == "OVERRIDE" {
			r.OverrideDomain, r.OverrideTTL = "sink.test", 7
		}
		s := start(t, resolver.Config{}, advancedOf(t, r))
		if got := brief(resolve(t, s, host, query(t, "qxkzvwjhpfgtb.com", mdns.TypeA))); got != want {
			t.Errorf("%s: %s", response, got)
		}
	}
}

func TestWrongAdvancedRulesAreRefused(t *testing.T) {
	s := start(t, resolver.Config{}, snapshotOf(t))
	for name, r := range map[string]resolver.Rule{
		"threat":     about(1, "PHISHING", "LOW", "BLOCK"),
		"confidence": about(1, "DGA", "", "BLOCK"),
		"allow":      about(1, "DGA", "LOW", "ALLOW"),
		"list":       {Threat: "DGA", Confidence: "LOW", Action: "BLOCK", ListID: "l", List: domains(t, "a.test")},
	} {
		if err := s.SetSnapshot(snapshotOf(t, resolver.RuleGroup{Rules: []resolver.Rule{r}})); err == nil {
			t.Errorf("wrong %s: accepted", name)
		}
	}
}

// A client that asks for one domain of an algorithm after the other is cut off from
// them, also from those that tell little by themselves; others are not.
func TestClientsThatAskForManyAreCutOff(t *testing.T) {
	s := start(t, resolver.Config{}, advancedOf(t, about(1, "DGA", "HIGH", "BLOCK"), about(2, "DICTIONARY_DGA", "HIGH", "BLOCK")))
	other := netip.MustParseAddrPort("10.0.0.8:40000")
	x := advancedOf(t, about(1, "DGA", "HIGH", "BLOCK"), about(2, "DICTIONARY_DGA", "HIGH", "BLOCK"))
	same := netip.MustParseAddrPort("10.0.0.9:40000")
	x.Hosts = append(x.Hosts, resolver.Host{Address: other.Addr(), VPC: "vpc-1"}, resolver.Host{Address: same.Addr(), Instance: "i-1", VPC: "vpc-1"})
	if err := s.SetSnapshot(x); err != nil {
		t.Fatal(err)
	}
	unsure := unsureLabels(3)
	blocked := 0
	for i, l := range unsure[:40] {
		m := resolve(t, s, host, query(t, l+".net", mdns.TypeA))
		if m.Rcode == mdns.RcodeSuccess { // blocked: it has no data; else it does not exist
			blocked++
		} else if i > 6 {
			t.Errorf("domain %d, %s, passes", i, l)
		}
	}
	if blocked < 30 {
		t.Errorf("%d of 40 are blocked", blocked)
	}
	if m := resolve(t, s, same, query(t, unsure[0]+".net", mdns.TypeA)); m.Rcode != mdns.RcodeSuccess {
		t.Error("another address of the instance is not cut off")
	}
	if m := resolve(t, s, other, query(t, unsure[0]+".net", mdns.TypeA)); m.Rcode != mdns.RcodeNameError {
		t.Error("another client is cut off")
	}
	for _, name := range []string{"www.wikipedia.com", "github.com", "www.net"} {
		if got := brief(resolve(t, s, host, query(t, name, mdns.TypeA))); got != "NOERROR A 192.0.2.1" {
			t.Errorf("%s: %s", name, got)
		}
	}
	s.Forget(func() {})
	if m := resolve(t, s, host, query(t, unsure[0]+".net", mdns.TypeA)); m.Rcode != mdns.RcodeNameError {
		t.Error("what was seen is not forgotten")
	}
}

func TestTunnelsAreCutOff(t *testing.T) {
	for _, confidence := range []string{"LOW", "MEDIUM", "HIGH"} {
		s := start(t, resolver.Config{}, advancedOf(t, about(1, "DNS_TUNNELING", confidence, "BLOCK")))
		r := rand.New(rand.NewPCG(1, 1))
		passed, later := 0, 0
		cut := false
		for range 80 {
			name := tunneltest.Lower32(tunneltest.Octets(r, 30)) + ".t.malware.com"
			m := resolve(t, s, host, query(t, name, mdns.TypeTXT))
			switch {
			case len(m.Answer) == 0:
				cut = true
			case cut:
				later++
			default:
				passed++
			}
		}
		t.Logf("%s: %d questions pass", confidence, passed)
		if !cut || later > 0 || passed > 40 {
			t.Errorf("%s: %d pass, %d later", confidence, passed, later)
		}
		for name, want := range map[string]bool{"ping.t.malware.com": false, "t.malware.com": true, "www.malware.com": true} {
			if m := resolve(t, s, host, query(t, name, mdns.TypeA)); (len(m.Answer) > 0) != want {
				t.Errorf("%s: %s", name, brief(m))
			}
		}
	}
}

// Names answered with addresses that say "listed" are no tunnel, unless they are longer
// than what is on lists: the answer is the attacker's.
func TestAnswersCount(t *testing.T) {
	x := advancedOf(t, about(1, "DNS_TUNNELING", "LOW", "BLOCK"))
	z, err := zone.New("lists.org", []zone.Record{{Name: "*.lists.org", Type: "A", TTL: 300, Values: []string{"127.0.0.2"}}})
	if err != nil {
		t.Fatal(err)
	}
	x.Zones = append(x.Zones, resolver.Zone{Zone: z})
	s := start(t, resolver.Config{}, x)
	r := rand.New(rand.NewPCG(1, 1))
	data := func() string { return tunneltest.Lower32(tunneltest.Octets(r, 30)) }
	passes := func(name string) bool {
		return len(resolve(t, s, host, query(t, name+".lists.org", mdns.TypeA)).Answer) > 0
	}
	for i := range 100 {
		if !passes(data()) {
			t.Fatalf("question %d is blocked", i)
		}
	}
	passed := 0
	for passed < 100 && passes(data()+"."+data()) {
		passed++
	}
	if passed > 12 {
		t.Errorf("%d questions with more data pass", passed)
	}
}

// A name that exists and leads to one that does not is no domain that does not exist.
func TestDanglingAliasesAreNotMissing(t *testing.T) {
	labels := unsureLabels(1)
	for name, c := range map[string]struct {
		alias bool
		cut   bool
	}{
		"missing": {false, true},
		"alias":   {true, false},
	} {
		var records []zone.Record
		for _, l := range labels[:9] {
			if c.alias {
				records = append(records, zone.Record{Name: l + ".shop", Type: "CNAME", TTL: 300, Values: []string{"gone.net."}})
			}
		}
		records = append(records, zone.Record{Name: labels[9] + ".shop", Type: "A", TTL: 300, Values: []string{"192.0.2.1"}})
		z, err := zone.New("shop", records)
		if err != nil {
			t.Fatal(err)
		}
		x := advancedOf(t, about(1, "DGA", "HIGH", "BLOCK"))
		x.Zones = append(x.Zones, resolver.Zone{Zone: z})
		s := start(t, resolver.Config{}, x)
		for i, l := range labels[:9] {
			if m := resolve(t, s, host, query(t, l+".shop", mdns.TypeA)); m.Rcode != mdns.RcodeNameError && (c.alias || i < 5) {
				t.Errorf("%s: %s: %s", name, l, brief(m))
			}
		}
		if m := resolve(t, s, host, query(t, labels[9]+".shop", mdns.TypeA)); (len(m.Answer) == 0) != c.cut {
			t.Errorf("%s: the tenth domain: %s", name, brief(m))
		}
	}
}

// With the last Advanced rule goes what was remembered of clients for it; other rules
// that come and go change nothing.
func TestTheLastAdvancedRuleTakesItsMemoryAlong(t *testing.T) {
	rules := []resolver.Rule{about(1, "DGA", "HIGH", "BLOCK"), about(2, "DNS_TUNNELING", "LOW", "BLOCK")}
	with, without := advancedOf(t, rules...), advancedOf(t)
	s := start(t, resolver.Config{}, with)
	labels := unsureLabels(2)
	teach := func() {
		r := rand.New(rand.NewPCG(1, 1))
		for _, l := range labels[:20] {
			resolve(t, s, host, query(t, l+".net", mdns.TypeA))
			resolve(t, s, host, query(t, tunneltest.Lower32(tunneltest.Octets(r, 30))+".t.malware.com", mdns.TypeTXT))
		}
	}
	set := func(x resolver.Snapshot) {
		t.Helper()
		if err := s.SetSnapshot(x); err != nil {
			t.Fatal(err)
		}
	}
	cut := func(want bool) {
		t.Helper()
		if got := resolve(t, s, host, query(t, labels[20]+".net", mdns.TypeA)).Rcode == mdns.RcodeSuccess; got != want {
			t.Errorf("domains of letters are cut off: %v, want %v", got, want)
		}
		if got := len(resolve(t, s, host, query(t, "a.t.malware.com", mdns.TypeTXT)).Answer) == 0; got != want {
			t.Errorf("the tunnel is cut off: %v, want %v", got, want)
		}
	}
	teach()
	cut(true)
	set(advancedOf(t, append(rules, resolver.Rule{Priority: 3, Action: "ALERT", ListID: "l", List: domains(t, "a.test")})...))
	cut(true)
	set(without)
	set(with)
	cut(false)
}

// What answers a query keeps no rule, nor its list, that was replaced since.
func TestReplacedRulesAreLetGo(t *testing.T) {
	s := start(t, resolver.Config{}, snapshotOf(t))
	list := func() weak.Pointer[dns.List] {
		r := resolver.Rule{Priority: 2, Action: "ALERT", ListID: "l", List: domains(t, "a.test")}
		if err := s.SetSnapshot(advancedOf(t, about(1, "DGA", "HIGH", "BLOCK"), r)); err != nil {
			t.Fatal(err)
		}
		resolve(t, s, host, query(t, "www.wikipedia.com", mdns.TypeA))
		return weak.Make(r.List)
	}()
	if err := s.SetSnapshot(snapshotOf(t)); err != nil {
		t.Fatal(err)
	}
	resolve(t, s, host, query(t, "good.test", mdns.TypeA))
	runtime.GC() // one: the pool of what answers queries stands it
	if list.Value() != nil {
		t.Error("the list is still held")
	}
}

// With -race: queries while rules come and go.
func TestAdvancedRulesAtOnce(t *testing.T) {
	with, without := advancedOf(t, about(1, "DGA", "LOW", "BLOCK"), about(2, "DICTIONARY_DGA", "LOW", "ALERT"), about(3, "DNS_TUNNELING", "LOW", "BLOCK")), advancedOf(t)
	s := start(t, resolver.Config{}, with)
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			for i := range 400 {
				resolve(t, s, host, query(t, tunneltest.Lower32(tunneltest.Octets(r, 20))+".t.malware.com", mdns.TypeTXT))
				resolve(t, s, host, query(t, learn.Made(1, r, learn.NewMarkov(nil))[0]+".net", mdns.TypeA))
				if n == 0 && i%20 == 0 {
					x := with
					if i%40 == 0 {
						x = without
					}
					if err := s.SetSnapshot(x); err != nil {
						t.Error(err)
					}
				}
				if n == 1 && i%100 == 0 {
					s.Forget(func() {})
				}
			}
		})
	}
	all.Wait()
}

// TestConfidence prints what share of benign domains that nothing was learnt from, and of
// malware's, is blocked with each confidence: when each is asked for by another client,
// and when clients ask for 30, of which none exists. It is the table of README.md.
func TestConfidence(t *testing.T) {
	const data = "../../../shared/data/"
	read := func(path string) []string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Skip("needs " + path)
		}
		return strings.Fields(string(b))
	}
	var benign []string
	for _, l := range learn.Labels(read(data + "benign-domains.txt")) {
		if learn.Held(l) {
			benign = append(benign, l+".net")
		}
	}
	blocked := func(threat, confidence string, names []string, each int) float64 {
		r := about(1, threat, confidence, "BLOCK")
		x := advancedOf(t, r)
		x.VPCs[0].CIDRs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		s := start(t, resolver.Config{}, x)
		n := 0
		for i, name := range names {
			client := i / each
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1 + byte(client>>16), byte(client >> 8), byte(client)}), 1)
			if resolve(t, s, from, query(t, name, mdns.TypeA)).Rcode == mdns.RcodeSuccess {
				n++ // without data; what passes does not exist
			}
		}
		return float64(n) / float64(len(names))
	}
	line := func(name, threat string, names []string) (alone [3]float64) {
		r := rand.New(rand.NewPCG(1, 2))
		var many []string
		for range 3000 {
			many = append(many, names[r.IntN(len(names))])
		}
		var of30 [3]float64
		for i, c := range []string{"LOW", "MEDIUM", "HIGH"} {
			alone[i], of30[i] = blocked(threat, c, names, 1), blocked(threat, c, many, 30)
		}
		t.Logf("| %s | %d | %.4f | %.4f | %.4f | %.4f | %.4f | %.4f |", name, len(names), alone[0], alone[1], alone[2], of30[0], of30[1], of30[2])
		return alone
	}
	for threat, most := range map[string][3]float64{"DGA": {0.0105, 0.0015, 0}, "DICTIONARY_DGA": {0.0205, 0.006, 0.0015}} {
		for i, share := range line("benign, "+threat, threat, benign) {
			if share > most[i] {
				t.Errorf("%s: %.4f of benign domains", threat, share)
			}
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	words := read("../../engine/dga/testdata/everyday.txt")
	for _, parts := range []int{2, 3} {
		var names []string
		for range 3000 {
			var name string
			for range parts {
				name += words[r.IntN(len(words))]
			}
			names = append(names, name+".net")
		}
		line(fmt.Sprint(parts, " words"), "DICTIONARY_DGA", names)
	}
	files, err := filepath.Glob(data + "dga/*.txt")
	if err != nil || len(files) == 0 {
		t.Skip("no families in " + data)
	}
	for _, f := range files {
		var names []string
		for _, d := range read(f) {
			if _, l := dga.Registered(d); l != "" {
				names = append(names, l+".net")
			}
		}
		line(strings.TrimSuffix(filepath.Base(f), ".txt"), "DGA", names)
	}
}
