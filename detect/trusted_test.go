package detect

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/detect/record"
	"sumun.dev/detect/source/cloudtrail"
	"sumun.dev/finding"
)

// What any rule says of a call, it does not say when the account trusts the
// address that the call came from.
func TestCallsFromTrustedAddressesAreNotJudged(t *testing.T) {
	trusted, other := netip.MustParseAddr("203.0.113.111"), netip.MustParseAddr("203.0.113.112")
	calls, told := 0, 0
	for _, r := range Rules() {
		if r.Class != record.APIActivity || r.State != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join("rule", r.Name, "hit.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			rec, err := cloudtrail.Read(line)
			if err != nil || rec.API.ByService() {
				continue
			}
			rec.Account = "111122223333"
			rec.API.IP = trusted
			engine(t).See(rec, func(s finding.Suspicion) { t.Errorf("%s: %s", r.Name, s.Type) })
			rec.API.IP = other
			engine(t).See(rec, func(finding.Suspicion) { told++ })
			calls++
		}
	}
	if calls < 50 || told < calls/2 {
		t.Errorf("%d calls, of which %d are told of when they come from elsewhere: this tries nothing", calls, told)
	}
}
