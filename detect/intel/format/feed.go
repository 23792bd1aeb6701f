package format

import (
	"bufio"
	"io"
	"net/netip"
	"strings"

	"sumun.dev/engine/dns"
)

// Feed reads a public feed of domains: one a line, or in the form of a hosts
// file. Feeds have comments and now and then a broken line, which are skipped and
// counted; so are names without a dot, since all names below a feed's are meant.
func Feed(r io.Reader, yield func(domain string) bool) (skipped int, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4<<10), 64<<10)
	for in.Scan() {
		line, _, _ := strings.Cut(in.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if _, err := netip.ParseAddr(words[0]); err == nil && len(words) > 1 {
			words = words[1:]
		}
		name := strings.TrimPrefix(words[0], "*.")
		d, err := dns.ParseDomain(name)
		if err != nil || d.Wildcard || !strings.Contains(d.String(), ".") || isAddress(d.String()) {
			skipped++
			continue
		}
		if !yield(d.String()) {
			return skipped, nil
		}
	}
	return skipped, in.Err()
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
