// Package reach decides which addresses the plane may connect to when a user says where.
package reach

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Networks are those that may be reached besides the public addresses. What a user
// enters as a URL must not make the plane ask the machines around it (server-side
// request forgery).
type Networks []netip.Prefix

// Control refuses connections to other addresses. It is a net.Dialer's Control,
// called after names are resolved.
func (n Networks) Control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := to.Addr().Unmap().WithZone("")
	for _, network := range n {
		if network.Contains(ip) {
			return nil
		}
	}
	if !public(ip) {
		return fmt.Errorf("%s is not a public address", ip)
	}
	return nil
}

// public reports whether ip is an address of the internet. IANA special-purpose
// address registries, RFC 6890.
func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10", "::/96",
	} {
		if netip.MustParsePrefix(text).Contains(ip) {
			return false
		}
	}
	return true
}
