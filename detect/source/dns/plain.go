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

// made is what a record is made of, in one piece of memory.
type made struct {
	r record.Record
	d record.DNS
}

// Plain reads a record that is plain, many times as fast as Read, and the same. What
// is not plain it declines, and leaves to Read: a member that comes twice, escapes,
// another form of time; and what may be no record but carries one.
func (r *Reader) Plain(b []byte) *record.Record {
	if len(b) > maxRecord || bytes.IndexByte(b, '\\') >= 0 || !utf8.Valid(b) {
		return nil
	}
	p := plain{r: r, b: b}
	m := &made{}
	m.r.Class, m.r.DNS = record.DNSActivity, &m.d
	at := p.object(scan.Space(b, 0), func(name []byte, at int) int { return p.member(m, name, at) })
	if at < 0 || scan.Space(b, at) != len(b) || m.d.Name == nil || m.r.Time.IsZero() {
		return nil
	}
	return &m.r
}

// plain is a record that is being read.
type plain struct {
	r    *Reader
	b    []byte
	seen uint32
}

// object reads the object at i. member reads the value of each name, and returns
// where it ends.
func (p *plain) object(i int, member func(name []byte, at int) int) int {
	b := p.b
	if i < 0 || i >= len(b) || b[i] != '{' {
		return scan.No
	}
	if i = scan.Space(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		name, at := scan.Name(b, i)
		if at < 0 {
			return scan.No
		}
		if i = member(name, at); i < 0 {
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

// text reads a text that is member n, which comes once.
func (p *plain) text(n, at int, to *string) int {
	if p.seen&(1<<n) != 0 {
		return scan.No
	}
	p.seen |= 1 << n
	text, end := scan.Text(p.b, at)
	if end >= 0 {
		*to = p.r.texts.Of(text)
	}
	return end
}

func (p *plain) member(m *made, name []byte, at int) int {
	d := &m.d
	var s string
	switch string(name) {
	case "account_id":
		return p.text(0, at, (*string)(&m.r.Account))
	case "region":
		return p.text(1, at, (*string)(&m.r.Region))
	case "vpc_id":
		return p.text(2, at, &d.VPC)
	case "query_type":
		return p.text(3, at, &d.Type)
	case "rcode":
		return p.text(4, at, &d.Rcode)
	case "transport":
		return p.text(5, at, &d.Transport)
	case "firewall_rule_action":
		return p.text(6, at, &d.Action)
	case "query_timestamp":
		if p.seen&(1<<7) != 0 {
			return scan.No
		}
		p.seen |= 1 << 7
		text, end := scan.Text(p.b, at)
		var ok bool
		if m.r.Time, ok = scan.Time(text); !ok {
			return scan.No
		}
		return end
	case "query_name":
		end := p.text(8, at, &s)
		if end < 0 {
			return scan.No
		}
		var ok bool
		if d.Name, ok = p.r.name(s); !ok {
			return scan.No
		}
		return end
	case "srcaddr":
		end := p.text(9, at, &s)
		var err error
		if d.Source, err = netip.ParseAddr(s); end < 0 || err != nil {
			return scan.No
		}
		return end
	case "srcids":
		if p.seen&(1<<10) != 0 || at >= len(p.b) || p.b[at] != '{' {
			return scan.No
		}
		p.seen |= 1 << 10
		return p.object(at, func(name []byte, at int) int {
			if string(name) == "instance" {
				return p.text(11, at, &d.Instance)
			}
			return scan.Value(p.b, at)
		})
	case "answers":
		if p.seen&(1<<12) != 0 {
			return scan.No
		}
		p.seen |= 1 << 12
		return p.answers(at, d)
	case "eventSource", "CloudTrailEvent", "message", "detail", "detail-type", "logEvents", "kind", "items":
		return scan.No // it may be, or carry, something else
	}
	return scan.Value(p.b, at)
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
		var data, typ string
		p.seen &^= 3 << 13
		i = p.object(i, func(name []byte, at int) int {
			switch string(name) {
			case "Rdata":
				return p.text(13, at, &data)
			case "Type":
				return p.text(14, at, &typ)
			}
			return scan.Value(b, at)
		})
		if i < 0 {
			return scan.No
		}
		if (typ == "A" || typ == "AAAA") && len(d.Addresses) < maxAnswers {
			if a, err := netip.ParseAddr(data); err == nil {
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

// name parses a name, which mostly was asked for a short while ago.
func (r *Reader) name(s string) (dns.Name, bool) {
	if n, ok := r.names[s]; ok {
		return n, true
	}
	n, err := dns.ParseName(s)
	if err != nil || n == nil {
		return nil, false
	}
	if len(r.names) >= maxNames {
		clear(r.names)
	}
	r.names[s] = n
	return n, true
}
