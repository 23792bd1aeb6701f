package securityhub

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sumun.dev/api/securityhubapi"
)

// A sorting is the order that a request asks for.
type sorting []sortKey

type sortKey struct {
	path []string
	desc bool
}

const (
	maxSorts   = 10
	maxSortKey = 100 // bytes of a value that count
)

// sortingOf reads sort criteria. Without any, what was updated last comes first.
func sortingOf(in []securityhubapi.SortCriterion) (sorting, error) {
	if len(in) > maxSorts {
		return nil, invalid("SortCriteria", fmt.Sprintf("data should NOT have more than %d items", maxSorts))
	}
	var all sorting
	for _, c := range in {
		at := slices.IndexFunc(attributes[:], func(a attribute) bool { return a.name == value(c.Field) && a.path != "" })
		if at < 0 {
			return nil, invalid("SortCriteria", "data.Field should be equal to one of the allowed values")
		}
		all = append(all, sortKey{split(attributes[at].path), value(c.SortOrder) == securityhubapi.SortOrderDesc})
	}
	return all, nil
}

// natural reports whether it is the order that findings are kept in, newest first.
func (o sorting) natural() bool {
	return len(o) == 0 || len(o) == 1 && o[0].desc && len(o[0].path) == 1 && o[0].path[0] == "UpdatedAt"
}

// A bookmark is where a finding stands in an order.
type bookmark struct {
	Keys []string
	Row  string // the newest first among equals
}

func bookmarkOf(after string) (*bookmark, error) {
	if after == "" {
		return nil, nil
	}
	b := new(bookmark)
	if err := json.Unmarshal([]byte(after), b); err != nil {
		return nil, fmt.Errorf("securityhub: bookmark: %w", err)
	}
	return b, nil
}

func (o sorting) at(k *kept) bookmark {
	b := bookmark{Row: k.Row}
	for _, key := range o {
		s := ""
		if values := valuesAt(k.parsed(), key.path); len(values) > 0 {
			if n, ok := values[0].(float64); ok {
				s = fmt.Sprintf("%032.9f", n)
			} else {
				s = text(values[0])
			}
		}
		if len(s) > maxSortKey {
			s = strings.ToValidUTF8(s[:maxSortKey], "")
		}
		b.Keys = append(b.Keys, s)
	}
	return b
}

func (o sorting) compare(a, b bookmark) int {
	for i, key := range o {
		c := strings.Compare(a.Keys[i], b.Keys[i])
		if key.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(b.Row, a.Row)
}
