package dns

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	mdns "github.com/miekg/dns"
)

// An Answer is what follows the question of a response, packed once and
// written many times, with another id, another spelling of the name, and less
// TTL each time. It never changes once made.
type Answer struct {
	Rcode         int
	Authoritative bool
	TTL           uint32 // seconds for which the whole may be used again
	Chain         []Name // where CNAMEs lead, in order

	counts [3]uint16 // answer, authority, additional (without OPT)
	body   []byte
	ttls   []uint16 // places in body of the records' TTLs
	born   int64    // Unix seconds; TTLs count from here
	fixed  bool     // TTLs do not count down: the data is our own
}

var errPacked = errors.New("packed answer cannot be read again")

// NewAnswer packs m, a response with one question. Records of the OPT type are
// left out: EDNS is between neighbours. now is when the TTLs begin; a zero now
// says that they do not count down.
func NewAnswer(m *mdns.Msg, now time.Time) (*Answer, error) {
	if len(m.Question) != 1 {
		return nil, errPacked
	}
	m.Compress = true
	m.Extra = withoutOPT(m.Extra)
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	var buf [MaxName]byte
	size, err := readName(&buf, wire[headerSize:])
	if err != nil {
		return nil, err
	}
	a := &Answer{
		Rcode:         m.Rcode,
		Authoritative: m.Authoritative,
		counts:        [3]uint16{uint16(len(m.Answer)), uint16(len(m.Ns)), uint16(len(m.Extra))},
		body:          append([]byte(nil), wire[headerSize+size+4:]...),
		born:          now.Unix(),
		fixed:         now.IsZero(),
	}
	if err := a.findTTLs(len(m.Answer) + len(m.Ns) + len(m.Extra)); err != nil {
		return nil, err
	}
	for _, rr := range m.Answer {
		if c, ok := rr.(*mdns.CNAME); ok {
			target, err := ParseName(c.Target)
			if err != nil {
				return nil, err
			}
			a.Chain = append(a.Chain, target)
		}
	}
	return a, nil
}

func withoutOPT(rrs []mdns.RR) []mdns.RR {
	kept := rrs[:0:0]
	for _, rr := range rrs {
		if rr.Header().Rrtype != mdns.TypeOPT {
			kept = append(kept, rr)
		}
	}
	return kept
}

func (a *Answer) findTTLs(records int) error {
	a.TTL = math.MaxUint32
	at := 0
	for range records {
		size, ok := skipName(a.body[at:])
		if !ok || len(a.body) < at+size+10 {
			return errPacked
		}
		at += size
		a.ttls = append(a.ttls, uint16(at+4))
		a.TTL = min(a.TTL, binary.BigEndian.Uint32(a.body[at+4:]))
		at += 10 + int(binary.BigEndian.Uint16(a.body[at+8:]))
	}
	if records == 0 {
		a.TTL = 0
	}
	return nil
}

// Octets returns about what the answer holds in memory.
func (a *Answer) Octets() int {
	n := 200 + len(a.body) + 2*len(a.ttls)
	for _, c := range a.Chain {
		n += 24 + len(c)
	}
	return n
}

// Left returns for how many seconds from now the answer may be used; 0 when it is over.
func (a *Answer) Left(now time.Time) uint32 {
	if a.fixed {
		return a.TTL
	}
	age := now.Unix() - a.born
	if age < 0 || age >= int64(a.TTL) {
		return 0
	}
	return a.TTL - uint32(age)
}

// Limit lowers how long the answer may be used, and its records' TTLs with it.
// It is called before the answer is shared.
func (a *Answer) Limit(ttl uint32) {
	a.TTL = min(a.TTL, ttl)
	for _, at := range a.ttls {
		if t := a.body[at:]; binary.BigEndian.Uint32(t) > ttl {
			binary.BigEndian.PutUint32(t, ttl)
		}
	}
}

// AppendTo appends the response to q, at most limit octets of it: when it does
// not fit, it is empty with the TC bit, so that the asker comes again by TCP.
func (a *Answer) AppendTo(b []byte, q *Query, limit int, now time.Time) []byte {
	size := headerSize + q.size + 4 + len(a.body)
	if q.EDNS {
		size += optSize
	}
	flags := uint16(flagQR|flagRA) | q.flags&(flagRD|flagCD) | uint16(a.Rcode&15)
	if a.Authoritative {
		flags |= flagAA
	}
	if size > limit {
		return q.appendOPT(q.appendHead(b, flags|flagTC, [3]uint16{}), a.Rcode)
	}
	b = q.appendHead(b, flags, a.counts)
	start := len(b)
	b = append(b, a.body...)
	if !a.fixed {
		a.age(b[start:], now)
	}
	return q.appendOPT(b, a.Rcode)
}

func (a *Answer) age(body []byte, now time.Time) {
	age := uint32(max(0, now.Unix()-a.born))
	if age == 0 {
		return
	}
	for _, at := range a.ttls {
		t := body[at : at+4]
		ttl := binary.BigEndian.Uint32(t)
		binary.BigEndian.PutUint32(t, ttl-min(age, ttl))
	}
}

// appendHead appends the header, and the question if it could be read.
func (q *Query) appendHead(b []byte, flags uint16, counts [3]uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, q.ID)
	b = binary.BigEndian.AppendUint16(b, flags)
	questions := uint16(0)
	if q.size > 0 {
		questions = 1
	}
	b = binary.BigEndian.AppendUint16(b, questions)
	b = binary.BigEndian.AppendUint16(b, counts[0])
	b = binary.BigEndian.AppendUint16(b, counts[1])
	additional := counts[2]
	if q.EDNS {
		additional++
	}
	b = binary.BigEndian.AppendUint16(b, additional)
	if q.size > 0 {
		b = append(b, q.question()...)
	}
	return b
}

const (
	optSize = 11
	// ourSize is what we say that we receive by UDP, and the most that we send
	// by it: packets of this size are not fragmented (DNS flag day 2020), and a
	// forged question cannot fetch more than this.
	ourSize = 1232
)

// UDPLimit returns the largest response that q's asker gets by UDP.
func (q *Query) UDPLimit() int { return int(min(q.UDPSize, ourSize)) }

// appendOPT appends the OPT record when the asker sent one. Of its options
// none is answered: client subnets and cookies are not forwarded either.
func (q *Query) appendOPT(b []byte, rcode int) []byte {
	if !q.EDNS {
		return b
	}
	do := byte(0)
	if q.DO {
		do = 0x80
	}
	return append(b, 0, 0, TypeOPT, ourSize>>8, ourSize&0xff, byte(rcode>>4), 0, do, 0, 0, 0)
}

// AppendEmpty appends a response to q without records.
func (q *Query) AppendEmpty(b []byte, rcode int) []byte {
	flags := uint16(flagQR|flagRA) | q.flags&(flagRD|flagCD|opcodeMask) | uint16(rcode&15)
	return q.appendOPT(q.appendHead(b, flags, [3]uint16{}), rcode)
}

// Records reads the answer section again; name is the one that was asked for.
func (a *Answer) Records(name Name) []mdns.RR {
	if a.counts[0] == 0 {
		return nil
	}
	q := Query{size: len(name)}
	q.msg = append(append(make([]byte, headerSize, headerSize+len(name)+4), name...), 0, TypeA, 0, ClassIN)
	var m mdns.Msg
	if m.Unpack(append(q.appendHead(nil, flagQR, a.counts), a.body...)) != nil {
		return nil
	}
	return m.Answer
}

// toQuestion is a compressed name: the one at offset 12, which is the question's.
var toQuestion = []byte{0xc0, headerSize}

// NewEmpty returns an answer without records, whatever the question: the name
// has none of the type (Success) or does not exist (NameError). ttl says for
// how long, in an SOA record as the empty zones of RFC 6303, 3, have it.
func NewEmpty(rcode int, ttl uint32) *Answer {
	data := append([]byte{}, toQuestion...)
	data = append(data, "\x06nobody\x07invalid\x00"...)
	for _, v := range []uint32{1, 3600, 1200, 604800, ttl} {
		data = binary.BigEndian.AppendUint32(data, v)
	}
	a := &Answer{Rcode: rcode, TTL: ttl, fixed: true, counts: [3]uint16{1: 1}}
	a.body, a.ttls = record(TypeSOA, ttl, data), []uint16{6}
	return a
}

// NewFailure returns an answer that there is none to be had for ttl seconds.
func NewFailure(ttl uint32, now time.Time) *Answer {
	return &Answer{Rcode: ServerFailure, TTL: ttl, born: now.Unix()}
}

// NewAlias returns an answer that says, whatever the name asked for, that it
// is an alias (CNAME) of target.
func NewAlias(target Name, ttl uint32) *Answer {
	a := &Answer{TTL: ttl, fixed: true, counts: [3]uint16{0: 1}, Chain: []Name{target}}
	a.body, a.ttls = record(TypeCNAME, ttl, target), []uint16{6}
	return a
}

// NewMinimal is what ANY is answered: one HINFO record, since the whole would
// serve amplifiers (RFC 8482, 4.2).
func NewMinimal() *Answer {
	const ttl = 3789
	a := &Answer{TTL: ttl, fixed: true, counts: [3]uint16{0: 1}}
	a.body, a.ttls = record(TypeHINFO, ttl, []byte("\x07RFC8482\x00")), []uint16{6}
	return a
}

func record(rtype uint16, ttl uint32, data []byte) []byte {
	b := binary.BigEndian.AppendUint16(append([]byte{}, toQuestion...), rtype)
	b = binary.BigEndian.AppendUint16(b, ClassIN)
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}
