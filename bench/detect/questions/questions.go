// Package questions makes what hosts ask the resolver, from a seed.
//
// ordinary.go has the work of an account's hosts, and all in it that looks like data
// or like nobody's name; tunnels.go has sessions of tunnels and of data that leaves
// in names; families.go has names that algorithms make. The shapes of names, types,
// lengths and speeds are those of public descriptions; who owns the domains, how
// large things are and when they happen, the seed decides.
package questions

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Account is whose hosts ask.
const Account = "111122223333"

// A Question is one that a host asks, and what it is answered.
type Question struct {
	After   time.Duration // since the one before
	Name    string        // without the final dot; octets that no host name has as \DDD
	Type    string
	Rcode   string
	Answers []string // addresses
}

// Line returns the record that Route 53 Resolver's query log has of a question.
func (q *Question) Line(at time.Time, host string, address string) []byte {
	answers := []any{}
	for _, a := range q.Answers {
		answers = append(answers, map[string]string{"Rdata": a, "Type": q.Type, "Class": "IN"})
	}
	b, err := json.Marshal(map[string]any{
		"version": "1.100000", "account_id": Account, "region": "eu-west-1", "vpc_id": "vpc-0a1b2c3d4e5f60718", "query_timestamp": at.UTC().Format(time.RFC3339),
		"query_name": q.Name + ".", "query_type": q.Type, "query_class": "IN", "rcode": q.Rcode, "answers": answers,
		"srcaddr": address, "srcport": "40112", "transport": "UDP", "srcids": map[string]string{"instance": host},
	})
	if err != nil {
		panic(err) // texts only
	}
	return b
}

// source draws at random.
type source struct{ *rand.Rand }

func newSource(seed, stream uint64) *source { return &source{rand.New(rand.NewPCG(seed, stream))} }

// between draws from lo to hi, both included.
func (r *source) between(lo, hi int) int { return lo + r.IntN(hi-lo+1) }

func (r *source) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r *source) chance(percent int) bool { return r.IntN(100) < percent }

func (r *source) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r *source) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func (r *source) hex(symbols int) string {
	return hex.EncodeToString(r.octets((symbols + 1) / 2))[:symbols]
}

func (r *source) address() string {
	return fmt.Sprintf("%d.%d.%d.%d", r.between(11, 99), r.IntN(256), r.IntN(256), r.between(1, 254))
}

func (r *source) address6() string {
	return fmt.Sprintf("2001:%x:%x::%x", r.between(0x400, 0xfff), r.IntN(1<<16), r.between(1, 0xffff))
}

func (r *source) uuid() string {
	x := r.hex(32)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func (r *source) word() string { return words[r.IntN(len(words))] }

// domain makes up a domain that somebody registered.
func (r *source) domain() string {
	name := r.word()
	switch r.IntN(4) {
	case 0:
		name += r.word()
	case 1:
		name += "-" + r.word()
	case 2:
		name += r.pick("cloud", "hub", "labs", "io", "app", "net", "ware", "sec", "data")
	}
	return name + r.pick(".com", ".com", ".com", ".net", ".org", ".io", ".co", ".de", ".co.uk", ".dev", ".cloud", ".com.br", ".info", ".eu")
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

var words = strings.Fields(`river stone garden winter yellow market bridge paper silver window forest travel kitchen summer doctor orange button castle
	anchor basket candle dragon engine flower guitar hammer island jacket ladder magnet needle oyster pepper quartz rocket saddle timber umbrella
	velvet walnut zephyr bright canyon desert eagle falcon glacier harbor ivory jungle knight lantern meadow north ocean prairie quiet ranger
	signal tundra urban valley willow atlas beacon copper delta ember frost granite horizon indigo juniper kernel lotus maple nova orbit pixel
	raven sierra tiger union vertex wave yonder zenith`)

// An encoding spells octets with symbols of names.
type encoding struct {
	name string
	of   func([]byte) string
}

var lower32 = encoding{"base32", func(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}}

var url64 = encoding{"base64url", base64.RawURLEncoding.EncodeToString}

var hexadecimal = encoding{"hex", hex.EncodeToString}

// encodings are those that tunnels and their makers use.
var encodings = []encoding{
	hexadecimal, lower32, url64,
	{"base32hex", func(b []byte) string {
		return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
	}},
	{"base36", func(b []byte) string { return spelled(b, "0123456789abcdefghijklmnopqrstuvwxyz") }},
	{"base58", func(b []byte) string {
		return spelled(b, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
	}},
	{"base64 with + and /", func(b []byte) string { return strings.TrimRight(base64.StdEncoding.EncodeToString(b), "=") }},
	{"decimal", func(b []byte) string {
		var s strings.Builder
		for _, c := range b {
			fmt.Fprintf(&s, "%03d", c)
		}
		return s.String()
	}},
	{"letters", func(b []byte) string { // two letters an octet, as some do whose resolver takes nothing else
		var s strings.Builder
		for _, c := range b {
			s.WriteByte('a' + c>>4)
			s.WriteByte('a' + 10 + c&15)
		}
		return s.String()
	}},
}

// spelled writes octets, eight at a time, as numbers of another base.
func spelled(b []byte, symbols string) string {
	var s strings.Builder
	for len(b) > 0 {
		n := uint64(0)
		head := b[:min(8, len(b))]
		for _, c := range head {
			n = n<<8 | uint64(c)
		}
		for range (len(head)*8 + 4) / 5 {
			s.WriteByte(symbols[n%uint64(len(symbols))])
			n /= uint64(len(symbols))
		}
		b = b[len(head):]
	}
	return s.String()
}

// labels cuts s into labels of at most size octets.
func labels(s string, size int) string {
	var out []string
	for len(s) > size {
		out, s = append(out, s[:size]), s[size:]
	}
	return strings.Join(append(out, s), ".")
}
