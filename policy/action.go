package policy

import (
	"slices"
	"strings"
)

// An actionSet is the Action or NotAction of a statement, sorted by service so
// that a policy of two thousand actions costs no more than its few that matter.
type actionSet struct {
	all      bool // "*" or "*:*"
	services []serviceActions
	anywhere *serviceActions // "*:Get*"
}

type serviceActions struct {
	service  string // in lower case
	all      bool
	names    []string // in lower case, sorted
	patterns [][]part // with wildcards, in lower case
}

// compileActions compiles actions that have passed checkAction.
func compileActions(actions []string) actionSet {
	var set actionSet
	for _, action := range actions {
		service, name, _ := strings.Cut(strings.ToLower(action), ":")
		if service == "*" && strings.Trim(name, "*") == "" {
			set.all = true
			continue
		}
		set.in(service).add(name)
	}
	for i := range set.services {
		slices.Sort(set.services[i].names)
	}
	slices.SortFunc(set.services, func(a, b serviceActions) int { return strings.Compare(a.service, b.service) })
	return set
}

func (a *actionSet) in(service string) *serviceActions {
	if service == "*" {
		if a.anywhere == nil {
			a.anywhere = &serviceActions{}
		}
		return a.anywhere
	}
	i := slices.IndexFunc(a.services, func(s serviceActions) bool { return s.service == service })
	if i < 0 {
		i = len(a.services)
		a.services = append(a.services, serviceActions{service: service})
	}
	return &a.services[i]
}

func (s *serviceActions) add(name string) {
	p, _ := compilePattern(name, true, false) // without variables nothing can be wrong
	switch p.mode {
	case anything:
		s.all = true
	case exactly:
		s.names = append(s.names, p.text)
	case startsWith:
		s.patterns = append(s.patterns, []part{{text: p.text}, {kind: anyText}})
	default:
		s.patterns = append(s.patterns, p.parts)
	}
}

// has reports whether the set holds service:name, in any case.
func (a *actionSet) has(service, name string) bool {
	if a.all {
		return true
	}
	if a.anywhere != nil && a.anywhere.has(name) {
		return true
	}
	i, found := slices.BinarySearchFunc(a.services, service, func(s serviceActions, service string) int {
		return compareFold(s.service, service)
	})
	return found && a.services[i].has(name)
}

func (s *serviceActions) has(name string) bool {
	if s.all {
		return true
	}
	if _, found := slices.BinarySearchFunc(s.names, name, compareFold); found {
		return true
	}
	for _, p := range s.patterns {
		if p[0].kind == literal && !hasPrefix(name, p[0].text, true) {
			continue
		}
		if glob(p, nil, name, true) {
			return true
		}
	}
	return false
}

// compareFold orders lower, which is in lower case, and s by their ASCII lower case.
func compareFold(lower, s string) int {
	for i := range min(len(lower), len(s)) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if lower[i] != c {
			return int(lower[i]) - int(c)
		}
	}
	return len(lower) - len(s)
}
