package policy

import (
	"cmp"
	"slices"
	"strings"
)

// An actionSet is the Action or NotAction of a statement. Hashes tell most that
// do not match without reading them, so that a policy of two thousand actions
// costs no more than its few that matter.
type actionSet struct {
	all      bool             // "*" or "*:*"
	keys     []uint64         // of the actions without wildcards, sorted
	names    []actionName     // in the order of keys
	services []serviceActions // sorted by id
	anywhere *serviceActions  // "*:Get*"
}

type actionName struct{ service, name string } // in lower case

// serviceActions are a service's actions with wildcards.
type serviceActions struct {
	id       uint32 // foldHash of service
	service  string // in lower case
	all      bool
	patterns [][]part // in lower case
}

// maxScan is up to how many actions are read through; more are searched.
const maxScan = 8

func actionKey(service, action uint32) uint64 { return uint64(service)<<32 | uint64(action) }

// compileActions compiles actions that have passed checkAction.
func compileActions(actions []string) actionSet {
	var set actionSet
	wild := map[string]*serviceActions{}
	for _, action := range actions {
		service, name, _ := strings.Cut(strings.ToLower(action), ":")
		switch {
		case service == "*" && strings.Trim(name, "*") == "":
			set.all = true
		case service == "*" || strings.ContainsAny(name, "*?"):
			if wild[service] == nil {
				wild[service] = &serviceActions{id: foldHash(service), service: service}
			}
			wild[service].add(name)
		default:
			set.names = append(set.names, actionName{service, name})
		}
	}
	slices.SortFunc(set.names, func(a, b actionName) int { return cmp.Compare(a.key(), b.key()) })
	for i := range set.names {
		set.keys = append(set.keys, set.names[i].key())
	}
	set.anywhere = wild["*"]
	delete(wild, "*")
	for _, s := range wild {
		set.services = append(set.services, *s)
	}
	slices.SortFunc(set.services, func(a, b serviceActions) int { return cmp.Compare(a.id, b.id) })
	return set
}

// only returns the key of the one action in the set, which has no wildcard.
func (a *actionSet) only() (uint64, bool) {
	if len(a.keys) != 1 || a.all || len(a.services) > 0 || a.anywhere != nil {
		return 0, false
	}
	return a.keys[0], true
}

func (n actionName) key() uint64 { return actionKey(foldHash(n.service), foldHash(n.name)) }

func (s *serviceActions) add(name string) {
	p, _ := compilePattern(name, true, false) // without variables nothing can be wrong
	switch p.mode {
	case anything:
		s.all = true
	case exactly:
		s.patterns = append(s.patterns, []part{{text: p.text}})
	case startsWith:
		s.patterns = append(s.patterns, []part{{text: p.text}, {kind: anyText}})
	default:
		s.patterns = append(s.patterns, p.parts)
	}
}

// has reports whether the set holds the action of the request, in any case.
func (a *actionSet) has(e *evaluation) bool {
	if a.all {
		return true
	}
	at := 0
	if len(a.keys) > maxScan {
		at, _ = slices.BinarySearch(a.keys, e.actionKey)
	}
	for ; at < len(a.keys) && a.keys[at] <= e.actionKey; at++ {
		if a.keys[at] == e.actionKey && equalFold(a.names[at].name, e.action) && equalFold(a.names[at].service, e.service) {
			return true
		}
	}
	at = 0
	if len(a.services) > maxScan {
		at, _ = slices.BinarySearchFunc(a.services, e.serviceID, func(s serviceActions, id uint32) int { return cmp.Compare(s.id, id) })
	}
	for ; at < len(a.services) && a.services[at].id <= e.serviceID; at++ {
		s := &a.services[at]
		if s.id == e.serviceID && s.has(e.action) && equalFold(s.service, e.service) {
			return true
		}
	}
	return a.anywhere != nil && a.anywhere.has(e.action)
}

func (s *serviceActions) has(action string) bool {
	if s.all {
		return true
	}
	for _, p := range s.patterns {
		switch {
		case p[0].kind == literal && !hasPrefix(action, p[0].text, true):
		case len(p) == 2 && p[0].kind == literal && p[1].kind == anyText, glob(p, nil, action, true):
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
