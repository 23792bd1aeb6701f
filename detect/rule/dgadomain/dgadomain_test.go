package dgadomain

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/detect/window"
	"sumun.dev/engine/dga/learn"
	"sumun.dev/engine/dns"
	"sumun.dev/finding"
)

const data = "../../../../shared/data/"

type judge struct {
	scene rule.Scene
	found []finding.Suspicion
}

func newJudge() *judge {
	j := &judge{}
	j.scene = rule.Scene{State: Rule.State(), Report: func(s finding.Suspicion) { j.found = append(j.found, s) }}
	return j
}

func (j *judge) see(t testing.TB, at time.Time, host, domain, rcode string) {
	name, err := dns.ParseName(domain)
	if err != nil {
		t.Fatal(err)
	}
	j.scene.Shared = nil
	if r := (&record.Record{
		Class: record.DNSActivity, Account: "111122223333", Time: at,
		DNS: &record.DNS{Name: name, Type: "A", Rcode: rcode, Instance: host, Source: netip.MustParseAddr("10.0.0.7")},
	}); Rule.Concerns(&j.scene, r) {
		Rule.See(&j.scene, r)
	}
}

var start = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

// made has names of generators of our own.
func made(r *rand.Rand, n int) []string {
	names := learn.Made(n, r, learn.NewMarkov([]string{"example", "testing", "ordinary", "harbour"}))
	for i := range names {
		names[i] += [...]string{".com", ".net", ".info", ".cc"}[r.IntN(4)]
	}
	return names
}

// What is written down and read back in mid-stream judges as what was not.
func TestStateStandsARestart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	whole, parts, at := newJudge(), newJudge(), start
	for i, d := range made(r, 300) {
		at = at.Add(time.Minute)
		rcode := [...]string{"NXDOMAIN", "NOERROR"}[r.IntN(2)]
		host := fmt.Sprint("i-", i%3)
		whole.see(t, at, host, d, rcode)
		parts.see(t, at, host, d, rcode)
		if i%11 == 0 {
			b, err := parts.scene.State.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			again := Rule.State()
			if err := again.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			parts.scene.State = again
		}
	}
	if len(whole.found) < 5 || !reflect.DeepEqual(whole.found, parts.found) {
		t.Errorf("%d suspicions, %d with restarts", len(whole.found), len(parts.found))
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	j := newJudge()
	for i := range maxHosts + 100 {
		j.see(t, start, fmt.Sprint("i-", i), "example.com", "NOERROR")
	}
	if n := j.scene.State.(*window.Keep[string, host]).Len(); n != maxHosts {
		t.Errorf("%d hosts are remembered", n)
	}
	for i := range 1000 {
		j.see(t, start, "i-1", fmt.Sprintf("harbour-%d-%d.com", i, r.IntN(9)), "NXDOMAIN")
	}
	if h := j.scene.State.(*window.Keep[string, host]).At("i-1"); len(h.All) > kept || len(h.Missing) > kept {
		t.Errorf("%d and %d domains are remembered", len(h.All), len(h.Missing))
	}
}

// Hosts that ask for well-known services only, many of them for names that do not
// exist any more, are quiet, in 100,000 questions.
func TestOrdinaryQuestionsAreQuiet(t *testing.T) {
	b, err := os.ReadFile(data + "benign-domains.txt")
	if os.IsNotExist(err) {
		t.Skip("needs " + data + "benign-domains.txt")
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range strings.Fields(string(b)) {
		if strings.Contains(d, ".") && learn.Held(strings.Split(d, ".")[0]) {
			names = append(names, d)
		}
	}
	r := rand.New(rand.NewPCG(3, 1))
	j, at := newJudge(), start
	for range 100_000 {
		at = at.Add(time.Duration(r.IntN(2000)) * time.Millisecond)
		rcode := "NOERROR"
		if r.IntN(10) == 0 {
			rcode = "NXDOMAIN"
		}
		j.see(t, at, fmt.Sprint("i-", r.IntN(50)), [...]string{"", "www.", "x1."}[r.IntN(3)]+names[r.IntN(len(names))], rcode)
	}
	if len(j.found) > 1 {
		t.Errorf("%d alarms in 100,000 questions; evidence of the first: %+v", len(j.found), j.found[0].Evidence)
	}
}

// An algorithm that puts words together is found by how many of its names do not exist.
func TestBurstsOfWordsAreFound(t *testing.T) {
	words := strings.Fields("river stone garden winter yellow market bridge paper silver window forest travel kitchen summer doctor orange button castle")
	r := rand.New(rand.NewPCG(8, 1))
	word := func() string { return words[r.IntN(len(words))] }
	j, at := newJudge(), start
	for i := range 60 {
		at = at.Add(10 * time.Second)
		j.see(t, at, "i-1", word()+word()+word()+".net", "NXDOMAIN")
		j.see(t, at, "i-2", word()+word()+word()+".net", [...]string{"NXDOMAIN", "NOERROR", "NOERROR", "NOERROR"}[i%4]) // a crawler
	}
	if len(j.found) == 0 || j.found[0].Severity != medium || len(j.found[0].Evidence) < burst {
		t.Errorf("%+v", j.found)
	}
	for _, s := range j.found {
		if s.Instance.ID != "i-1" {
			t.Errorf("%s is found", s.Instance.ID)
		}
	}
}

// Infected hosts also do their work: nine of ten questions are for names of people.
// Families of words are not expected to be found.
func TestFamiliesAreFoundAmongOrdinaryQuestions(t *testing.T) {
	files, _ := filepath.Glob(data + "dga/*.txt")
	if len(files) == 0 {
		t.Skip("needs " + data + "dga")
	}
	hosts, found := 0, 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		domains := slices.DeleteFunc(strings.Fields(string(b)), func(d string) bool { return strings.Contains(d, "..") }) // one has an empty label
		if filepath.Base(f) == "gozi.txt" || len(domains) < 5 {
			continue
		}
		r := rand.New(rand.NewPCG(4, 1))
		of := 0
		for i := range 50 {
			j, at := newJudge(), start
			for q := range 300 {
				at = at.Add(3 * time.Second)
				if q%10 == 0 {
					j.see(t, at, "i-1", domains[r.IntN(len(domains))], "NXDOMAIN")
				} else {
					j.see(t, at, "i-1", fmt.Sprintf("www.%s%d.com", [...]string{"bakery", "harbour", "insurance", "newspaper"}[r.IntN(4)], i), "NOERROR")
				}
			}
			if len(j.found) > 0 {
				of++
			}
		}
		hosts, found = hosts+50, found+of
		t.Logf("%s: %d of 50 hosts", filepath.Base(f), of)
	}
	if found < hosts*95/100 {
		t.Errorf("%d of %d hosts are found", found, hosts)
	}
}
