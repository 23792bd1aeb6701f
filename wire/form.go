package wire

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sumun.dev/aws"
)

// A pair is one parameter of a query string or form, decoded.
type pair struct{ name, value string }

// parsePairs splits a query string or form. Bytes that are not validly escaped
// are refused rather than skipped.
func parsePairs(s string, limit int) ([]pair, error) {
	if s == "" {
		return nil, nil
	}
	if n := strings.Count(s, "&") + 1; n > limit {
		return nil, tooMuch("too many parameters")
	}
	out := make([]pair, 0, strings.Count(s, "&")+1)
	for part := range strings.SplitSeq(s, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, &aws.Error{Code: "MalformedQueryString", Status: 400, Message: "The query string contains a syntax error."}
		}
		out = append(out, pair{n, v})
	}
	return out, nil
}

// A param is a parameter of the query protocols together with those below it:
// Tags.member.1.Key is four levels deep.
type param struct {
	value string
	has   bool
	kids  map[string]*param
}

// maxParamBytes is about what a param and its place in a map take in memory.
const maxParamBytes = 400

// paramTree arranges pairs by their dotted names, those whose first part known
// knows. A parameter given twice is refused: two readers could disagree about
// which one counts.
func paramTree(pairs []pair, st *state, known func(string) bool) (*param, error) {
	root := &param{}
	for _, p := range pairs {
		if top, _, _ := strings.Cut(p.name, "."); !known(top) {
			continue
		}
		node := root
		level := 0
		for part := range strings.SplitSeq(p.name, ".") {
			// Each level of nesting takes up to three parts: name, member, number.
			if level++; level > 3*st.limits.Depth {
				return nil, tooMuch("too many levels of nesting")
			}
			kid := node.kids[part]
			if kid == nil {
				if err := st.grow(maxParamBytes); err != nil {
					return nil, err
				}
				if node.kids == nil {
					node.kids = map[string]*param{}
				}
				kid = &param{}
				node.kids[part] = kid
			}
			node = kid
		}
		if node.has {
			return nil, &aws.Error{Code: "MalformedQueryString", Status: 400, Message: "The parameter " + clip(p.name) + " is given more than once."}
		}
		node.value, node.has = p.value, true
	}
	return root, nil
}

// numbered returns the children that are numbers, in their order: 1, 2, 10.
func (p *param) numbered() []*param {
	type item struct {
		n int
		p *param
	}
	var items []item
	for name, kid := range p.kids {
		n, err := strconv.ParseUint(name, 10, 31)
		if err != nil || strconv.FormatUint(n, 10) != name {
			continue
		}
		items = append(items, item{int(n), kid})
	}
	slices.SortFunc(items, func(a, b item) int { return a.n - b.n })
	out := make([]*param, len(items))
	for i, it := range items {
		out[i] = it.p
	}
	return out
}
