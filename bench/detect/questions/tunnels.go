package questions

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Session is what one host asks while it uses a tunnel.
type Session struct {
	Kind      string
	Says      string // encoding, type, length and speed, for people
	Questions []Question
}

// Kinds lists the kinds of tunnels, as sessions take turns.
func Kinds() []string {
	var out []string
	for _, t := range tunnels {
		out = append(out, t.name)
	}
	return out
}

// Tunnel makes session number n of a seed. It carries a kilobyte or more.
func Tunnel(seed uint64, n int) Session {
	r := newSource(seed, 1<<32+uint64(n))
	t := tunnels[n%len(tunnels)]
	s := Session{Kind: t.name}
	zone := r.domain()
	if r.chance(70) {
		zone = r.pick("t", "ns", "x", "cdn", "a1", "mail", "dns", "up", "v2", "in") + "." + zone
	}
	t.make(&tunnel{source: r, Session: &s, zone: zone})
	return s
}

// A tunnel is a session that is being made.
type tunnel struct {
	*source
	*Session
	zone string
}

var tunnels = []struct {
	name string
	make func(*tunnel)
}{
	{"iodine", (*tunnel).iodine},
	{"dnscat2", (*tunnel).dnscat},
	{"dns2tcp", (*tunnel).dns2tcp},
	{"file in pieces", (*tunnel).pieces},
	{"slow exfiltration", (*tunnel).slow},
	{"beacon", (*tunnel).beacon},
	{"implant", (*tunnel).implant},
	{"home-made", (*tunnel).homemade},
}

func (t *tunnel) ask(after time.Duration, name, typ, rcode string, answers ...string) {
	t.Questions = append(t.Questions, Question{after, name + "." + t.zone, typ, rcode, answers})
}

// answered gives what a server of a tunnel answers a question of a type: data in
// addresses, or in a record that the log does not keep here.
func (t *tunnel) answered(typ string) []string {
	switch typ {
	case "A":
		return []string{t.address()}
	case "AAAA":
		return []string{t.address6()}
	}
	return nil
}

// iodine, version 0.8: a handshake that finds out what gets through (v, l, z, s, o, y,
// r, n), then data in base 32, 64 or 128 in names of up to 255 octets, or fewer with
// -M, in labels of 57, and pings at least every four seconds when there is none.
// Its doc/proto_00000502.txt.
func (t *tunnel) iodine() {
	typ := t.pick("NULL", "NULL", "TYPE65399", "TXT", "SRV", "MX", "CNAME", "A")
	room := t.between(100, 253) - len(t.zone) - 8
	coding := t.IntN(3)
	ask := func(ms int, name string) { t.ask(milliseconds(ms), name, typ, "NOERROR", t.answered(typ)...) }
	ask(0, "v"+lower32.of(t.octets(6)))
	ask(150, "l"+lower32.of(t.octets(19)))
	for range t.between(4, 9) {
		ask(120, t.pick("z", "s", "o", "y", "r")+lower32.of(t.octets(t.between(2, 5))))
	}
	for range 6 {
		ask(t.between(200, 900), "r"+lower32.of(t.octets(4))+"."+labels(lower32.of(t.octets((room-16)*5/8)), 57))
	}
	pattern := t.pick("a file", "a shell", "both")
	packet := func(ms, octets int) {
		head := t.pick("0", "1", "2", "3", "a", "f") + lower32.of(t.octets(3))
		switch coding {
		case 0:
			ask(ms, labels(head+lower32.of(t.octets(octets)), 57))
		case 1:
			ask(ms, labels(head+strings.NewReplacer("_", "+").Replace(url64.of(t.octets(octets))), 57))
		default: // octets above 187, of which a log shows each as four
			for i, c := range t.octets(octets * 8 / 7) {
				if i%50 == 49 {
					head += "."
				}
				head += fmt.Sprintf(`\%d`, 188+c%66)
			}
			ask(ms, head)
		}
	}
	most := map[int]int{0: room * 5 / 8, 1: room * 3 / 4, 2: room * 7 / 8 / 2}[coding]
	for range t.between(50, 200) {
		switch {
		case pattern == "a file" || pattern == "both" && t.chance(40):
			packet(t.between(15, 120), most-8)
		case t.chance(50): // a key press and its like: headers, squeezed
			packet(t.between(100, 1500), min(most-8, t.between(30, 70)))
		default:
			ask(t.between(500, 4000), "p"+lower32.of(t.octets(4)))
		}
	}
	t.Says = fmt.Sprintf("%s as %s, coding %d, names of %d", pattern, typ, coding, room)
}

// dnscat2: packets in hexadecimal digits in labels of up to 62 octets, about one a
// second; nine octets are its head, eight more when it is encrypted. Its doc/protocol.md.
func (t *tunnel) dnscat() {
	types := [][]string{{"TXT", "CNAME", "MX"}, {"TXT", "CNAME", "MX"}, {"TXT"}, {"CNAME"}, {"MX"}, {"A"}, {"AAAA"}}[t.IntN(7)]
	head := 9
	if t.chance(70) {
		head += 8
	}
	delay := t.between(250, 3000)
	size := t.between(30, 62)
	pattern := t.pick("a shell", "a shell", "a file")
	for range t.between(70, 300) {
		n := head
		switch {
		case pattern == "a file":
			n += 90
		case t.chance(30):
			n += t.between(1, 90)
		}
		typ := t.pick(types...)
		t.ask(milliseconds(t.between(delay/2, delay*3/2)), labels(t.hex(2*n), size), typ, "NOERROR", t.answered(typ)...)
	}
	t.Says = fmt.Sprintf("%s as %s every %d ms, labels of %d", pattern, strings.Join(types, ", "), delay, size)
}

// dns2tcp: base 64 in labels of up to 63 octets, with a head of seven octets; before
// that a resource and its authentication are asked for (=resource, =auth, =connect).
func (t *tunnel) dns2tcp() {
	typ := t.pick("TXT", "TXT", "KEY")
	share := t.between(30, 90) // percent of questions with data
	ask := func(ms int, octets int, verb string) {
		t.ask(milliseconds(ms), labels(strings.NewReplacer("-", "/").Replace(url64.of(t.octets(octets))), t.between(60, 63))+verb, typ, "NOERROR")
	}
	ask(0, 7, ".=auth")
	ask(100, 27, ".=auth")
	ask(100, 7, ".=resource")
	ask(100, 14, ".=connect")
	for range t.between(60, 250) {
		if t.chance(share) {
			ask(t.between(30, 800), 7+t.between(20, 140), "")
		} else {
			ask(t.between(300, 1500), 7, "")
		}
	}
	t.Says = fmt.Sprintf("as %s, %d %% with data", typ, share)
}

// shape is how a session of no known program spells, counts and is answered.
type shape struct {
	encoding
	octets  int // of data in a question
	size    int // of a label
	counter string
	typ     string
	rcode   string
	answers func() []string
	twofold bool // it is asked as programs ask for addresses: in A, then in AAAA
}

func (t *tunnel) shape(least, most int) shape {
	s := shape{
		encoding: encodings[t.IntN(len(encodings))], octets: t.between(least, most), size: t.between(30, 63),
		counter: t.pick("", "number", "number", "hex", "of", "session"), typ: t.pick("A", "A", "A", "AAAA", "TXT", "TXT", "CNAME", "MX"),
		rcode: t.pick("NXDOMAIN", "NOERROR", "NOERROR", "SERVFAIL"),
	}
	s.twofold = s.typ == "A" && t.chance(40)
	s.answers = func() []string { return nil }
	if s.rcode == "NOERROR" && (s.typ == "A" || s.typ == "AAAA") {
		same := t.answered(s.typ)
		s.answers = func() []string { return same }
		if t.chance(30) {
			s.answers = func() []string { return t.answered(s.typ) }
		}
	}
	return s
}

func (s shape) String() string {
	return fmt.Sprintf("%d octets in %s, labels of %d, counter %q, %s %s, twofold %t", s.octets, s.name, s.size, s.counter, s.typ, s.rcode, s.twofold)
}

// piece is question number i of n.
func (t *tunnel) piece(s shape, i, n int, after time.Duration) {
	octets := s.octets
	if i == n-1 {
		octets = t.between(1, octets)
	}
	text := s.of(t.octets(octets))
	room := 250 - len(t.zone) - 24
	for len(text)+len(text)/s.size > room {
		text = text[:len(text)-1]
	}
	name := labels(text, s.size)
	switch s.counter {
	case "number":
		name = fmt.Sprintf("%d.%s", i, name)
	case "hex":
		name = fmt.Sprintf("%s.%04x", name, i)
	case "of":
		name = fmt.Sprintf("%s.%d-%d", name, i, n)
	case "session":
		name = fmt.Sprintf("%s.%d.s%d", name, i, len(t.zone)*31%997)
	}
	t.ask(after, name, s.typ, s.rcode, s.answers()...)
	if s.twofold {
		t.ask(milliseconds(1), name, "AAAA", s.rcode)
	}
}

// pieces is a file that goes out in a row, as small programs do it.
func (t *tunnel) pieces() {
	s := t.shape(25, 120)
	n := max(t.between(45, 300), 1500/s.octets)
	pause := t.between(5, 2500)
	for i := range n {
		t.piece(s, i, n, milliseconds(t.between(pause/2, pause*3/2)))
	}
	t.Says = fmt.Sprintf("%v, one in %d ms", s, pause)
}

// slow is the same, with a question every ten seconds to five minutes.
func (t *tunnel) slow() {
	s := t.shape(18, 100)
	n := max(t.between(60, 200), 2000/s.octets)
	pause := t.between(10, 300)
	for i := range n {
		t.piece(s, i, n, time.Duration(t.between(pause*500, pause*1500))*time.Millisecond)
	}
	t.Says = fmt.Sprintf("%v, one in %d s", s, pause)
}

// beacon: as commercial tools for red teams have it: it asks for its number and is
// answered by an address what it has to do; orders come in TXT or addresses, results
// go out in hexadecimal digits behind a count of labels, with a counter and its number.
func (t *tunnel) beacon() {
	id := t.hex(8)
	order := t.pick("TXT", "A", "AAAA")
	quiet := []string{"0.0.0.0"}
	jobs := t.between(4, 12)
	for range jobs {
		for range t.between(1, 6) {
			t.ask(time.Duration(t.between(20, 70))*time.Second, id, "A", "NOERROR", quiet...)
		}
		job := t.hex(8)
		for i := range t.between(1, 8) {
			t.ask(milliseconds(t.between(50, 400)), fmt.Sprintf("%s.%s%x.%s", t.pick("api", "cdn", "www6"), "1", i, job+id), order, "NOERROR", t.answered(order)...)
		}
		labelsOf := t.between(1, 3)
		for i := range t.between(6, 40) {
			text := ""
			for range labelsOf {
				text += t.hex(56) + "."
			}
			t.ask(milliseconds(t.between(50, 400)), fmt.Sprintf("post.%d%s1%x.%s", labelsOf, text, i, job[:4]+id), "A", "NOERROR", quiet...)
		}
	}
	t.Says = "orders as " + order
}

// implant: packed messages in base 58 or 32 that fill the name up, answered in TXT or
// addresses, and short ones to ask for work.
func (t *tunnel) implant() {
	coding := encodings[slices.IndexFunc(encodings, func(e encoding) bool { return e.name == t.pick("base58", "base32") || e.name == "base32" })]
	typ := t.pick("A", "A", "TXT")
	room := 250 - len(t.zone) - 6
	delay := t.between(200, 20000)
	for range t.between(80, 200) {
		octets := t.between(10, 16)
		if t.chance(50) {
			octets = room * 5 / 8 * t.between(60, 100) / 100
		}
		text := coding.of(t.octets(octets))
		text = text[:min(len(text), room-room/63)]
		t.ask(milliseconds(t.between(delay/2, delay*3/2)), labels(text, 63), typ, "NOERROR", t.answered(typ)...)
	}
	t.Says = fmt.Sprintf("%s as %s every %d ms", coding.name, typ, delay)
}

// homemade is anything: words before the data, lengths that differ, several types.
func (t *tunnel) homemade() {
	s := t.shape(15, 110)
	n := max(t.between(60, 250), 1500/s.octets)
	pause := t.between(20, 20000)
	most := s.octets
	differ := t.chance(60)
	prefix := t.pick("", "", "d", "x", "data", "q")
	types := []string{s.typ}
	if t.chance(30) {
		types = []string{"A", "AAAA", "TXT"}
	}
	for i := range n {
		if differ {
			s.octets = t.between(most/2, most)
		}
		s.typ = t.pick(types...)
		t.piece(s, i, n, milliseconds(t.between(pause/2, pause*3/2)))
	}
	for i := range t.Questions {
		if q := &t.Questions[i]; prefix != "" {
			q.Name = prefix + "." + q.Name
		}
	}
	t.Says = fmt.Sprintf("%v, one in %d ms, differ %t, prefix %q", s, pause, differ, prefix)
}
