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
	seen := map[string]bool{}
	add := func(key string) {
		if lower := strings.ToLower(key); !seen[lower] {
			seen[lower] = true
			all = append(all, key)
		}
	}
	variables := func(p *part) { add(p.key) }
	for i := range d.Statements {
		s := &d.Statements[i]
		for j := range s.conditions {
			add(s.conditions[j].name)
			s.conditions[j].eachVariable(variables)
		}
		for j := range s.resources {
			s.resources[j].eachVariable(variables)
		}
	}
	slices.Sort(all)
	return all
}
