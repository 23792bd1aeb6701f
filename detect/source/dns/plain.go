package dns

import (
	"bytes"
	"net/netip"
	"unicode/utf8"

	"sumun.dev/detect/record"
	"sumun.dev/detect/source/scan"
	"sumun.dev/engine/dns"
)

// maxNames bounds the names that are kept to be used again.
const maxNames = 1 << 13

// The members that are read. Each comes once in its object.
const (
	skipped = iota // nobody asks for it
	carrier        // what has it may be, or carry, something else
	account
	region
	vpc
	typ
	rcode
	transport
	action
	when
	name
	source
	sources
	instance
	answers
	rdata
	rtype
	members
)

// known are the members of a record, of what asked, and of an answer.
var known = [...]map[string]int{
	{
		"account_id": account, "region": region, "vpc_id": vpc, "query_type": typ, "rcode": rcode, "transport": transport, "firewall_rule_action": action,
		"query_timestamp": when, "query_name": name, "srcaddr": source, "srcids": sources, "answers": answers,
		"eventSource": carrier, "CloudTrailEvent": carrier, "message": carrier, "detail": carrier, "detail-type": carrier, "logEvents": carrier, "kind": carrier, "items": carrier,
	},
	{"instance": instance},
	{"Rdata": rdata, "Type": rtype},
}

// The objects that records are made of, in the order of known.
const (
	ofRecord = iota
	ofSources
	ofAnswer
)

// A shape is the order in which members came in the last object of a kind: most
// objects have the same. Where another comes, it takes that one's place.
type shape []next

type next struct {
	text   string // the name, with its quotes and the colon
	member int
}

// maxShape is how many members of an object are remembered.
const maxShape = 24

// Plain reads a record that is plain, many times as fast as Read, and the same. What
// is not plain it declines, and leaves to Read: a member that comes twice, escapes,
// another form of time; and what may be no record but carries one.
func (r *Reader) Plain(b []byte) *record.Record {
	if len(b) > maxRecord || bytes.IndexByte(b, '\\') >= 0 || !utf8.Valid(b) {
		return nil
	}
	rec := r.spare.Query()
	p := plain{r: r, b: b, to: rec}
	at := p.object(scan.Space(b, 0), ofRecord)
	if at < 0 || scan.Space(b, at) != len(b) || rec.DNS.Name == nil || rec.Time.IsZero() {
		r.spare.Put(rec)
		return nil
	}
	return rec
}

// plain is a record that is being read.
type plain struct {
	r    *Reader
	b    []byte
	to   *record.Record
	seen uint32
	// The data of an answer, and its type.
	data  []byte
	rtype string
}

// object reads the object at i, and returns where it ends.
func (p *plain) object(i, kind int) int {
	b := p.b
	if i < 0 || i >= len(b) || b[i] != '{' {
		return scan.No
	}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for k := 0; ; k++ {
		var m int
		if like := p.r.shapes[kind]; k < len(like) && len(b)-i > len(like[k].text) && string(b[i:i+len(like[k].text)]) == like[k].text {
			m = like[k].member
			i = scan.Space(b, i+len(like[k].text))
		} else {
			name, at := scan.Name(b, i)
			if at < 0 {
				return scan.No
			}
			m = known[kind][string(name)]
			p.r.remember(kind, k, name, m)
			i = at
		}
		if i = p.member(m, i); i < 0 {
			return scan.No
		}
		if i = scan.Space(b, i); i >= len(b) || b[i] != ',' && b[i] != '}' {
			return scan.No
		}
		if b[i] == '}' {
			return i + 1
		}
		i = scan.Space(b, i+1)
	}
}

// remember notes which member came as the k-th of an object.
func (r *Reader) remember(kind, k int, name []byte, member int) {
	like := r.shapes[kind]
	if k > len(like) || k >= maxShape || len(name) > maxShape {
		return
	}
	n := next{`"` + string(name) + `":`, member}
	if k == len(like) {
		r.shapes[kind] = append(like, n)
		return
	}
	like[k] = n
}

// text reads the text of a member, which mostly is the same as in the last record.
func (p *plain) text(m, at int, to *string) int {
	b := p.b
	if s := p.r.last[m]; s != "" && len(b)-at > len(s)+1 && b[at] == '"' && b[at+1+len(s)] == '"' && string(b[at+1:at+1+len(s)]) == s {
		*to = s
		return at + len(s) + 2
	}
	text, end := scan.Text(b, at)
	if end >= 0 {
		*to = p.r.texts.Of(text)
		p.r.last[m] = *to
	}
	return end
}

// member reads the value of a member, and returns where it ends.
func (p *plain) member(m, at int) int {
	if m == skipped {
		return scan.Value(p.b, at)
	}
	if m == carrier || p.seen&(1<<m) != 0 || at >= len(p.b) {
		return scan.No
	}
	p.seen |= 1 << m
	d := p.to.DNS
	switch m {
	case account:
		return p.text(m, at, (*string)(&p.to.Account))
	case region:
		return p.text(m, at, (*string)(&p.to.Region))
	case vpc:
		return p.text(m, at, &d.VPC)
	case typ:
		return p.text(m, at, &d.Type)
	case rcode:
		return p.text(m, at, &d.Rcode)
	case transport:
		return p.text(m, at, &d.Transport)
	case action:
		return p.text(m, at, &d.Action)
	case instance:
		return p.text(m, at, &d.Instance)
	case rtype:
		return p.text(m, at, &p.rtype)
	case when:
		text, end := scan.Text(p.b, at)
		if end < 0 {
			return scan.No
		}
		if string(text) != string(p.r.wrote[:]) {
			t, ok := scan.Time(text)
			if !ok {
				return scan.No
			}
			p.r.then = t
			copy(p.r.wrote[:], text)
		}
		p.to.Time = p.r.then
		return end
	case name:
		text, end := scan.Text(p.b, at)
		if end < 0 {
			return scan.No
		}
		n, ok := p.r.name(text)
		if !ok {
			return scan.No
		}
		d.Name, d.Sum = n.name, n.sum
		return end
	case source:
		text, end := scan.Text(p.b, at)
		if end < 0 {
			return scan.No
		}
		var ok bool
		if d.Source, ok = address(text); !ok {
			return scan.No
		}
		return end
	case rdata:
		text, end := scan.Text(p.b, at)
		p.data = text
		return end
	case sources:
		return p.object(at, ofSources)
	}
	return p.answers(at, d)
}

// address reads an address as netip does.
func address(text []byte) (netip.Addr, bool) {
	if a, end := scan.IPv4(text, 0); end == len(text) {
		return a, true
	}
	a, err := netip.ParseAddr(string(text))
	return a, err == nil
}

// answers keeps the addresses that were answered.
func (p *plain) answers(i int, d *record.DNS) int {
	b := p.b
	if i >= len(b) || b[i] != '[' {
		return scan.No
	}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		p.data, p.rtype = nil, ""
		p.seen &^= 1<<rdata | 1<<rtype
		if i = p.object(i, ofAnswer); i < 0 {
			return scan.No
		}
		if (p.rtype == "A" || p.rtype == "AAAA") && len(d.Addresses) < maxAnswers {
			if a, ok := address(p.data); ok {
				d.Addresses = append(d.Addresses, a)
			}
		}
		if i = scan.Space(b, i); i >= len(b) || b[i] != ',' && b[i] != ']' {
			return scan.No
		}
		if b[i] == ']' {
			return i + 1
		}
		i = scan.Space(b, i+1)
	}
}

// named is a name and its sum.
type named struct {
	name dns.Name
	sum  uint64
}

// name parses a name, which mostly was asked for a short while ago.
func (r *Reader) name(text []byte) (named, bool) {
	if n, ok := r.names[string(text)]; ok {
		return n, true
	}
	name, err := dns.ParseName(string(text))
	if err != nil || name == nil {
		return named{}, false
	}
	if len(r.names) >= maxNames {
		clear(r.names)
	}
	n := named{name, name.Sum()}
	r.names[string(text)] = n
	return n, true
}
