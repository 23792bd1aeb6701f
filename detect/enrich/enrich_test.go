package enrich

import (
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/oschwald/maxminddb-golang/v2"

	"sumun.dev/detect/enrich/enrichtest"
)

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func files(t testing.TB) Files {
	city := enrichtest.MMDB(map[string]map[string]any{
		"198.51.100.0/24": {"country": map[string]any{"iso_code": "NL"}, "city": map[string]any{"names": map[string]any{"de": "Den Haag", "en": "The Hague"}}, "location": map[string]any{"latitude": 52.07, "longitude": 4.3}},
		"2001:db8::/32":   {"country": map[string]any{"iso_code": "SE"}, "traits": map[string]any{"x": []any{"y", uint64(1)}}},
	})
	asn := enrichtest.MMDB(map[string]map[string]any{"198.51.100.128/25": {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example Net"}, "192.0.2.0/24": {"is_public_proxy": true}})
	return Files{
		MMDB: []string{write(t, "city.mmdb", string(city)), write(t, "asn.mmdb", string(asn))},
		Clouds: []string{
			write(t, "ip-ranges.json", `{"syncToken":"1","createDate":"2026-01-01-00-00-00","prefixes":[{"ip_prefix":"203.0.113.0/24","region":"eu-west-1","service":"AMAZON","network_border_group":"eu-west-1"},{"ip_prefix":"203.0.113.0/25","region":"eu-west-1","service":"EC2"}],"ipv6_prefixes":[{"ipv6_prefix":"2001:db8:1::/48","region":"us-east-1","service":"AMAZON"}]}`),
			write(t, "cloud.json", `{"prefixes":[{"ipv4Prefix":"192.0.2.128/25","service":"Google Cloud","scope":"europe-west1"},{"ipv6Prefix":"2001:db8:2::/48","scope":"us-west1"}]}`),
			write(t, "azure.json", `{"cloud":"Public","values":[{"name":"AzureCloud.westeurope","properties":{"region":"westeurope","addressPrefixes":["198.51.100.16/28"]}}]}`),
		},
		Tor:   []string{write(t, "exits", "# exits\nExitNode ABC\nPublished 2026-01-01 00:00:00\nLastStatus 2026-01-01 01:00:00\nExitAddress 203.0.113.7 2026-01-01 02:00:00\n198.51.100.9\n")},
		VPN:   []string{write(t, "vpn", "198.51.100.0/24 # a provider\n\n")},
		Proxy: []string{write(t, "proxy", "2001:db8:1::1\n")},
	}
}

func TestLook(t *testing.T) {
	n, err := Open(files(t))
	if err != nil {
		t.Fatal(err)
	}
	hague := Place{Country: "NL", City: "The Hague", Latitude: 52.07, Longitude: 4.3, VPN: true}
	with := func(p Place, change func(*Place)) Place { change(&p); return p }
	for addr, want := range map[string]Place{
		"198.51.100.1":        hague,
		"::ffff:198.51.100.1": hague,
		"198.51.100.9":        with(hague, func(p *Place) { p.Tor = true }),
		"198.51.100.17":       with(hague, func(p *Place) { p.Cloud, p.CloudRegion = "Azure", "westeurope" }),
		"198.51.100.200":      with(hague, func(p *Place) { p.ASN, p.ASOrg = 64500, "Example Net" }),
		"203.0.113.1":         {Cloud: "AWS", CloudRegion: "eu-west-1"},
		"203.0.113.7":         {Cloud: "AWS", CloudRegion: "eu-west-1", Tor: true},
		"203.0.113.200":       {Cloud: "AWS", CloudRegion: "eu-west-1"},
		"192.0.2.200":         {Cloud: "GCP", CloudRegion: "europe-west1", Proxy: true},
		"2001:db8:1::1":       {Country: "SE", Cloud: "AWS", CloudRegion: "us-east-1", Proxy: true},
		"2001:db8:2::1":       {Country: "SE", Cloud: "GCP", CloudRegion: "us-west1"},
		"10.0.0.1":            {},
		"2001:db9::1":         {},
		"255.255.255.255":     {},
	} {
		a := netip.MustParseAddr(addr)
		for range 2 { // read, and kept
			if got := n.Look(a); got != want {
				t.Errorf("%s: %+v, want %+v", addr, got, want)
			}
		}
		if allocated := testing.AllocsPerRun(100, func() { n.Look(a) }); allocated > 0 {
			t.Errorf("%s: %f allocations", addr, allocated)
		}
	}
	if (&Net{}).Look(netip.MustParseAddr("10.0.0.1")) != (Place{}) || n.Look(netip.Addr{}) != (Place{}) {
		t.Error("something is known of nothing")
	}
}

func TestLookAtOnce(t *testing.T) {
	n, err := Open(files(t))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 2000 {
				if p := n.Look(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})); p.Country != "NL" {
					t.Errorf("%d: %+v", i, p)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestBrokenFiles(t *testing.T) {
	for name, f := range map[string]Files{
		"none":                {MMDB: []string{filepath.Join(t.TempDir(), "none")}},
		"no MMDB":             {MMDB: []string{write(t, "x", "hello")}},
		"no JSON":             {Clouds: []string{write(t, "x", "hello")}},
		"another JSON":        {Clouds: []string{write(t, "x", "{}")}},
		"a prefix is none":    {Clouds: []string{write(t, "x", `{"prefixes":[{"ip_prefix":"10.0.0.0/64"}]}`)}},
		"a line is none":      {Tor: []string{write(t, "x", "10.0.0.1\nhello\n")}},
		"an address has none": {VPN: []string{write(t, "x", "ExitAddress\n")}},
		"a zone":              {Proxy: []string{write(t, "x", "fe80::1%eth0\n")}},
	} {
		if _, err := Open(f); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// FuzzMMDB looks into files that somebody has written to do harm.
func FuzzMMDB(f *testing.F) {
	f.Add(enrichtest.MMDB(map[string]map[string]any{"198.51.100.0/24": {"country": map[string]any{"iso_code": "NL"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := maxminddb.OpenBytes(b)
		if err != nil {
			return
		}
		n := &Net{books: []book{newBook(file)}}
		for _, a := range []string{"198.51.100.1", "2001:db8::1", "0.0.0.0"} {
			n.Look(netip.MustParseAddr(a))
		}
	})
}

func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"prefixes":[{"ip_prefix":"203.0.113.0/24"}]}`))
	f.Add([]byte("ExitAddress 203.0.113.7 x\n10.0.0.0/8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		readCloud(b)
		readList(b, &Place{Tor: true})
	})
}

func BenchmarkLook(b *testing.B) {
	n, err := Open(files(b))
	if err != nil {
		b.Fatal(err)
	}
	a := netip.MustParseAddr("198.51.100.200")
	b.ReportAllocs()
	for b.Loop() {
		n.Look(a)
	}
}
