package dns

import (
	"fmt"
	"strings"
)

// A Domain is one entry of a domain list: a name that matches itself only, or
// a wildcard that matches the names below it. "*" alone is the wildcard of the
// root and matches everything.
// Route 53 Developer Guide, "Managing your own domain lists".
type Domain struct {
	Name     Name
	Wildcard bool
}

// ParseDomain reads a domain specification: "example.com", "*.example.com" or
// "*", in any case, with or without the final dot. The letters, digits,
// hyphens and underscores of host names are allowed. "*example.com", an
// asterisk that is not a whole label, is refused: AWS does not say what it matches.
func ParseDomain(s string) (Domain, error) {
	if s == "*" {
		return Domain{Name{0}, true}, nil
	}
	rest, wild := strings.CutPrefix(s, "*.")
	if err := checkHost(rest); err != nil {
		return Domain{}, fmt.Errorf("domain %.260q: %w", s, err)
	}
	n, err := ParseName(rest)
	if err != nil {
		return Domain{}, fmt.Errorf("domain %w", err)
	}
	return Domain{n, wild}, nil
}

func checkHost(s string) error {
	if len(s) > MaxName {
		return errNameLength
	}
	if s == "" || s == "." {
		return errLabel
	}
	for i := range len(s) {
		c := lower(s[i])
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' {
			continue
		}
		return fmt.Errorf("%q is not allowed in a domain", s[i])
	}
	return nil
}

// String returns the specification without the final dot.
func (d Domain) String() string {
	if !d.Wildcard {
		return strings.TrimSuffix(d.Name.String(), ".")
	}
	if len(d.Name) <= 1 {
		return "*"
	}
	return "*." + strings.TrimSuffix(d.Name.String(), ".")
}
