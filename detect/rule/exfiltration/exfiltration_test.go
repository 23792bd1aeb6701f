package exfiltration

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/engine/dns"
	"sumun.dev/engine/tunnel"
	"sumun.dev/engine/tunnel/tunneltest"
	"sumun.dev/finding"
)

// a judge lets the rule see records, and counts what it reports.
type judge struct {
	scene rule.Scene
	found []finding.Suspicion
}

func newJudge() *judge {
	j := &judge{}
	j.scene = rule.Scene{State: Rule.State(), Report: func(s finding.Suspicion) { j.found = append(j.found, s) }}
	return j
}

func (j *judge) see(t testing.TB, at time.Time, host string, q tunneltest.Question) {
	name, err := dns.ParseName(q.Name)
	if err != nil {
		t.Fatalf("%q: %v", q.Name, err)
	}
	j.scene.Shared = nil
	if r := (&record.Record{
		Class: record.DNSActivity, Account: "111122223333", Time: at,
		DNS: &record.DNS{Name: name, Type: q.Type, Rcode: q.Rcode, Instance: host, Source: netip.MustParseAddr("10.0.0.7"), Addresses: q.Answers},
	}); Rule.Concerns(&j.scene, r) {
		Rule.See(&j.scene, r)
	}
}

var start = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

func TestTunnelsAreFound(t *testing.T) {
	const sessions = 200
	for _, kind := range []string{"packets", "shell", "connection", "file"} {
		found := 0
		for i := range sessions {
			r := rand.New(rand.NewPCG(uint64(i), 77))
			j, at := newJudge(), start
			session := tunneltest.Tunnels[kind](r)
			for _, q := range session {
				at = at.Add(q.After)
				j.see(t, at, "i-1", q)
			}
			if len(j.found) > 0 {
				found++
			} else {
				t.Logf("%s %d: not found: %d questions as %s %s", kind, i, len(session), session[len(session)-1].Type, session[len(session)-1].Name)
			}
		}
		t.Logf("%s: %d of %d sessions are found", kind, found, sessions)
		if found < sessions*95/100 {
			t.Errorf("%s: %d of %d sessions", kind, found, sessions)
		}
	}
}

func TestOrdinaryQuestionsAreQuiet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	j, at := newJudge(), start
	const all = 200_000
	for range all {
		at = at.Add(time.Duration(r.IntN(200)) * time.Millisecond)
		host := fmt.Sprintf("i-%d", r.IntN(40))
		kind := r.IntN(3 * len(tunneltest.Ordinary)) // two of three are plain
		if kind >= len(tunneltest.Ordinary) {
			kind = 0
		}
		j.see(t, at, host, tunneltest.Ordinary[kind](r))
	}
	if len(j.found) > all/100_000 {
		t.Errorf("%d alarms in %d questions; the first: %s", len(j.found), all, j.found[0].DNS.Domain)
	}
}

// One kind at a time by one host, as a mail server or a scanner asks.
func TestManyOrdinaryQuestionsOfOneKindAreQuiet(t *testing.T) {
	for i, make := range tunneltest.Ordinary {
		r := rand.New(rand.NewPCG(6, uint64(i)))
		j, at := newJudge(), start
		for range 2000 {
			at = at.Add(500 * time.Millisecond)
			j.see(t, at, "i-1", make(r))
		}
		if len(j.found) > 0 {
			t.Errorf("%d alarms; the first: %s", len(j.found), j.found[0].DNS.Domain)
		}
	}
}

// What is written down and read back in mid-stream judges as what was not.
func TestStateStandsARestart(t *testing.T) {
	session := tunneltest.Tunnels["shell"](rand.New(rand.NewPCG(9, 77)))
	whole, parts := newJudge(), newJudge()
	at := start
	for i, q := range session {
		at = at.Add(q.After)
		whole.see(t, at, "i-1", q)
		parts.see(t, at, "i-1", q)
		if i%7 == 0 {
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
	if len(whole.found) == 0 || !reflect.DeepEqual(whole.found, parts.found) {
		t.Errorf("%d suspicions, %d with restarts", len(whole.found), len(parts.found))
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	j, r := newJudge(), rand.New(rand.NewPCG(1, 9))
	for i := range maxZones + 100 {
		j.see(t, start, fmt.Sprint("i-", i), tunneltest.Question{Name: tunneltest.Lower32(tunneltest.Octets(r, 30)) + ".t.example.com", Type: "TXT", Rcode: "NOERROR"})
	}
	if n := j.scene.State.(*state).Len(); n != maxZones {
		t.Errorf("%d are remembered", n)
	}
	for range 1000 {
		j.see(t, start, "i-x", tunneltest.Question{Name: hex.EncodeToString(tunneltest.Octets(r, 9)) + ".t.example.com", Type: "A", Rcode: "NOERROR"})
	}
	if n := len(j.scene.State.(*state).At("i-x\x00example.com").Names); n > tunnel.Kept {
		t.Errorf("%d names are remembered", n)
	}
}

// What one host alone asks below a domain that answers all alike carries data, though
// every name looks like a look-up; where another host asks too, or what is asked for
// exists now and then, things are looked up.
func TestLookupsOfOneHost(t *testing.T) {
	for _, c := range []struct {
		name  string
		other bool   // another host asks, too
		rcode string // of every fourth name
		want  int
	}{
		{"alone", false, "NXDOMAIN", 1},
		{"another host", true, "NXDOMAIN", 0},
		{"some exist", false, "NOERROR", 0},
	} {
		j, r, at := newJudge(), rand.New(rand.NewPCG(7, 7)), start
		ask := func(host, rcode string) {
			at = at.Add(20 * time.Second)
			j.see(t, at, host, tunneltest.Question{Name: tunneltest.Lower32(tunneltest.Octets(r, 25)) + ".q.example.org", Type: "A", Rcode: rcode})
		}
		if c.other {
			ask("i-2", "NXDOMAIN")
		}
		for i := range 100 {
			rcode := "NXDOMAIN"
			if i%4 == 0 {
				rcode = c.rcode
			}
			ask("i-1", rcode)
		}
		if len(j.found) != c.want {
			t.Errorf("%s: %d findings", c.name, len(j.found))
		}
	}
}
