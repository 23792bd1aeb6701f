package exfiltration

import (
	"crypto/md5"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/engine/dns"
	"sumun.dev/finding"
)

// A question is one of a session: when, for what, and what was answered.
type question struct {
	after   time.Duration // since the one before
	name    string
	typ     string
	rcode   string
	answers []netip.Addr
}

func octets(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// labels cuts s into labels of at most size octets.
func labels(s string, size int) string {
	var out []string
	for len(s) > size {
		out, s = append(out, s[:size]), s[size:]
	}
	return strings.Join(append(out, s), ".")
}

func lower32(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func anyAddr(r *rand.Rand) []netip.Addr {
	return []netip.Addr{netip.AddrFrom4([4]byte(octets(r, 4)))}
}

var zones = []string{"t.example.net", "a.example.com", "x.example.org", "io.qzr.co", "cdn-updates.info", "n.support-desk.co.uk", "u.dyndns.org"}

// tunnels make sessions as tunnels of different designs do.
var tunnels = map[string]func(*rand.Rand) []question{
	// As iodine: a handshake, then pings of a few octets and packets, in base 32, 64
	// or 128, in names of up to a length that the handshake found.
	"packets": func(r *rand.Rand) (out []question) {
		zone, typ := pick(r, zones...), pick(r, "NULL", "TXT", "SRV", "MX", "CNAME", "A", "TYPE65399")
		room := between(r, 90, 230-len(zone))
		coding := r.IntN(3)
		for range 12 {
			out = append(out, question{time.Second, pick(r, "v", "l", "s", "o", "z") + lower32(octets(r, 6)) + "." + zone, typ, "NOERROR", nil})
		}
		for range between(r, 40, 200) {
			data := pick(r, "0", "1", "2", "3") + lower32(octets(r, 3))
			n := between(r, 20, room)
			switch coding {
			case 0:
				data += lower32(octets(r, n*5/8))
			case 1:
				data += strings.NewReplacer("/", "-", "=", "").Replace(base64.StdEncoding.EncodeToString(octets(r, n*3/4)))
			default: // raw octets; its head is among them
				data = ""
				for _, c := range octets(r, n) {
					data += fmt.Sprintf(`\%d`, 190+c%64)
				}
			}
			size := 57
			if coding == 2 {
				size = 4 * 57
			}
			q := question{time.Duration(between(r, 20, 900)) * time.Millisecond, labels(data, size) + "." + zone, typ, "NOERROR", nil}
			if typ == "A" {
				q.answers = anyAddr(r)
			}
			out = append(out, q)
			if r.IntN(2) == 0 {
				out = append(out, question{time.Second, "p" + lower32(octets(r, 4)) + "." + zone, typ, "NOERROR", q.answers})
			}
		}
		return
	},
	// As dnscat2: a shell. Packets in hexadecimal digits, those without data of nine
	// to seventeen octets, about one a second.
	"shell": func(r *rand.Rand) (out []question) {
		zone := pick(r, zones...)
		types := [][]string{{"TXT", "CNAME", "MX"}, {"TXT"}, {"CNAME"}, {"A"}, {"AAAA"}, {"MX"}}[r.IntN(6)]
		head := between(r, 9, 17)
		for range between(r, 60, 300) {
			n := head
			if r.IntN(3) == 0 {
				n += between(r, 1, 90)
			}
			q := question{time.Duration(between(r, 500, 1500)) * time.Millisecond, labels(hex.EncodeToString(octets(r, n)), 62) + "." + zone, pick(r, types...), "NOERROR", nil}
			if q.typ == "A" || q.typ == "AAAA" {
				q.answers = anyAddr(r)
			}
			out = append(out, q)
		}
		return
	},
	// As dns2tcp: a connection. A head and up to 150 octets in base 64.
	"connection": func(r *rand.Rand) (out []question) {
		zone, typ := pick(r, zones...), pick(r, "TXT", "KEY")
		for range between(r, 30, 200) {
			n := between(r, 7, 9)
			if r.IntN(2) == 0 {
				n += between(r, 10, 100)
			}
			data := strings.NewReplacer("/", "_", "=", "").Replace(base64.StdEncoding.EncodeToString(octets(r, n)))
			out = append(out, question{time.Duration(between(r, 50, 1000)) * time.Millisecond, labels(data, 62) + ".=connect." + zone, typ, "NOERROR", nil})
		}
		return
	},
	// A file that goes out in numbered pieces; nobody answers, or always the same.
	"file": func(r *rand.Rand) (out []question) {
		zone, size := pick(r, zones...), between(r, 50, 180)
		rcode := pick(r, "NXDOMAIN", "NOERROR", "SERVFAIL")
		for i := range between(r, 45, 300) {
			data := labels(lower32(octets(r, size*5/8)), 63)
			q := question{time.Duration(between(r, 20, 4000)) * time.Millisecond, fmt.Sprintf("%d.%s.%s", i, data, zone), pick(r, "A", "A", "TXT"), rcode, nil}
			if rcode == "NOERROR" && q.typ == "A" {
				q.answers = []netip.Addr{netip.MustParseAddr("203.0.113.5")}
			}
			out = append(out, q)
		}
		return
	},
}

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

func (j *judge) see(t testing.TB, at time.Time, host string, q question) {
	name, err := dns.ParseName(q.name)
	if err != nil {
		t.Fatalf("%q: %v", q.name, err)
	}
	Rule.See(&j.scene, &record.Record{
		Class: record.DNSActivity, Account: "111122223333", Time: at,
		DNS: &record.DNS{Name: name, Type: q.typ, Rcode: q.rcode, Instance: host, Source: netip.MustParseAddr("10.0.0.7"), Addresses: q.answers},
	})
}

var start = time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

func TestTunnelsAreFound(t *testing.T) {
	const sessions = 200
	for _, kind := range []string{"packets", "shell", "connection", "file"} {
		found := 0
		for i := range sessions {
			r := rand.New(rand.NewPCG(uint64(i), 77))
			j, at := newJudge(), start
			session := tunnels[kind](r)
			for _, q := range session {
				at = at.Add(q.after)
				j.see(t, at, "i-1", q)
			}
			if len(j.found) > 0 {
				found++
			} else {
				t.Logf("%s %d: not found: %d questions as %s %s", kind, i, len(session), session[len(session)-1].typ, session[len(session)-1].name)
			}
		}
		t.Logf("%s: %d of %d sessions are found", kind, found, sessions)
		if found < sessions*95/100 {
			t.Errorf("%s: %d of %d sessions", kind, found, sessions)
		}
	}
}

// ordinary makes questions that hosts ask without anything being wrong, among them
// many with long names that nobody chose.
var ordinary = []func(*rand.Rand) question{
	func(r *rand.Rand) question {
		return question{0, pick(r, "www", "api", "login", "static") + "." + pick(r, "example.com", "example.net", "debian.org", "github.com") + "", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // a content network's
		return question{0, "d" + hex.EncodeToString(octets(r, 7))[:13] + ".cloudfront.net", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // one's own bucket of users' content
		return question{0, hex.EncodeToString(octets(r, 5)) + ".usercontent.example.com", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // a virus scanner's
		sum := md5.Sum(octets(r, 4))
		q := question{0, hex.EncodeToString(sum[:]) + ".avqs.example.net", "A", "NXDOMAIN", nil}
		if r.IntN(4) == 0 {
			q.rcode, q.answers = "NOERROR", []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, byte(r.IntN(9))})}
		}
		return q
	},
	func(r *rand.Rand) question { // a mail filter's
		return question{0, lower32(octets(r, 20)) + "._email.hbl.example.org", "A", "NXDOMAIN", nil}
	},
	func(r *rand.Rand) question {
		return question{0, fmt.Sprintf("%d.%d.%d.%d.zen.example.org", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256)), pick(r, "A", "TXT"), "NXDOMAIN", nil}
	},
	func(r *rand.Rand) question { // keys of mail
		return question{0, fmt.Sprintf("selector%d._domainkey.customer-%d.com", r.IntN(3), r.IntN(5000)), "TXT", "NOERROR", nil}
	},
	func(r *rand.Rand) question {
		return question{0, hex.EncodeToString(octets(r, 10)) + "._domainkey.customer-" + fmt.Sprint(r.IntN(5000)) + ".com", "CNAME", "NOERROR", nil}
	},
	func(r *rand.Rand) question { // telemetry with a UUID
		x := hex.EncodeToString(octets(r, 16))
		return question{0, x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:] + ".telemetry.example.com", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // reverse zones
		return question{0, strings.Join(strings.Split(hex.EncodeToString(octets(r, 16)), ""), ".") + ".ip6.arpa", "PTR", "NXDOMAIN", nil}
	},
	func(r *rand.Rand) question {
		return question{0, fmt.Sprintf("shop-%d.c%s.eu-west-1.rds.amazonaws.com", r.IntN(9), hex.EncodeToString(octets(r, 6))), "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // load balancers
		return question{0, fmt.Sprintf("internal-k8s-web-%s-%d.eu-west-1.elb.amazonaws.com", hex.EncodeToString(octets(r, 5)), r.IntN(1e9)), "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // video
		return question{0, fmt.Sprintf("rr%d---sn-%s.video.example.com", r.IntN(9), lower32(octets(r, 5))), "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // a cluster's search list
		return question{0, "payments-backend-service.production.svc.cluster.local", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // certificates
		return question{0, "_acme-challenge." + pick(r, "www", "api", "mail") + fmt.Sprintf(".customer-%d.com", r.IntN(5000)), "TXT", "NOERROR", nil}
	},
	func(r *rand.Rand) question {
		return question{0, "_" + hex.EncodeToString(octets(r, 16)) + fmt.Sprintf(".www.customer-%d.com", r.IntN(5000)), "CNAME", "NOERROR", nil}
	},
	func(r *rand.Rand) question { // advertising: a frame of its own for each page
		return question{0, hex.EncodeToString(octets(r, 16)) + ".safeframe.example.com", "A", "NOERROR", []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	},
	func(r *rand.Rand) question { // preview of each build
		return question{0, fmt.Sprintf("feature-%s-%d.preview.example.com", pick(r, "login-page-redesign", "new-invoice-export", "faster-search-results"), r.IntN(900)), "A", "NOERROR", []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	},
	func(r *rand.Rand) question { // a scanner's, by SHA-256 in two parts
		return question{0, hex.EncodeToString(octets(r, 16)) + "." + hex.EncodeToString(octets(r, 16)) + ".files.example.net", "TXT", "NXDOMAIN", nil}
	},
	func(r *rand.Rand) question { // a reputation in base 36
		return question{0, strings.ToLower(fmt.Sprintf("%s%s", lower32(octets(r, 15)), "09")) + ".rep.example.org", "A", "NOERROR", []netip.Addr{netip.AddrFrom4([4]byte{127, 1, byte(r.IntN(9)), 2})}}
	},
	func(r *rand.Rand) question { // a machine of a content network, each with an address
		return question{0, "edge-" + hex.EncodeToString(octets(r, 12)) + ".net.example.com", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) question { // tenants
		return question{0, fmt.Sprintf("tenant-%s.app.example.net", hex.EncodeToString(octets(r, 4))), "A", "NOERROR", anyAddr(r)}
	},
}

func TestOrdinaryQuestionsAreQuiet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	j, at := newJudge(), start
	const all = 200_000
	for range all {
		at = at.Add(time.Duration(r.IntN(200)) * time.Millisecond)
		host := fmt.Sprintf("i-%d", r.IntN(40))
		kind := r.IntN(3 * len(ordinary)) // two of three are plain
		if kind >= len(ordinary) {
			kind = 0
		}
		j.see(t, at, host, ordinary[kind](r))
	}
	if len(j.found) > all/100_000 {
		t.Errorf("%d alarms in %d questions; the first: %s", len(j.found), all, j.found[0].DNS.Domain)
	}
}

// One kind at a time by one host, as a mail server or a scanner asks.
func TestManyOrdinaryQuestionsOfOneKindAreQuiet(t *testing.T) {
	for i, make := range ordinary {
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
	session := tunnels["shell"](rand.New(rand.NewPCG(9, 77)))
	whole, parts := newJudge(), newJudge()
	at := start
	for i, q := range session {
		at = at.Add(q.after)
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
		j.see(t, start, fmt.Sprint("i-", i), question{0, lower32(octets(r, 30)) + ".t.example.com", "TXT", "NOERROR", nil})
	}
	if n := j.scene.State.(*state).Len(); n != maxZones {
		t.Errorf("%d are remembered", n)
	}
	for range 1000 {
		j.see(t, start, "i-x", question{0, hex.EncodeToString(octets(r, 9)) + ".t.example.com", "A", "NOERROR", nil})
	}
	if n := len(j.scene.State.(*state).At("i-x\x00example.com").Names); n > kept {
		t.Errorf("%d names are remembered", n)
	}
}

func FuzzCarried(f *testing.F) {
	for _, s := range []string{"", ".", "a.b", "com", strings.Repeat("q9x7", 15) + ".t.example.com", `\255\000\046.x.net`, "550e8400-e29b-41d4-a716-446655440000.example.com"} {
		f.Add(s, "TXT")
		f.Add(s, "NULL")
	}
	f.Fuzz(func(t *testing.T, domain, typ string) {
		name, err := dns.ParseName(domain)
		if err != nil {
			return
		}
		shown := (&record.DNS{Name: name}).Domain()
		registered, sub, octets := carried(shown, kindOf(typ))
		if octets > 0 && sub+"."+registered != shown || octets > len(shown) {
			t.Errorf("%q: %q below %q, %d octets", shown, sub, registered, octets)
		}
	})
}
