// Package tunneltest makes up questions of tunnels through DNS, and of hosts that do nothing wrong.
package tunneltest

import (
	"crypto/md5"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// A Question is one of a session: when, for what, and what was answered.
type Question struct {
	After   time.Duration // since the one before
	Name    string
	Type    string
	Rcode   string
	Answers []netip.Addr
}

// Octets returns n random octets.
func Octets(r *rand.Rand, n int) []byte {
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

// Lower32 spells octets in base32, in lower case.
func Lower32(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func anyAddr(r *rand.Rand) []netip.Addr {
	return []netip.Addr{netip.AddrFrom4([4]byte(Octets(r, 4)))}
}

var zones = []string{"t.example.net", "a.example.com", "x.example.org", "io.qzr.co", "cdn-updates.info", "n.support-desk.co.uk", "u.dyndns.org"}

// Tunnels make sessions as tunnels of different designs do.
var Tunnels = map[string]func(*rand.Rand) []Question{
	// As iodine: a handshake, then pings of a few octets and packets, in base 32, 64
	// or 128, in names of up to a length that the handshake found.
	"packets": func(r *rand.Rand) (out []Question) {
		zone, typ := pick(r, zones...), pick(r, "NULL", "TXT", "SRV", "MX", "CNAME", "A", "TYPE65399")
		room := between(r, 90, 230-len(zone))
		coding := r.IntN(3)
		for range 12 {
			out = append(out, Question{time.Second, pick(r, "v", "l", "s", "o", "z") + Lower32(Octets(r, 6)) + "." + zone, typ, "NOERROR", nil})
		}
		for range between(r, 40, 200) {
			data := pick(r, "0", "1", "2", "3") + Lower32(Octets(r, 3))
			n := between(r, 20, room)
			switch coding {
			case 0:
				data += Lower32(Octets(r, n*5/8))
			case 1:
				data += strings.NewReplacer("/", "-", "=", "").Replace(base64.StdEncoding.EncodeToString(Octets(r, n*3/4)))
			default: // raw octets; its head is among them
				data = ""
				for _, c := range Octets(r, n) {
					data += fmt.Sprintf(`\%d`, 190+c%64)
				}
			}
			size := 57
			if coding == 2 {
				size = 4 * 57
			}
			q := Question{time.Duration(between(r, 20, 900)) * time.Millisecond, labels(data, size) + "." + zone, typ, "NOERROR", nil}
			if typ == "A" {
				q.Answers = anyAddr(r)
			}
			out = append(out, q)
			if r.IntN(2) == 0 {
				out = append(out, Question{time.Second, "p" + Lower32(Octets(r, 4)) + "." + zone, typ, "NOERROR", q.Answers})
			}
		}
		return
	},
	// As dnscat2: a shell. Packets in hexadecimal digits, those without data of nine
	// to seventeen octets, about one a second.
	"shell": func(r *rand.Rand) (out []Question) {
		zone := pick(r, zones...)
		types := [][]string{{"TXT", "CNAME", "MX"}, {"TXT"}, {"CNAME"}, {"A"}, {"AAAA"}, {"MX"}}[r.IntN(6)]
		head := between(r, 9, 17)
		for range between(r, 60, 300) {
			n := head
			if r.IntN(3) == 0 {
				n += between(r, 1, 90)
			}
			q := Question{time.Duration(between(r, 500, 1500)) * time.Millisecond, labels(hex.EncodeToString(Octets(r, n)), 62) + "." + zone, pick(r, types...), "NOERROR", nil}
			if q.Type == "A" || q.Type == "AAAA" {
				q.Answers = anyAddr(r)
			}
			out = append(out, q)
		}
		return
	},
	// As dns2tcp: a connection. A head and up to 150 octets in base 64.
	"connection": func(r *rand.Rand) (out []Question) {
		zone, typ := pick(r, zones...), pick(r, "TXT", "KEY")
		for range between(r, 30, 200) {
			n := between(r, 7, 9)
			if r.IntN(2) == 0 {
				n += between(r, 10, 100)
			}
			data := strings.NewReplacer("/", "_", "=", "").Replace(base64.StdEncoding.EncodeToString(Octets(r, n)))
			out = append(out, Question{time.Duration(between(r, 50, 1000)) * time.Millisecond, labels(data, 62) + ".=connect." + zone, typ, "NOERROR", nil})
		}
		return
	},
	// A file that goes out in numbered pieces; nobody answers, or always the same.
	"file": func(r *rand.Rand) (out []Question) {
		zone, size := pick(r, zones...), between(r, 50, 180)
		rcode := pick(r, "NXDOMAIN", "NOERROR", "SERVFAIL")
		for i := range between(r, 45, 300) {
			data := labels(Lower32(Octets(r, size*5/8)), 63)
			q := Question{time.Duration(between(r, 20, 4000)) * time.Millisecond, fmt.Sprintf("%d.%s.%s", i, data, zone), pick(r, "A", "A", "TXT"), rcode, nil}
			if rcode == "NOERROR" && q.Type == "A" {
				q.Answers = []netip.Addr{netip.MustParseAddr("203.0.113.5")}
			}
			out = append(out, q)
		}
		return
	},
}

// Ordinary makes questions that hosts ask without anything being wrong, among them
// many with long names that nobody chose.
var Ordinary = []func(*rand.Rand) Question{
	func(r *rand.Rand) Question {
		return Question{0, pick(r, "www", "api", "login", "static") + "." + pick(r, "example.com", "example.net", "debian.org", "github.com") + "", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // a content network's
		return Question{0, "d" + hex.EncodeToString(Octets(r, 7))[:13] + ".cloudfront.net", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // one's own bucket of users' content
		return Question{0, hex.EncodeToString(Octets(r, 5)) + ".usercontent.example.com", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // a virus scanner's
		sum := md5.Sum(Octets(r, 4))
		q := Question{0, hex.EncodeToString(sum[:]) + ".avqs.example.net", "A", "NXDOMAIN", nil}
		if r.IntN(4) == 0 {
			q.Rcode, q.Answers = "NOERROR", []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, byte(r.IntN(9))})}
		}
		return q
	},
	func(r *rand.Rand) Question { // a mail filter's
		return Question{0, Lower32(Octets(r, 20)) + "._email.hbl.example.org", "A", "NXDOMAIN", nil}
	},
	func(r *rand.Rand) Question {
		return Question{0, fmt.Sprintf("%d.%d.%d.%d.zen.example.org", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256)), pick(r, "A", "TXT"), "NXDOMAIN", nil}
	},
	func(r *rand.Rand) Question { // keys of mail
		return Question{0, fmt.Sprintf("selector%d._domainkey.customer-%d.com", r.IntN(3), r.IntN(5000)), "TXT", "NOERROR", nil}
	},
	func(r *rand.Rand) Question {
		return Question{0, hex.EncodeToString(Octets(r, 10)) + "._domainkey.customer-" + fmt.Sprint(r.IntN(5000)) + ".com", "CNAME", "NOERROR", nil}
	},
	func(r *rand.Rand) Question { // telemetry with a UUID
		x := hex.EncodeToString(Octets(r, 16))
		return Question{0, x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:] + ".telemetry.example.com", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // reverse zones
		return Question{0, strings.Join(strings.Split(hex.EncodeToString(Octets(r, 16)), ""), ".") + ".ip6.arpa", "PTR", "NXDOMAIN", nil}
	},
	func(r *rand.Rand) Question {
		return Question{0, fmt.Sprintf("shop-%d.c%s.eu-west-1.rds.amazonaws.com", r.IntN(9), hex.EncodeToString(Octets(r, 6))), "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // load balancers
		return Question{0, fmt.Sprintf("internal-k8s-web-%s-%d.eu-west-1.elb.amazonaws.com", hex.EncodeToString(Octets(r, 5)), r.IntN(1e9)), "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // video
		return Question{0, fmt.Sprintf("rr%d---sn-%s.video.example.com", r.IntN(9), Lower32(Octets(r, 5))), "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // a cluster's search list
		return Question{0, "payments-backend-service.production.svc.cluster.local", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // certificates
		return Question{0, "_acme-challenge." + pick(r, "www", "api", "mail") + fmt.Sprintf(".customer-%d.com", r.IntN(5000)), "TXT", "NOERROR", nil}
	},
	func(r *rand.Rand) Question {
		return Question{0, "_" + hex.EncodeToString(Octets(r, 16)) + fmt.Sprintf(".www.customer-%d.com", r.IntN(5000)), "CNAME", "NOERROR", nil}
	},
	func(r *rand.Rand) Question { // advertising: a frame of its own for each page
		return Question{0, hex.EncodeToString(Octets(r, 16)) + ".safeframe.example.com", "A", "NOERROR", []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	},
	func(r *rand.Rand) Question { // preview of each build
		return Question{0, fmt.Sprintf("feature-%s-%d.preview.example.com", pick(r, "login-page-redesign", "new-invoice-export", "faster-search-results"), r.IntN(900)), "A", "NOERROR", []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	},
	func(r *rand.Rand) Question { // a scanner's, by SHA-256 in two parts
		return Question{0, hex.EncodeToString(Octets(r, 16)) + "." + hex.EncodeToString(Octets(r, 16)) + ".files.example.net", "TXT", "NXDOMAIN", nil}
	},
	func(r *rand.Rand) Question { // a reputation in base 36
		return Question{0, strings.ToLower(fmt.Sprintf("%s%s", Lower32(Octets(r, 15)), "09")) + ".rep.example.org", "A", "NOERROR", []netip.Addr{netip.AddrFrom4([4]byte{127, 1, byte(r.IntN(9)), 2})}}
	},
	func(r *rand.Rand) Question { // a machine of a content network, each with an address
		return Question{0, "edge-" + hex.EncodeToString(Octets(r, 12)) + ".net.example.com", "A", "NOERROR", anyAddr(r)}
	},
	func(r *rand.Rand) Question { // tenants
		return Question{0, fmt.Sprintf("tenant-%s.app.example.net", hex.EncodeToString(Octets(r, 4))), "A", "NOERROR", anyAddr(r)}
	},
}
