package tunnel_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
	"sumun.dev/engine/tunnel"
	"sumun.dev/engine/tunnel/tunneltest"
)

var (
	start   = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	address = netip.MustParseAddr("10.0.0.7")
)

func typeOf(s string) uint16 {
	if t, ok := mdns.StringToType[s]; ok {
		return t
	}
	return 65399
}

// ask asks as the firewall does, and tells what was answered when that is let through.
func ask(t testing.TB, w *tunnel.Watch, client uint64, at time.Time, q tunneltest.Question) tunnel.Level {
	t.Helper()
	n, err := dns.ParseName(q.Name)
	if err != nil {
		t.Fatal(err)
	}
	level, seen := w.Ask(client, n, typeOf(q.Type), at)
	if len(q.Answers) > 0 {
		w.Answered(seen, q.Answers[0])
	}
	return level
}

func newWatch() (*tunnel.Watch, uint64) { return tunnel.NewWatch(16 << 20), 7 }

// TestSessionsAreCutOff prints, for each level, what share of tunnels is cut off, and
// how much they carry before: the table of README.md.
func TestSessionsAreCutOff(t *testing.T) {
	const sessions = 80
	for _, kind := range []string{"packets", "shell", "connection", "file"} {
		for level, least := range map[tunnel.Level]float64{tunnel.Low: 0.99, tunnel.Medium: 0.95, tunnel.High: 0.85} {
			cut, before, octets, later := 0, 0, 0, 0
			for i := range sessions {
				w, client := newWatch()
				at, done := start, false
				for _, q := range tunneltest.Tunnels[kind](rand.New(rand.NewPCG(uint64(i), 77))) {
					at = at.Add(q.After)
					sure := ask(t, w, client, at, q) >= level
					switch {
					case sure && !done:
						cut++
						done = true
					case done && !sure:
						later++
					}
					if !done {
						before++
						octets += len(q.Name)
					}
				}
			}
			t.Logf("%-10s level %d: %.3f cut off, after %d names and %d octets in the mean; %d names passed later", kind, level, float64(cut)/sessions, before/sessions, octets/sessions, later)
			if float64(cut)/sessions < least {
				t.Errorf("%s: %d of %d sessions are cut off at level %d", kind, cut, sessions, level)
			}
			if later > 0 {
				t.Errorf("%s: %d questions pass a tunnel that was cut off", kind, later)
			}
		}
	}
}

// TestOrdinaryQuestions prints how many questions of hosts that do nothing wrong meet
// each level.
func TestOrdinaryQuestions(t *testing.T) {
	const all, hosts = 200_000, 40
	var met [4]int
	r := rand.New(rand.NewPCG(5, 5))
	w, _ := newWatch()
	at := start
	for range all {
		at = at.Add(time.Duration(r.IntN(200)) * time.Millisecond)
		kind := r.IntN(3 * len(tunneltest.Ordinary)) // two of three are plain
		if kind >= len(tunneltest.Ordinary) {
			kind = 0
		}
		client := uint64(r.IntN(hosts))
		level := ask(t, w, client, at, tunneltest.Ordinary[kind](r))
		for l := tunnel.Low; l <= level; l++ {
			met[l]++
		}
	}
	t.Logf("of %d questions of %d hosts, %d meet Low, %d Medium, %d High", all, hosts, met[tunnel.Low], met[tunnel.Medium], met[tunnel.High])
	if met[tunnel.Medium] > 2 || met[tunnel.High] > 0 {
		t.Error("too many")
	}
	for i, make := range tunneltest.Ordinary {
		r := rand.New(rand.NewPCG(6, uint64(i)))
		w, client := newWatch()
		var met [4]int
		at, name := start, ""
		for range 2000 {
			at = at.Add(500 * time.Millisecond)
			q := make(r)
			if level := ask(t, w, client, at, q); level > tunnel.None {
				name = q.Name
				for l := tunnel.Low; l <= level; l++ {
					met[l]++
				}
			}
		}
		if met[tunnel.Low] > 0 {
			t.Logf("kind %d alone: %v: %s", i, met, name)
		}
		if met[tunnel.Medium] > 0 {
			t.Errorf("kind %d", i)
		}
	}
}

func TestWhatATunnelMeans(t *testing.T) {
	w, client := newWatch()
	r := rand.New(rand.NewPCG(1, 2))
	at := start
	one := func(client uint64, name, typ string) tunnel.Level {
		return ask(t, w, client, at, tunneltest.Question{Name: name, Type: typ})
	}
	data := func() string { return tunneltest.Lower32(tunneltest.Octets(r, 30)) }
	n := 0
	for ; one(client, data()+".t.example.com", "TXT") < tunnel.High; n++ {
		if n > 100 {
			t.Fatal("nothing is found")
		}
	}
	for _, c := range []struct {
		name string
		want bool
	}{
		{"short.t.example.com", true}, // a reply's way in is closed too
		{"a.b.t.example.com", true},
		{"t.example.com", false}, {"www.example.com", false}, {"example.com", false}, {"t.example.net", false},
	} {
		if got := one(client, c.name, "A") == tunnel.High; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if one(client+1, "short.t.example.com", "TXT") > 0 || one(client+64, "short.t.example.com", "TXT") > 0 {
		t.Error("other clients are cut off")
	}
	at = at.Add(59 * time.Minute)
	if one(client, "short.t.example.com", "A") != tunnel.High {
		t.Error("forgotten too early")
	}
	at = at.Add(59 * time.Minute)
	if one(client, "short.t.example.com", "A") != tunnel.High {
		t.Error("a tunnel in use is forgotten")
	}
	at = at.Add(61 * time.Minute)
	if one(client, "short.t.example.com", "A") != tunnel.None {
		t.Error("a tunnel is not forgotten")
	}
	for one(client, data()+".t.example.com", "TXT") < tunnel.High {
	}
	w.Forget()
	if one(client, "short.t.example.com", "A") != tunnel.None || one(client, data()+".t.example.com", "TXT") != tunnel.None {
		t.Error("not all is forgotten")
	}
}

// The same question again, as a host asks that gets no answer, carries nothing more.
func TestRepetitionIsNoTunnel(t *testing.T) {
	w, client := newWatch()
	q := tunneltest.Question{Name: strings.Repeat("q9x7", 15) + ".t.example.com", Type: "TXT"}
	for i := range 1000 {
		if ask(t, w, client, start.Add(time.Duration(i)*time.Second), q) > tunnel.None {
			t.Fatalf("question %d", i)
		}
	}
}

// Clients that ask for names below ever other domains do not fill the memory.
func TestMemoryIsBounded(t *testing.T) {
	w := tunnel.NewWatch(1 << 20)
	r := rand.New(rand.NewPCG(1, 9))
	for i := range 40_000 {
		ask(t, w, uint64(i), start, tunneltest.Question{Name: tunneltest.Lower32(tunneltest.Octets(r, 30)) + fmt.Sprintf(".d%d.com", i), Type: "TXT"})
	}
	if held := w.Held(); held > 1<<20 {
		t.Errorf("%d bytes are held", held)
	}
	const client = 5
	for i := range 100_000 { // as many tunnels of one client as it likes
		ask(t, w, client, start, tunneltest.Question{Name: fmt.Sprintf("abcde%d.d%d.com", i, i/5), Type: "NULL"})
	}
	if held := w.Held(); held > 3<<20 {
		t.Errorf("%d bytes are held", held)
	}
}

// With -race: many clients at once, answers, and a watch that forgets.
func TestAtOnce(t *testing.T) {
	w := tunnel.NewWatch(1 << 18)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			for i := range 3000 {
				client := uint64(r.IntN(9))
				ask(t, w, client, start, tunneltest.Ordinary[r.IntN(len(tunneltest.Ordinary))](r))
				ask(t, w, client, start, tunneltest.Question{Name: tunneltest.Lower32(tunneltest.Octets(r, 30)) + ".t.example.com", Type: "TXT"})
				if i%1000 == 999 {
					w.Forget()
				}
			}
		})
	}
	all.Wait()
}

func FuzzCarried(f *testing.F) {
	for _, s := range []string{"", ".", "a.b", "com", strings.Repeat("q9x7", 15) + ".t.example.com", `\255\000\046.x.net`, `a\.b\.ccccccc.x.net`, "550e8400-e29b-41d4-a716-446655440000.example.com"} {
		f.Add(s, uint16(16))
		f.Add(s, uint16(10))
	}
	w, client := newWatch()
	f.Fuzz(func(t *testing.T, domain string, typ uint16) {
		name, err := dns.ParseName(domain)
		if err != nil {
			return
		}
		shown := strings.TrimSuffix(name.String(), ".")
		registered, sub, octets := tunnel.Carried(shown, tunnel.KindOfType(typ))
		if octets > 0 && sub+"."+registered != shown || octets > len(shown) {
			t.Errorf("%q: %q below %q, %d octets", shown, sub, registered, octets)
		}
		for range 2 {
			_, seen := w.Ask(client, name, typ, start)
			w.Answered(seen, address)
		}
	})
}

func BenchmarkAsk(b *testing.B) {
	for _, name := range []string{"www.example.com", "d111111abcdef8k2.cloudfront.net", "550e8400-e29b-41d4-a716-446655440000.example.com", strings.Repeat("q9x7", 15) + ".t.example.com"} {
		b.Run(name, func(b *testing.B) {
			w, client := newWatch()
			n, err := dns.ParseName(name)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				w.Ask(client, n, 1, start)
			}
		})
	}
}

// Dots may stand in labels. They neither hide data, nor do they make of one label two
// that somebody registered: then the names would have no mouth but all of com.
func TestDotsInLabelsHideNothing(t *testing.T) {
	ordinary, err := dns.ParseName("www.wikipedia.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		after string // the data, in its label
		below string
		sure  tunnel.Level
	}{
		"at the end":     {".", "\x04evil\x03com\x00", tunnel.High},
		"in the middle":  {".zz", "\x04evil\x03com\x00", tunnel.High},
		"of the top one": {".evil", "\x03com\x00", tunnel.None}, // names that com would have to have
	} {
		for _, typ := range []string{"TXT", "NULL"} {
			w, client := newWatch()
			r := rand.New(rand.NewPCG(1, 1))
			sure := tunnel.None
			for i := range 60 {
				label := tunneltest.Lower32(tunneltest.Octets(r, 30)) + c.after
				n := append(dns.Name{byte(len(label))}, label+c.below...)
				if _, _, octets := tunnel.Carried(strings.TrimSuffix(n.String(), "."), tunnel.KindOf(typ)); (octets > 0) != (c.sure > tunnel.None) {
					t.Fatalf("%s: %s carries %d octets", name, n, octets)
				}
				level, _ := w.Ask(client, n, typeOf(typ), start.Add(time.Duration(i)*time.Second))
				sure = max(sure, level)
			}
			if sure != c.sure {
				t.Errorf("%s, %s: level %d, want %d", name, typ, sure, c.sure)
			}
			if level, _ := w.Ask(client, ordinary, mdns.TypeA, start.Add(time.Minute)); level != tunnel.None {
				t.Errorf("%s, %s: %s is cut off, too", name, typ, ordinary)
			}
		}
	}
}
