package prefix

import (
	"net/netip"
	"testing"
)

func TestForeign(t *testing.T) {
	for s, want := range map[string]bool{
		"198.51.100.7/32": true, "203.0.113.0/24": true, "11.0.0.0/8": true, "2001:db8::/32": true, "2600:1f00::/24": true,
		"0.0.0.0/0": false, "128.0.0.0/1": false, "10.0.0.0/8": false, "127.0.0.1/32": false, "169.254.169.254/32": false, "224.0.0.1/32": false,
		"100.64.0.0/10": false, "100.64.1.1/32": false, "64:ff9b::/96": false, "64:ff9b::c633:6407/128": false, "::ffff:128.0.0.0/97": false, "::/0": false, "fe80::1/128": false, "fd00::/8": false,
	} {
		if got := Foreign(netip.MustParsePrefix(s)); got != want {
			t.Errorf("%s: %t", s, got)
		}
	}
}
