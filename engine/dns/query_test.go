package dns_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
)

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		".": ".", "com": "com.", "WWW.Example.com.": "www.example.com.", `a\.b.c`: `a\046b.c.`, `a\046.b.c`: `a\046.b.c.`, `a\032b.c`: `a\032b.c.`, `\065.c`: "a.c.",
	} {
		if got := name(t, in).String(); got != want {
			t.Errorf("%q reads as %q, want %q", in, got, want)
		}
	}
	for _, s := range []string{"", "..", "a..b", ".a", `a\`, `a\25`, `a\256`, `a\2x6`, strings.Repeat("a", 64), strings.Repeat("abc.", 64)} {
		if n, err := dns.ParseName(s); err == nil {
			t.Errorf("%q reads as %v", s, n)
		}
	}
	if !name(t, "a.b.c").Under(name(t, "b.c")) || name(t, "ab.c").Under(name(t, "b.c")) || !name(t, "a").Under(name(t, ".")) || name(t, "c").Under(name(t, "b.c")) {
		t.Error("Under is wrong")
	}
}

func pack(t testing.TB, m *mdns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ask(s string, qtype uint16) *mdns.Msg {
	m := new(mdns.Msg).SetQuestion(s, qtype)
	m.Id = 4711
	return m
}

func TestQueryParse(t *testing.T) {
	var q dns.Query
	rcode, answer := q.Parse(pack(t, ask("WwW.example.com.", mdns.TypeAAAA).SetEdns0(4096, true)))
	if rcode != dns.Success || !answer || q.Name().String() != "www.example.com." || q.Type != dns.TypeAAAA ||
		!q.EDNS || !q.DO || q.UDPSize != 4096 || !q.RD() || q.UDPLimit() != 1232 {
		t.Errorf("rcode %d, %+v", rcode, q)
	}
	rcode, _ = q.Parse(pack(t, ask("b.", mdns.TypeA)))
	if rcode != dns.Success || q.EDNS || q.DO || q.UDPLimit() != 512 || q.Name().String() != "b." {
		t.Errorf("the query before shows: rcode %d, %+v", rcode, q)
	}
}

func TestQueryParseRefuses(t *testing.T) {
	good := pack(t, ask("www.example.com.", mdns.TypeA).SetEdns0(1232, false))
	edit := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for _, c := range []struct {
		name   string
		msg    []byte
		rcode  int
		answer bool
	}{
		{"empty", nil, dns.FormatError, false},
		{"half a header", good[:11], dns.FormatError, false},
		{"a response", edit(func(b []byte) []byte { b[2] |= 0x80; return b }), dns.FormatError, false},
		{"an update", edit(func(b []byte) []byte { b[2] |= 5 << 3; return b }), dns.NotImplemented, true},
		{"no question", edit(func(b []byte) []byte { b[5] = 0; return b }), dns.FormatError, true},
		{"two questions", edit(func(b []byte) []byte { b[5] = 2; return b }), dns.FormatError, true},
		{"an answer in the question", edit(func(b []byte) []byte { b[7] = 1; return b }), dns.FormatError, true},
		{"a compressed name", edit(func(b []byte) []byte { b[12], b[13] = 0xc0, 12; return b }), dns.FormatError, true},
		{"cut in the name", good[:20], dns.FormatError, true},
		{"cut in the type", good[:30], dns.FormatError, true},
		{"cut in the OPT record", good[:len(good)-3], dns.FormatError, true},
		{"a record that is not there", edit(func(b []byte) []byte { b[11] = 2; return b }), dns.FormatError, true},
		{"two OPT records", edit(func(b []byte) []byte { b[11] = 2; return append(b, b[len(b)-11:]...) }), dns.FormatError, true},
		{"EDNS version 1", edit(func(b []byte) []byte { b[len(b)-5] = 1; return b }), dns.BadVersion, true},
		{"a name of 300 octets", append(bytes.Clone(good[:12]), append(bytes.Repeat([]byte("\x09123456789"), 30), 0, 0, 1, 0, 1)...), dns.FormatError, true},
	} {
		var q dns.Query
		rcode, answer := q.Parse(c.msg)
		if rcode != c.rcode || answer != c.answer {
			t.Errorf("%s: rcode %d, answer %v", c.name, rcode, answer)
		}
		if answer {
			var m mdns.Msg
			if err := m.Unpack(q.AppendEmpty(nil, rcode)); err != nil || !m.Response || m.Id != 4711 || m.Rcode != c.rcode {
				t.Errorf("%s: reply %v, %v", c.name, &m, err)
			}
		}
	}
}

func answerOf(t *testing.T, records ...string) *mdns.Msg {
	t.Helper()
	m := new(mdns.Msg).SetReply(ask("www.example.com.", mdns.TypeA))
	for _, r := range records {
		rr, err := mdns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func TestAnswerIsWrittenForEachAsker(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	a, err := dns.NewAnswer(answerOf(t, "www.example.com. 300 IN CNAME cdn.example.net.", "cdn.example.net. 60 IN A 192.0.2.7"), now)
	if err != nil {
		t.Fatal(err)
	}
	if a.TTL != 60 || len(a.Chain) != 1 || a.Chain[0].String() != "cdn.example.net." {
		t.Errorf("TTL %d, chain %v", a.TTL, a.Chain)
	}
	var q dns.Query
	q.Parse(pack(t, ask("wWw.ExAmPlE.cOm.", mdns.TypeA).SetEdns0(1232, false)))
	later := now.Add(25 * time.Second)
	var m mdns.Msg
	if err := m.Unpack(a.AppendTo(nil, &q, 1232, later)); err != nil {
		t.Fatal(err)
	}
	if m.Id != 4711 || m.Question[0].Name != "wWw.ExAmPlE.cOm." || m.Answer[0].Header().Name != "wWw.ExAmPlE.cOm." ||
		m.Answer[0].Header().Ttl != 275 || m.Answer[1].Header().Ttl != 35 || m.IsEdns0() == nil {
		t.Errorf("after 25 s:\n%v", &m)
	}
	if a.Left(later) != 35 || a.Left(now.Add(time.Minute)) != 0 {
		t.Error("Left is wrong")
	}
	if got := a.Records(name(t, "www.example.com")); len(got) != 2 || got[1].(*mdns.A).A.String() != "192.0.2.7" {
		t.Errorf("records: %v", got)
	}
}

func TestAnswerThatDoesNotFitIsTruncated(t *testing.T) {
	var records []string
	for range 40 {
		records = append(records, `www.example.com. 60 IN TXT "0123456789012345678901234567890123456789"`)
	}
	a, err := dns.NewAnswer(answerOf(t, records...), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var q dns.Query
	q.Parse(pack(t, ask("www.example.com.", mdns.TypeTXT)))
	var m mdns.Msg
	out := a.AppendTo(nil, &q, q.UDPLimit(), time.Now())
	if err := m.Unpack(out); err != nil || !m.Truncated || len(m.Answer) != 0 || len(out) > 512 {
		t.Errorf("%d octets, %v, %v", len(out), &m, err)
	}
	if err := m.Unpack(a.AppendTo(nil, &q, 65535, time.Now())); err != nil || m.Truncated || len(m.Answer) != 40 {
		t.Errorf("by TCP: %v, %v", &m, err)
	}
}

func TestReadyMadeAnswers(t *testing.T) {
	var q dns.Query
	q.Parse(pack(t, ask("bad.example.com.", mdns.TypeA)))
	for _, c := range []struct {
		name   string
		answer *dns.Answer
		rcode  int
		record string
	}{
		{"NODATA", dns.NewEmpty(dns.Success, 10), mdns.RcodeSuccess, "bad.example.com.\t10\tIN\tSOA\tbad.example.com. nobody.invalid. 1 3600 1200 604800 10"},
		{"NXDOMAIN", dns.NewEmpty(dns.NameError, 10), mdns.RcodeNameError, "bad.example.com.\t10\tIN\tSOA\tbad.example.com. nobody.invalid. 1 3600 1200 604800 10"},
		{"alias", dns.NewAlias(name(t, "sink.test"), 7), mdns.RcodeSuccess, "bad.example.com.\t7\tIN\tCNAME\tsink.test."},
		{"minimal", dns.NewMinimal(), mdns.RcodeSuccess, "bad.example.com.\t3789\tIN\tHINFO\t\"RFC8482\" \"\""},
	} {
		var m mdns.Msg
		if err := m.Unpack(c.answer.AppendTo(nil, &q, 512, time.Now())); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		all := append(m.Answer, m.Ns...)
		if m.Rcode != c.rcode || len(all) != 1 || all[0].String() != c.record {
			t.Errorf("%s:\n%v", c.name, &m)
		}
	}
}

func FuzzQueryParse(f *testing.F) {
	f.Add(pack(f, ask("www.example.com.", mdns.TypeA).SetEdns0(1232, true)))
	f.Add(pack(f, ask(".", mdns.TypeNS)))
	f.Add(bytes.Repeat([]byte{0xc0}, 40))
	a := dns.NewEmpty(dns.NameError, 10)
	f.Fuzz(func(t *testing.T, msg []byte) {
		var q dns.Query
		rcode, answer := q.Parse(msg)
		if !answer {
			return
		}
		var m mdns.Msg
		if err := m.Unpack(q.AppendEmpty(nil, rcode)); err != nil {
			t.Fatalf("empty reply: %v", err)
		}
		if rcode != dns.Success {
			return
		}
		if err := m.Unpack(a.AppendTo(nil, &q, q.UDPLimit(), time.Now())); err != nil {
			t.Fatalf("reply: %v", err)
		}
		again, err := dns.ParseName(q.Name().String())
		if err != nil || !bytes.Equal(again, q.Name()) {
			t.Fatalf("%x is written %s, and read %x, %v", q.Name(), q.Name(), again, err)
		}
	})
}
