package lint

import (
	"slices"
	"strconv"
	"strings"
)

// redundant finds statements that say the same as another but for their Sid and
// the order of their values.
func (l *linter) redundant(all []*statement) {
	seen := map[string]*statement{}
	for i, s := range all {
		said := canonical(s.node, true)
		if before := seen[said]; before != nil {
			name := before.path
			if sid := before.get("Sid"); sid != nil && sid.text != "" {
				name = sid.text
			}
			l.add("REDUNDANT_STATEMENT", s.node, name)
			continue
		}
		seen[said] = all[i]
	}
}

// canonical writes a value so that values that mean the same are the same text.
func canonical(n *node, statement bool) string {
	switch n.kind {
	case '{':
		var parts []string
		for _, m := range n.members {
			if !statement || m.name != "Sid" {
				parts = append(parts, strconv.Quote(m.name)+":"+canonical(m.value, false))
			}
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case '[':
		var parts []string
		for _, item := range n.items {
			parts = append(parts, canonical(item, false))
		}
		slices.Sort(parts)
		return strings.Join(parts, ",")
	}
	return strconv.Quote(n.text)
}
