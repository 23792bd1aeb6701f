package format

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"sumun.dev/detect/prefix"
	"sumun.dev/engine/dns"
)

// maxAddresses bounds the addresses of a feed.
const maxAddresses = 4 << 20

// Feed reads a public feed of domains and addresses: one a line, which other columns
// may follow, or domains in the form of a hosts file, or Tor's list of exits
// ("ExitAddress 192.0.2.1 …"). Feeds have comments and now and then a broken line,
// which are skipped and counted; so are names without a dot, since all names below a
// feed's are meant, addresses that are not of the Internet, and prefixes as wide as
// a continent.
func Feed(r io.Reader, domain func(string) bool) (addresses []netip.Prefix, skipped int, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4<<10), 64<<10)
	for in.Scan() {
		line := in.Text()
		if i := strings.IndexAny(line, "#;"); i >= 0 {
			line = line[:i]
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "ExitAddress" && len(words) > 1 {
			words = words[1:2]
		}
		if a, err := netip.ParseAddr(words[0]); err == nil && len(words) > 1 && (a.IsUnspecified() || a.IsLoopback()) {
			words = words[1:] // of a hosts file
		}
		if p, ok := prefixOf(words); ok {
			if !prefix.Foreign(p) {
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

// prefixOf reads an address, a prefix, or the first and the last address of a prefix
// and its length.
func prefixOf(words []string) (netip.Prefix, bool) {
	a, err := netip.ParseAddr(words[0])
	if err != nil {
		return readPrefix(words[0])
	}
	if len(words) > 2 && isAddress(words[1]) {
		if bits, err := strconv.Atoi(words[2]); err == nil {
			if p, err := a.Prefix(bits); err == nil {
				return p, true
			}
		}
	}
	return readPrefix(words[0])
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
