package format

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"sumun.dev/engine/dns"
)

// maxAddresses bounds the addresses of a feed.
const maxAddresses = 4 << 20

// Feed reads a public feed of domains and addresses: one a line, or domains in the
// form of a hosts file, or Tor's list of exits ("ExitAddress 192.0.2.1 …"). Feeds
// have comments and now and then a broken line, which are skipped and counted; so are
// names without a dot, since all names below a feed's are meant, addresses that are
// not of the Internet, and prefixes as wide as a continent.
func Feed(r io.Reader, domain func(string) bool) (addresses []netip.Prefix, skipped int, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4<<10), 64<<10)
	for in.Scan() {
		line, _, _ := strings.Cut(in.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "ExitAddress" && len(words) > 1 {
			words = words[1:2]
		}
		if isAddress(words[0]) && len(words) > 1 {
			words = words[1:]
		}
		if p, ok := prefixOf(words[0]); ok {
			if !foreign(p) {
				skipped++
				continue
			}
			if addresses = append(addresses, p); len(addresses) > maxAddresses {
				return nil, skipped, fmt.Errorf("it has more than %d addresses", maxAddresses)
			}
			continue
		}
		d, err := dns.ParseDomain(strings.TrimPrefix(words[0], "*."))
		if err != nil || d.Wildcard || !strings.Contains(d.String(), ".") || isAddress(d.String()) {
			skipped++
			continue
		}
		if !domain(d.String()) {
			return addresses, skipped, nil
		}
	}
	return addresses, skipped, in.Err()
}

// prefixOf reads an address or a prefix.
func prefixOf(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil
}

// foreign reports whether addresses are of the Internet, and not of half of it.
func foreign(p netip.Prefix) bool {
	a := p.Addr()
	return a.IsGlobalUnicast() && !a.IsPrivate() && (a.Is4() && p.Bits() >= 8 || a.Is6() && p.Bits() >= 20)
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
