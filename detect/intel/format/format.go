// Package format reads threat lists in the formats that GuardDuty takes.
//
// The formats are those of the GuardDuty User Guide, "Customizing threat detection
// with entity lists and IP address lists", "List formats". Content comes from
// strangers: all that is kept is bounded by Limits, and an entry that is wrong
// fails the list with its line.
package format

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"sumun.dev/engine/dns"
)

// Entries are what a list names.
type Entries struct {
	Domains   []string // in lower case, "*.example.com" among them; each once
	Addresses []netip.Prefix
	Hashes    int // SHA-256 of files

	seen map[string]struct{}
	max  int
	six  bool // addresses of IPv6 are taken too
}

// Len counts all entries.
func (e *Entries) Len() int { return len(e.Domains) + len(e.Addresses) + e.Hashes }

// Limits of a list's content.
const MaxFile = 35 << 20 // bytes

var (
	errSize  = errors.New("the file is larger than 35 MB")
	errEmpty = errors.New("the list has no entries")
)

// Read reads a list of at most max entries. The format's name is the API's: TXT,
// STIX, OTX_CSV, ALIEN_VAULT, PROOF_POINT or FIRE_EYE.
func Read(format string, content []byte, max int) (*Entries, error) {
	if len(content) > MaxFile {
		return nil, errSize
	}
	e := &Entries{seen: map[string]struct{}{}, max: max}
	var err error
	switch format {
	case "TXT":
		err = readLines(e, content)
	case "STIX":
		err = readSTIX(e, content)
	case "OTX_CSV":
		err = readOTX(e, content)
	case "ALIEN_VAULT":
		err = readAlienVault(e, content)
	case "PROOF_POINT":
		err = readProofPoint(e, content)
	case "FIRE_EYE":
		err = readFireEye(e, content)
	default:
		err = fmt.Errorf("there is no format %q", format)
	}
	if err != nil {
		return nil, err
	}
	if e.Len() == 0 {
		return nil, errEmpty
	}
	e.seen = nil
	return e, nil
}

// Plain reads a list that an operator keeps: TXT, with addresses of IPv6, which
// GuardDuty does not take, and with comments behind entries.
func Plain(content []byte, max int) (*Entries, error) {
	if len(content) > MaxFile {
		return nil, errSize
	}
	e := &Entries{seen: map[string]struct{}{}, max: max, six: true}
	for n, line := range lines(content) {
		if i := strings.IndexAny(line, "#;"); i >= 0 {
			line = strings.TrimSpace(line[:i])
		}
		if line == "" {
			continue
		}
		if err := e.add(line); err != nil {
			return nil, at(n, err)
		}
	}
	if e.Len() == 0 {
		return nil, errEmpty
	}
	e.seen = nil
	return e, nil
}

// add takes an entry, whatever it is.
func (e *Entries) add(s string) error {
	s = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ".")
	if _, twice := e.seen[s]; twice {
		return nil
	}
	if e.Len() >= e.max {
		return fmt.Errorf("the list has more than %d entries", e.max)
	}
	switch {
	case isHash(s):
		e.Hashes++
	case s == "", s == "*":
		return fmt.Errorf("%q names nothing, or everything", s)
	default:
		if p, ok := readPrefix(s); ok && (e.six || p.Addr().Is4()) {
			e.Addresses = append(e.Addresses, p)
			break
		}
		d, err := dns.ParseDomain(s)
		if err != nil {
			return err
		}
		e.Domains = append(e.Domains, d.String())
	}
	e.seen[s] = struct{}{}
	return nil
}

// readPrefix reads an address or a CIDR block.
func readPrefix(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}

func isHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// at says where in the list an error is.
func at(line int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", line, err)
}
