package securityhub

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/securityhubapi"
)

// maxValues is how many filters one attribute can have. API Reference, "AwsSecurityFindingFilters".
const maxValues = 20

// A condition is what is asked of one attribute: the zero one asks nothing.
type condition struct {
	n     int                                    // how many filters there are
	why   string                                 // what is wrong with them; nothing when they are fine
	holds func(values []any, now time.Time) bool // whether an attribute's values meet them
}

// A criterion is a condition on what stands at a path.
type criterion struct {
	path []string
	condition
}

// criteriaOf reads filters. All attributes must match: they are joined by AND.
func criteriaOf(f *securityhubapi.AwsSecurityFindingFilters) ([]criterion, error) {
	if f == nil {
		return nil, nil
	}
	var all []criterion
	for _, a := range &attributes {
		c := a.of(f)
		switch {
		case c.n == 0:
			continue
		case c.n > maxValues:
			return nil, invalid("Filters."+a.name, "data should NOT have more than 20 items")
		case c.why != "":
			return nil, invalid("Filters."+a.name, c.why)
		}
		all = append(all, criterion{split(a.path), c})
	}
	return all, nil
}

func split(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, ".")
}

// meets reports whether a finding meets all criteria.
func (k *kept) meets(all []criterion, now time.Time) bool {
	if len(all) == 0 {
		return true
	}
	doc := k.parsed()
	return !slices.ContainsFunc(all, func(c criterion) bool { return !c.holds(valuesAt(doc, c.path), now) })
}

// parsed returns the finding's document; a document that cannot be read has no members.
func (k *kept) parsed() map[string]any {
	if k.seen == nil {
		k.seen = map[string]any{}
		_ = json.Unmarshal(k.Document, &k.seen) // encode wrote it
	}
	return k.seen
}

// valuesAt returns what stands at a path: several values when it leads through
// lists, none when it leads nowhere.
func valuesAt(at any, path []string) []any {
	if list, ok := at.([]any); ok {
		var all []any
		for _, x := range list {
			all = append(all, valuesAt(x, path)...)
		}
		return all
	}
	if at == nil {
		return nil
	}
	if len(path) == 0 {
		return []any{at}
	}
	object, ok := at.(map[string]any)
	if !ok {
		return nil
	}
	return valuesAt(object[path[0]], path[1:])
}
