package reach_test

import (
	"net/netip"
	"testing"

	"sumun.dev/engine/reach"
)

// What a URL of a user's leads to: the internet, and nothing around the plane,
// however an address is written.
func TestOnlyPublicAddressesAreReached(t *testing.T) {
	for address, reached := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true, "[::ffff:8.8.8.8]:443": true,

		"0.0.0.0:443": false, "127.0.0.1:443": false, "10.1.2.3:443": false, "172.16.0.1:443": false, "192.168.0.1:443": false,
		"169.254.169.254:80": false, "100.64.0.1:443": false, "192.0.0.1:443": false, "192.0.2.1:443": false, "192.88.99.1:443": false,
		"198.18.0.1:443": false, "198.51.100.1:443": false, "203.0.113.1:443": false, "224.0.0.1:443": false, "240.0.0.1:443": false, "255.255.255.255:443": false,

		"[::]:443": false, "[::1]:443": false, "[::ffff:127.0.0.1]:443": false, "[::ffff:169.254.169.254]:80": false, "[::127.0.0.1]:443": false,
		"[fe80::1%eth0]:443": false, "[fc00::1]:443": false, "[fd00:ec2::254]:80": false, "[fec0::1]:443": false, "[ff02::1]:443": false,
		"[64:ff9b::7f00:1]:443": false, "[64:ff9b:1::1]:443": false, "[100::1]:443": false, "[2001::1]:443": false, "[2001:db8::1]:443": false,
		"[2002:7f00:1::]:443": false, "[3fff::1]:443": false, "[5f00::1]:443": false,
	} {
		if err := (reach.Networks)(nil).Control("tcp", address, nil); (err == nil) != reached {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestNetworksAreReachedBesides(t *testing.T) {
	n := reach.Networks{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}
	for address, reached := range map[string]bool{
		"10.1.2.3:443": true, "[::ffff:10.1.2.3]:443": true, "[fd00:1::2]:443": true, "8.8.8.8:443": true,
		"10.2.0.1:443": false, "[fd00:2::1]:443": false, "example.com:443": false, "": false,
	} {
		if err := n.Control("tcp", address, nil); (err == nil) != reached {
			t.Errorf("%s: %v", address, err)
		}
	}
}
