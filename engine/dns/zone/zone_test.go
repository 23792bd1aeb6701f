package zone_test

import (
	"fmt"
	"testing"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
	"sumun.dev/engine/dns/zone"
)

func TestFind(t *testing.T) {
	z, err := zone.New("Example.com.", []zone.Record{
		{"example.com", "MX", 300, []string{"10 mail.example.com.", "20 mail2.example.com."}},
		{"example.com.", "NS", 300, []string{"ns1.example.com."}},
		{"www.example.com", "A", 60, []string{"192.0.2.1", "192.0.2.2"}},
		{"www.example.com", "AAAA", 60, []string{"2001:db8::1"}},
		{"alias.example.com", "CNAME", 60, []string{"www.example.com."}},
		{"a.b.c.example.com", "TXT", 60, []string{`"one" "two"`}},
		{"*.wild.example.com", "A", 60, []string{"192.0.2.3"}},
		{"real.wild.example.com", "TXT", 60, []string{`"x"`}},
		{"_sip._tcp.example.com", "SRV", 60, []string{"1 2 5060 sip.example.com."}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, qtype string
		want        string // code, records, whether an SOA says that there is none
	}{
		{"www.example.com", "A", "NOERROR 2 false"},
		{"www.example.com", "TXT", "NOERROR 0 true"},
		{"example.com", "MX", "NOERROR 2 false"},
		{"example.com", "SOA", "NOERROR 1 false"},
		{"none.example.com", "A", "NXDOMAIN 0 true"},
		{"c.example.com", "A", "NOERROR 0 true"}, // nothing of its own, but something below
		{"x.c.example.com", "A", "NXDOMAIN 0 true"},
		{"x.wild.example.com", "A", "NOERROR 1 false"},
		{"y.x.wild.example.com", "A", "NOERROR 1 false"},
		{"x.wild.example.com", "TXT", "NOERROR 0 true"},
		{"real.wild.example.com", "A", "NOERROR 0 true"}, // exists: the wildcard does not stand for it
		{"x.real.wild.example.com", "A", "NXDOMAIN 0 true"},
		{"wild.example.com", "A", "NOERROR 0 true"},
		{"alias.example.com", "A", "NOERROR 1 false www.example.com."},
		{"alias.example.com", "CNAME", "NOERROR 1 false"},
		{"_sip._tcp.example.com", "SRV", "NOERROR 1 false"},
	} {
		n, err := dns.ParseName(c.name)
		if err != nil {
			t.Fatal(err)
		}
		f := z.Find(n, mdns.StringToType[c.qtype])
		got := fmt.Sprintf("%s %d %v", mdns.RcodeToString[f.Rcode], len(f.Answer), len(f.SOA) > 0)
		if f.Next != "" {
			got += " " + f.Next
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, c.qtype, got, c.want)
		}
		for _, rr := range f.Answer {
			if rr.Header().Name != n.String() {
				t.Errorf("%s: record of %s", c.name, rr.Header().Name)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, r := range map[string][]zone.Record{
		"outside":           {{"www.example.org", "A", 60, []string{"192.0.2.1"}}},
		"unknown type":      {{"www.example.com", "AAAAA", 60, []string{"192.0.2.1"}}},
		"bad value":         {{"www.example.com", "A", 60, []string{"192.0.2"}}},
		"a value's trick":   {{"www.example.com", "A", 60, []string{"192.0.2.1\nwww.example.org. A 192.0.2.2"}}},
		"no value":          {{"www.example.com", "A", 60, nil}},
		"empty value":       {{"www.example.com", "A", 60, []string{""}}},
		"comment for value": {{"www.example.com", "TXT", 60, []string{"; nothing"}}},
		"delegation":        {{"sub.example.com", "NS", 60, []string{"ns.example.com."}}},
		"two CNAMEs":        {{"www.example.com", "CNAME", 60, []string{"a.example.com.", "b.example.com."}}},
		"CNAME and others":  {{"www.example.com", "CNAME", 60, []string{"a.example.com."}}, {"www.example.com", "A", 60, []string{"192.0.2.1"}}},
		"CNAME at origin":   {{"example.com", "CNAME", 60, []string{"a.example.net."}}},
		"bad name":          {{"www..example.com", "A", 60, []string{"192.0.2.1"}}},
	} {
		if _, err := zone.New("example.com", r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseType(t *testing.T) {
	for in, want := range map[string]uint16{"A": 1, "TYPE28": 28, "SPF": 99, "TYPE65334": 65334} {
		if got, err := zone.ParseType(in); err != nil || got != want {
			t.Errorf("%s: %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "TYPE", "TYPE0", "TYPE65536", "TYPE-1", "a", "NOPE"} {
		if got, err := zone.ParseType(in); err == nil {
			t.Errorf("%q is type %d", in, got)
		}
	}
}
