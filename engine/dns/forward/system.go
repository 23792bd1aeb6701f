package forward

import (
	"fmt"
	"net/netip"

	mdns "github.com/miekg/dns"
)

// System returns the servers of a resolv.conf file, usually "/etc/resolv.conf".
// Nameservers that are no addresses are left out.
func System(file string) ([]netip.AddrPort, error) {
	c, err := mdns.ClientConfigFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("read upstream servers: %w", err)
	}
	var servers []netip.AddrPort
	for _, s := range c.Servers {
		if addr, err := netip.ParseAddr(s); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, 53))
		}
	}
	return servers, nil
}
