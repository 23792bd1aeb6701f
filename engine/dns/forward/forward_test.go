package forward

import (
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
)

func keyOf(t testing.TB, name string, qtype uint16, do bool) dns.Key {
	t.Helper()
	n, err := dns.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return dns.Key{Name: string(n), Type: qtype, DO: do}
}

// sections makes an answer: one record a line, "--" before the authority section.
func sections(t testing.TB, q *mdns.Msg, rcode int, records string) *mdns.Msg {
	t.Helper()
	m := new(mdns.Msg).SetReply(q)
	m.Rcode = rcode
	section := &m.Answer
	for line := range strings.Lines(records) {
		line = strings.TrimSpace(line)
		if line == "--" {
			section = &m.Ns
			continue
		}
		rr, err := mdns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		if rr != nil {
			*section = append(*section, rr)
		}
	}
	return m
}

const rrsig = "RRSIG %s 13 2 60 20300101000000 20200101000000 1 example. AAAA"

func sig(owner, covered string) string {
	return owner + " 60 " + strings.Replace(rrsig, "%s", covered, 1)
}

func TestAccept(t *testing.T) {
	soa := "example. 600 SOA ns.example. host.example. 1 2 3 4 300"
	for _, c := range []struct {
		name    string
		qtype   uint16
		do      bool
		rcode   int
		records string
		want    int // records of the answer section; -1: not accepted
		ns      int
		ttl     uint32
	}{
		{name: "plain", records: "www.example. 60 A 192.0.2.1\nWWW.example. 90 A 192.0.2.2", want: 2, ttl: 60},
		{name: "chain_in_any_order", records: "b.example. 60 A 192.0.2.1\nwww.example. 30 CNAME a.example.\na.example. 90 CNAME B.example.", want: 3, ttl: 30},
		{name: "chain_across_zones", records: "www.example. 60 CNAME x.cdn.test.\nx.cdn.test. 60 A 192.0.2.1", want: 2, ttl: 60},
		{name: "stranger_dropped", records: "www.example. 60 A 192.0.2.1\nbank.example. 60 A 192.0.2.1", want: 1, ttl: 60},
		{name: "other_type_dropped", records: "www.example. 60 A 192.0.2.1\nwww.example. 60 TXT x", want: 1, ttl: 60},
		{name: "other_class_dropped", records: "www.example. 60 CH A 192.0.2.1\n--\n" + soa, want: 0, ns: 1, ttl: 300},
		{name: "asked_for_cname", qtype: mdns.TypeCNAME, records: "www.example. 60 CNAME a.example.\na.example. 60 A 192.0.2.1", want: 1, ttl: 60},
		{name: "dname", records: "example. 60 DNAME other.test.\nwww.example. 60 CNAME www.other.test.\nwww.other.test. 60 A 192.0.2.1", want: 3, ttl: 60},
		{name: "foreign_dname_dropped", records: "test. 60 DNAME other.test.\nwww.example. 60 A 192.0.2.1", want: 1, ttl: 60},
		{name: "authority_dropped", records: "www.example. 60 A 192.0.2.1\n--\nexample. 60 NS ns.example.", want: 1, ttl: 60},
		{name: "no_data", records: "--\n" + soa, want: 0, ns: 1, ttl: 300},
		{name: "no_data_ttl_of_soa", records: "--\nexample. 100 SOA ns.example. host.example. 1 2 3 4 300", want: 0, ns: 1, ttl: 100},
		{name: "no_name", rcode: mdns.RcodeNameError, records: "--\n" + soa, want: 0, ns: 1, ttl: 300},
		{name: "no_name_at_the_end_of_a_chain", rcode: mdns.RcodeNameError, records: "www.example. 60 CNAME a.example.\n--\n" + soa, want: 1, ns: 1, ttl: 60},
		{name: "foreign_soa", rcode: mdns.RcodeNameError, records: "--\ntest. 600 SOA ns.example. host.example. 1 2 3 4 300", want: 0},
		{name: "no_soa", records: "", want: 0},
		{name: "referral", records: "--\nexample. 60 NS ns.example.", want: -1},
		{name: "circle", records: "www.example. 60 CNAME a.example.\na.example. 60 CNAME www.example.", want: -1},
		{name: "signatures_not_wanted", records: "www.example. 60 A 192.0.2.1\n" + sig("www.example.", "A"), want: 1, ttl: 60},
		{name: "signatures_wanted", do: true, records: "www.example. 60 A 192.0.2.1\n" + sig("www.example.", "A") + "\n" + sig("www.example.", "TXT"), want: 2, ttl: 60},
		{name: "proof_wanted", do: true, records: "--\n" + soa + "\n" + sig("example.", "SOA") + "\nexample. 60 NSEC www.example. A\ntest. 60 NSEC www.test. A", want: 0, ns: 3, ttl: 60},
		{name: "refused", rcode: mdns.RcodeRefused, want: -1},
		{name: "longer_than_a_day", records: "www.example. 999999 A 192.0.2.1", want: 1, ttl: 86400},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.qtype == 0 {
				c.qtype = mdns.TypeA
			}
			q := new(mdns.Msg).SetQuestion("wWw.eXample.", c.qtype)
			a, err := accept(keyOf(t, "www.example", c.qtype, c.do), sections(t, q, c.rcode, c.records), time.Now())
			if c.want < 0 {
				if err == nil {
					t.Error("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var dq dns.Query
			b, err := q.Pack()
			if err != nil {
				t.Fatal(err)
			}
			dq.Parse(b)
			var m mdns.Msg
			if err := m.Unpack(a.AppendTo(nil, &dq, 65535, time.Now())); err != nil {
				t.Fatal(err)
			}
			if len(m.Answer) != c.want || len(m.Ns) != c.ns || len(m.Extra) != 0 || a.TTL != c.ttl || m.Rcode != c.rcode {
				t.Errorf("TTL %d, want %d:\n%v", a.TTL, c.ttl, &m)
			}
		})
	}
}

func TestOddNamesAreComparedAsOctets(t *testing.T) {
	for _, name := range []string{`a\.b.example`, `it's.example`, `x\032y.example`, `\255\000.example`, `$ORIGIN.example`, `a"b;c(d)@e.example`, "."} {
		key := keyOf(t, name, mdns.TypeA, false)
		f := New(Config{}, [32]byte{1})
		q := f.question(key)
		sent, err := q.Pack()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		in, err := sections(t, q, 0, "").Pack()
		if err != nil {
			t.Fatal(err)
		}
		m, err := fits(sent, in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m.Answer = []mdns.RR{&mdns.TXT{Hdr: mdns.RR_Header{Name: m.Question[0].Name, Rrtype: mdns.TypeA, Class: 1, Ttl: 5}, Txt: []string{"x"}}}
		m.Answer[0] = &mdns.A{Hdr: *m.Answer[0].Header(), A: []byte{192, 0, 2, 1}}
		a, err := accept(key, m, time.Now())
		if err != nil || len(a.Records(dns.Name(key.Name))) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	key := keyOf(f, "www.example", mdns.TypeA, true)
	fw := New(Config{}, [32]byte{1})
	q := fw.question(key)
	sent, err := q.Pack()
	if err != nil {
		f.Fatal(err)
	}
	for _, records := range []string{"www.example. 60 A 192.0.2.1", "www.example. 60 CNAME a.example.\na.example. 60 A 192.0.2.1\n--\nexample. 600 SOA ns.example. host.example. 1 2 3 4 300"} {
		b, err := sections(f, q, 0, records).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[len(sent)-11:]) // what follows the question
	}
	f.Fuzz(func(t *testing.T, rest []byte) {
		for _, counts := range [][2]byte{{1, 0}, {2, 0}, {2, 1}, {0, 2}} {
			in := append([]byte{}, sent[:len(sent)-11]...)
			in[2] |= 0x80
			in[7], in[9], in[11] = counts[0], counts[1], 0
			m, err := fits(sent, append(in, rest...))
			if err != nil {
				return
			}
			a, err := accept(key, m, time.Now())
			if err != nil {
				return
			}
			name := dns.Name(key.Name)
			for _, rr := range a.Records(name) {
				owner, err := dns.ParseName(rr.Header().Name)
				if err != nil {
					t.Fatalf("owner %q: %v", rr.Header().Name, err)
				}
				onWay := string(owner) == key.Name || rr.Header().Rrtype == mdns.TypeDNAME
				for _, c := range a.Chain {
					onWay = onWay || string(owner) == string(c)
				}
				if !onWay {
					t.Fatalf("kept %v", rr)
				}
			}
		}
	})
}
