package triage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/engine/yamltext"
	"sumun.dev/finding"
)

// A Suppression is what somebody knows and does not want to be told again. A
// finding is suppressed when all that is named here is so of it.
type Suppression struct {
	Type      string `yaml:"type"`      // with * for anything: "Recon:*"
	Signal    string `yaml:"signal"`    // likewise
	Principal string `yaml:"principal"` // likewise: of who acted, or the instance or user that it is about
	Account   string `yaml:"account"`
	Until     string `yaml:"until"`  // a date or RFC 3339 time; what is seen from then on is told again
	Reason    string `yaml:"reason"` // for those who read it later; it has to be given

	until time.Time
}

// Bounds of a file of suppressions.
const (
	maxSuppressFile = 1 << 20
	maxSuppressions = 10_000
)

// ParseSuppressions reads a list of suppressions. Keys that it does not know are
// errors: a word misspelt would hide more than was meant.
func ParseSuppressions(b []byte) ([]Suppression, error) {
	if len(b) > maxSuppressFile {
		return nil, fmt.Errorf("is larger than %d bytes", maxSuppressFile)
	}
	var all []Suppression
	if err := yamltext.Strict(b, &all); err != nil {
		return nil, err
	}
	if len(all) > maxSuppressions {
		return nil, fmt.Errorf("has %d suppressions, more than %d", len(all), maxSuppressions)
	}
	for i := range all {
		if err := all[i].check(); err != nil {
			return nil, fmt.Errorf("suppression %d: %w", i+1, err)
		}
	}
	return all, nil
}

func (s *Suppression) check() error {
	switch {
	case s.Reason == "":
		return errors.New("reason: say why it is suppressed")
	case s.Type == "" && s.Signal == "" && s.Principal == "" && s.Account == "":
		return errors.New("names nothing and would hide everything: type, signal, principal or account")
	}
	if s.Until == "" {
		return nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s.Until); err == nil {
			s.until = t
			return nil
		}
	}
	return fmt.Errorf("until: %q is neither a date nor a time of RFC 3339", s.Until)
}

// Covers reports whether a finding about who is suppressed.
func (s *Suppression) Covers(f *finding.Finding, who string) bool {
	is := func(pattern, value string) bool { return pattern == "" || like(pattern, value) }
	return is(s.Type, f.Type) && is(s.Signal, f.Signal) && is(s.Principal, who) && is(s.Account, string(f.Account)) &&
		(s.until.IsZero() || f.LastSeen.Before(s.until))
}

// like reports whether s is what a pattern means; * in it stands for anything.
func like(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
