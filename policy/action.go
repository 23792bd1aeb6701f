package policy

import (
	"slices"
	"strings"
)

// An actionSet is the Action or NotAction of a statement, by service, so that a
// policy of two thousand actions costs no more than its few that matter. Hashes
// tell most that do not match without reading them.
type actionSet struct {
	all      bool // "*" or "*:*"
	services []serviceActions
	anywhere *serviceActions // "*:Get*"
}

type serviceActions struct {
	id       uint32 // foldHash of service
	service  string // in lower case
	all      bool
	names    []actionName // sorted by id
	patterns [][]part     // with wildcards, in lower case
}

type actionName struct {
	id   uint32 // foldHash of name
	name string // in lower case
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
		set.services[i].sort()
	}
	if set.anywhere != nil {
		set.anywhere.sort()
	}
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
		a.services = append(a.services, serviceActions{id: foldHash(service), service: service})
	}
	return &a.services[i]
}

func (s *serviceActions) add(name string) {
	p, _ := compilePattern(name, true, false) // without variables nothing can be wrong
	switch p.mode {
	case anything:
		s.all = true
	case exactly:
		s.names = append(s.names, actionName{foldHash(p.text), p.text})
	case startsWith:
		s.patterns = append(s.patterns, []part{{text: p.text}, {kind: anyText}})
	default:
		s.patterns = append(s.patterns, p.parts)
	}
}

func (s *serviceActions) sort() {
	slices.SortFunc(s.names, func(a, b actionName) int { return int(int64(a.id) - int64(b.id)) })
}

// has reports whether the set holds the action of the request, in any case.
func (a *actionSet) has(e *evaluation) bool {
	if a.all {
		return true
	}
	for i := range a.services {
		s := &a.services[i]
		if s.id == e.serviceID && equalFold(s.service, e.service) {
			if s.has(e.action, e.actionID) {
				return true
			}
			break
		}
	}
	return a.anywhere != nil && a.anywhere.has(e.action, e.actionID)
}

func (s *serviceActions) has(action string, id uint32) bool {
	if s.all {
		return true
	}
	at := 0
	if len(s.names) > 8 {
		at, _ = slices.BinarySearchFunc(s.names, id, func(n actionName, id uint32) int { return int(int64(n.id) - int64(id)) })
	}
	for ; at < len(s.names) && s.names[at].id <= id; at++ {
		if s.names[at].id == id && equalFold(s.names[at].name, action) {
			return true
		}
	}
	for _, p := range s.patterns {
		if p[0].kind == literal && !hasPrefix(action, p[0].text, true) {
			continue
		}
		if len(p) == 2 && p[0].kind == literal && p[1].kind == anyText {
			return true
		}
		if glob(p, nil, action, true) {
			return true
		}
	}
	return false
}

// foldHash hashes s in ASCII lower case (FNV-1a). What has equal hashes is still
// compared.
func foldHash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(lower(s[i]))) * 16777619
	}
	return h
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// equalFold compares folded, which is in lower case, with s in ASCII lower case.
func equalFold(folded, s string) bool {
	if len(folded) != len(s) {
		return false
	}
	for i := range len(s) {
		if folded[i] != lower(s[i]) {
			return false
		}
	}
	return true
}
