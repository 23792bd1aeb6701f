package format

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const stix1 = `<?xml version="1.0" encoding="UTF-8"?>
<stix:STIX_Package xmlns:cybox="http://cybox.mitre.org/cybox-2" xmlns:stix="http://stix.mitre.org/stix-1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.2">
 <stix:Indicators><stix:Indicator xsi:type="indicator:IndicatorType"><indicator:Observable><cybox:Object>
  <cybox:Properties xsi:type="DomainNameObj:DomainNameObjectType"><DomainNameObj:Value condition="Equals">bad.example.com</DomainNameObj:Value></cybox:Properties>
 </cybox:Object></indicator:Observable></stix:Indicator></stix:Indicators>
 <stix:Observables><cybox:Observable><cybox:Object>
  <cybox:Properties xsi:type="AddressObject:AddressObjectType" category="ipv4-addr"><AddressObject:Address_Value condition="InclusiveBetween">192.0.2.0##comma##192.0.2.255</AddressObject:Address_Value></cybox:Properties>
  <cybox:Properties xsi:type="FileObj:FileObjectType"><FileObj:Value>not.a.domain.example</FileObj:Value></cybox:Properties>
 </cybox:Object></cybox:Observable></stix:Observables>
</stix:STIX_Package>`

const stix2 = `{"type":"bundle","id":"bundle--1","objects":[
 {"type":"indicator","id":"indicator--1","pattern":"[domain-name:value = 'bad.example.com' OR ipv4-addr:value = '192.0.2.1']","pattern_type":"stix"},
 {"type":"indicator","id":"indicator--2","revoked":true,"pattern":"[domain-name:value = 'gone.example.com']"},
 {"type":"indicator","id":"indicator--3","pattern":"[url:value = 'http://x.example/']"},
 {"type":"domain-name","id":"domain-name--1","value":"worse.example.com"}]}`

const fireEyeHeader = "reportId, title, threatScape, audience, cidr, domain, domainTimeOfLookup, networkIdentifier, ip, port, sha256\n"

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format, content string
		domains         []string
		addresses       int
		hashes          int
	}{
		{"TXT", "192.0.2.1\r\n192.0.2.0/24\n\nexample.com\nEXAMPLE.com.\n# a comment\n*.example.org\n" + strings.Repeat("ab", 32) + "\n", []string{"example.com", "*.example.org"}, 2, 1},
		{"TXT", "\ufeffexample.com", []string{"example.com"}, 0, 0},
		{"OTX_CSV", "Indicator type, Indicator, Description\nCIDR, 192.0.2.0/24, example\nIPv4, 198.51.100.1, example\nDomain name, example.net, \"an, example\"\nURL, http://x.example/, ignored\n", []string{"example.net"}, 2, 0},
		{"ALIEN_VAULT", "192.0.2.1#4#2#Malicious Host#KR##37.5,126.9#3\nwww.test.org#4#2#Malicious Host#CA#Brossard#45.4,-73.4#3\n", []string{"www.test.org"}, 1, 0},
		{"PROOF_POINT", "domain, category, score, first_seen, last_seen, ports (|)\nbad.example, 1, 100, 2000-01-01, 2000-01-01,\n203.0.113.1, 1, 100, 2000-01-01, 2000-01-01, 80\n", []string{"bad.example"}, 1, 0},
		{"PROOF_POINT", "ip, category, score, first_seen, last_seen, ports (|)\n203.0.113.1, 1, 100, 2000-01-01, 2000-01-01, 80\n", nil, 1, 0},
		{"FIRE_EYE", fireEyeHeader + "\n01-1, Example, Test, Operational, 192.0.2.0/24, , , Related, , ,\n01-2, Example, Test, Operational, , bad.example, , , 203.0.113.1, ,\n01-3, no indicator, Test, Operational, , , , , , ,\n", []string{"bad.example"}, 2, 0},
		{"STIX", stix1, []string{"bad.example.com"}, 1, 0},
		{"STIX", stix2, []string{"bad.example.com", "worse.example.com"}, 1, 0},
	} {
		e, err := Read(c.format, []byte(c.content), 100)
		if err != nil {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		if !slices.Equal(e.Domains, c.domains) || len(e.Addresses) != c.addresses || e.Hashes != c.hashes {
			t.Errorf("%s: %q, %v, %d hashes", c.format, e.Domains, e.Addresses, e.Hashes)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<a>", 100)
	for _, c := range []struct{ format, content, want string }{
		{"TXT", "", "no entries"}, {"TXT", "# nothing\n", "no entries"}, {"TXT", "good.example\nbad..example\n", "line 2"}, {"TXT", "*", "names nothing, or everything"},
		{"TXT", "2001:db8::1", "line 1"}, {"TXT", "a.example\nb.example\nc.example\nd.example", "more than 3 entries"},
		{"OTX_CSV", "a,b\nc,d\n", "header"}, {"OTX_CSV", "Indicator type, Indicator\nDomain name, no_good!\n", "line 2"},
		{"ALIEN_VAULT", "example.com", "line 1"}, {"PROOF_POINT", "a,b\nc,d", "line 2"}, {"FIRE_EYE", "a,b\nc,d\n", "reportId"},
		{"STIX", "", "no STIX_Package"}, {"STIX", "<STIX_Package>" + deep, "too deep"}, {"STIX", `{"type":"report"}`, "no STIX bundle"}, {"STIX", "{", "unexpected end"},
		{"STIX", `<!DOCTYPE x [<!ENTITY a "aaaa">]><STIX_Package><Properties type="DomainNameObjectType"><Value>&a;</Value></Properties></STIX_Package>`, "entity"},
		{"STIX", `<STIX_Package><Properties type="AddressObjectType"><Address_Value>10.0.0.9##comma##10.0.0.1</Address_Value></Properties></STIX_Package>`, "no range"},
		{"DOCX", "x", "no format"},
	} {
		e, err := Read(c.format, []byte(c.content), 3)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.40q: %+v, %v; want %q", c.format, c.content, e, err, c.want)
		}
	}
	if _, err := Read("TXT", make([]byte, MaxFile+1), 3); err == nil {
		t.Error("a file over 35 MB is read")
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		first, last string
		want        string
	}{
		{"192.0.2.0", "192.0.2.255", "[192.0.2.0/24]"}, {"192.0.2.1", "192.0.2.1", "[192.0.2.1/32]"}, {"0.0.0.0", "255.255.255.255", "[0.0.0.0/0]"},
		{"192.0.2.1", "192.0.2.6", "[192.0.2.1/32 192.0.2.2/31 192.0.2.4/31 192.0.2.6/32]"},
	} {
		got, err := blocks(c.first, c.last)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s-%s: %v %v", c.first, c.last, got, err)
		}
	}
	if all, err := blocks("0.0.0.1", "255.255.255.254"); err != nil || len(all) != 62 {
		t.Errorf("%d blocks, %v", len(all), err)
	}
}

func TestFeed(t *testing.T) {
	var got []string
	addresses, skipped, err := Feed(strings.NewReader("# hosts\n0.0.0.0 evil.example # c2\n127.0.0.1\tlocalhost\nbad.example\n*.wild.example\n<html>\ncom\n10.0.0.1\n\n"+
		"198.51.100.7\n203.0.113.0/24 ; SBL1\n2001:db8::/32\nExitAddress 192.0.2.9 2026-11-29 04:03:31\n0.0.0.0/0\n::1\n0.0.0.0\n::ffff:198.51.100.8\n"+
		"::ffff:128.0.0.0/97\n64:ff9b::/96\n100.64.0.0/10\n192.0.2.10\t5\n192.0.2.11 www.victim.example\n203.0.114.0 203.0.114.255 24 16\n"), func(d string) bool { got = append(got, d); return true })
	if err != nil || skipped != 10 || !slices.Equal(got, []string{"evil.example", "bad.example", "wild.example"}) {
		t.Errorf("%q, %d skipped, %v", got, skipped, err)
	}
	if fmt.Sprint(addresses) != "[198.51.100.7/32 203.0.113.0/24 2001:db8::/32 192.0.2.9/32 198.51.100.8/32 192.0.2.10/32 192.0.2.11/32 203.0.114.0/24]" {
		t.Errorf("%v", addresses)
	}
	if _, _, err := Feed(strings.NewReader(strings.Repeat("x", 1<<20)), func(string) bool { return true }); err == nil {
		t.Error("a line without end is read")
	}
}

func FuzzRead(f *testing.F) {
	for _, format := range []string{"TXT", "STIX", "OTX_CSV", "ALIEN_VAULT", "PROOF_POINT", "FIRE_EYE"} {
		f.Add(format, []byte("example.com\n*.example.org\n192.0.2.0/24"))
	}
	f.Add("STIX", []byte(stix1))
	f.Add("STIX", []byte(stix2))
	f.Add("OTX_CSV", []byte("Indicator type, Indicator, Description\nDomain name, example.net, \"x"))
	f.Add("FIRE_EYE", []byte(fireEyeHeader+"1,,,,10.0.0.0/8,a.example"))
	f.Fuzz(func(t *testing.T, format string, b []byte) {
		e, err := Read(format, b, 50)
		if err == nil && (e.Len() == 0 || e.Len() > 50) {
			t.Errorf("%s %q: %d entries", format, b, e.Len())
		}
	})
}

func FuzzFeed(f *testing.F) {
	f.Add("0.0.0.0 evil.example # c2\nbad.example\n198.51.100.0/24\nExitAddress 192.0.2.9 x\n::ffff:128.0.0.0/97\n192.0.2.0 192.0.2.255 24")
	f.Fuzz(func(t *testing.T, s string) {
		addresses, _, _ := Feed(strings.NewReader(s), func(d string) bool {
			if !strings.Contains(d, ".") || strings.HasPrefix(d, "*") {
				t.Errorf("%q from %q", d, s)
			}
			return true
		})
		for _, p := range addresses {
			if !p.IsValid() || p.Addr().Is4In6() || p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 20 || p.Addr().IsLoopback() {
				t.Errorf("%s from %q", p, s)
			}
		}
	})
}
