package policy

import (
	"slices"
	"strings"
)

// ContextKeys lists the condition keys that the document asks about: in its
// conditions, spelled as there, and as policy variables, in lower case. The list
// is sorted; a key stands in it once, whatever its cases.
func (d *Document) ContextKeys() []string {
	var all []string
	add := func(key string) {
		if !slices.ContainsFunc(all, func(k string) bool { return strings.EqualFold(k, key) }) {
			all = append(all, key)
		}
	}
	variables := func(p *pattern) {
		for i := range p.parts {
			if p.parts[i].kind == variable {
				add(p.parts[i].key)
			}
		}
	}
	patterns := func(a *arnPattern) {
		if a.whole != nil {
			variables(a.whole)
		}
		for i := range a.parts {
			variables(&a.parts[i])
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		for j := range s.conditions {
			c := &s.conditions[j]
			add(c.name)
			for k := range c.patterns {
				variables(&c.patterns[k])
			}
			for k := range c.arns {
				patterns(&c.arns[k])
			}
		}
		for j := range s.resources {
			patterns(&s.resources[j])
		}
	}
	slices.Sort(all)
	return all
}
