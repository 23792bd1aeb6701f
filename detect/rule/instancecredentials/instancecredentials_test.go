package instancecredentials

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sumun.dev/detect/baseline"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/enrich/enrichtest"
	"sumun.dev/detect/record"
	"sumun.dev/detect/rule"
	"sumun.dev/finding"
)

// An address book says whose network an address is in; that it is not AWS's, only
// AWS's ranges say.
func TestANetworkAloneIsNotOutside(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, b []byte) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	networks := write("asn.mmdb", enrichtest.MMDB(map[string]map[string]any{
		"198.51.100.0/24": {"autonomous_system_number": uint32(16509), "autonomous_system_organization": "AMAZON-02"},
		"203.0.113.0/24":  {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example"},
	}))
	clouds := write("ip-ranges.json", []byte(`{"prefixes":[{"ip_prefix":"198.51.100.0/24","region":"eu-west-1","service":"EC2"}]}`))
	other := write("cloud.json", []byte(`{"prefixes":[{"ipv4Prefix":"192.0.2.128/25","service":"Google Cloud","scope":"europe-west1"}]}`))
	for _, c := range []struct {
		why    string
		clouds []string
		ip     string
		told   bool
	}{
		{"an instance's own address, without ranges", nil, "198.51.100.9", false},
		{"the same, with those of another cloud", []string{other}, "198.51.100.9", false},
		{"the same, with AWS's", []string{clouds}, "198.51.100.9", false},
		{"a stranger's, with AWS's", []string{clouds}, "203.0.113.9", true},
		{"another cloud's", []string{other}, "192.0.2.200", true},
	} {
		net, err := enrich.Open(enrich.Files{MMDB: []string{networks}, Clouds: c.clouds})
		if err != nil {
			t.Fatal(err)
		}
		var got []finding.Suspicion
		s := &rule.Scene{Net: net, Normal: baseline.New(), State: Rule.State(), Report: func(s finding.Suspicion) { got = append(got, s) }}
		Rule.See(s, &record.Record{
			Class: record.APIActivity, Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Account: "111122223333",
			API: &record.API{Service: "s3.amazonaws.com", Operation: "ListBuckets", IP: netip.MustParseAddr(c.ip), Source: c.ip,
				Actor: record.Actor{Type: "AssumedRole", ID: "AROAEXAMPLE:i-0a1b2c3d4e5f60718", ARN: "arn:aws:sts::111122223333:assumed-role/app/i-0a1b2c3d4e5f60718", Account: "111122223333", AccessKey: "ASIAEXAMPLE"}},
		})
		if (len(got) == 1 && got[0].Type == typ) != c.told || len(got) > 1 {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}
