package wire

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// A router finds the operation of one service's REST API by method and path.
// It works on the path as it was sent: what is verified is what is served.
type router struct {
	root   segment
	slashy bool // a slash at the end belongs to the last label (S3's keys)
}

// A segment is one step of a path. Literals go before labels, labels before
// greedy ones.
type segment struct {
	literal map[string]*segment
	label   *segment
	greedy  *segment
	leaves  []*leaf
}

// A leaf is one operation at the end of a path.
type leaf struct {
	op       AnyOperation
	method   string
	labels   []string // names of the path's labels, in order
	literals []pair   // what the query string must hold; the value "" stands for any
	query    []string // required members in the query string
	header   []string // required members in headers
}

func (r *router) add(op AnyOperation) {
	m := op.About()
	path, query, _ := strings.Cut(m.URI, "?")
	l := &leaf{op: op, method: m.Method}
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			name, value, _ := strings.Cut(part, "=")
			l.literals = append(l.literals, pair{name, value})
		}
	}
	for _, f := range planFields(op.InType()) {
		switch {
		case f.required && f.in == inQuery:
			l.query = append(l.query, f.name)
		case f.required && f.in == inHeader:
			l.header = append(l.header, f.name)
		}
	}
	at := &r.root
	for _, part := range pathParts(path) {
		switch {
		case !strings.HasPrefix(part, "{"):
			if at.literal == nil {
				at.literal = map[string]*segment{}
			}
			if at.literal[part] == nil {
				at.literal[part] = &segment{}
			}
			at = at.literal[part]
		case strings.HasSuffix(part, "+}"):
			l.labels = append(l.labels, part[1:len(part)-2])
			if at.greedy == nil {
				at.greedy = &segment{}
			}
			at = at.greedy
		default:
			l.labels = append(l.labels, part[1:len(part)-1])
			if at.label == nil {
				at.label = &segment{}
			}
			at = at.label
		}
	}
	at.leaves = append(at.leaves, l)
}

// planFields reads a request's tags without building its plan, which would
// build those of everything below it, for operations that are never called.
func planFields(t reflect.Type) []*field {
	var out []*field
	for i := range t.NumField() {
		parts := strings.Split(t.Field(i).Tag.Get("aws"), ",")
		f := &field{name: parts[0]}
		for _, o := range parts[1:] {
			f.option(o)
		}
		out = append(out, f)
	}
	return out
}

// pathParts splits a path at its slashes; one at the end means nothing.
func pathParts(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// find returns the operation and its labels, still escaped.
func (r *router) find(req *Request, query []pair) (*leaf, []string) {
	path := strings.TrimPrefix(req.RawPath, "/")
	var parts []string
	switch {
	case path == "":
	case r.slashy:
		parts = strings.Split(path, "/")
		if len(parts) == 2 && parts[1] == "" {
			parts = parts[:1] // a bucket, with or without a slash behind
		}
	default:
		parts = pathParts(req.RawPath)
	}
	s := search{req: req, query: query}
	s.walk(&r.root, parts, nil)
	return s.best, s.labels
}

// maxPathParts bounds the search: no modelled path has nearly as many, greedy labels apart.
const maxPathParts = 40

type search struct {
	req    *Request
	query  []pair
	best   *leaf
	labels []string
}

// walk tries the ways from at that the rest of the path allows, the most
// specific first, and reports whether one led to an operation.
func (s *search) walk(at *segment, rest, labels []string) bool {
	if len(rest) == 0 {
		s.best = s.choose(at.leaves)
		s.labels = slices.Clone(labels)
		return s.best != nil
	}
	if next := at.literal[rest[0]]; next != nil && s.walk(next, rest[1:], labels) {
		return true
	}
	if at.label != nil && rest[0] != "" && s.walk(at.label, rest[1:], append(labels, rest[0])) {
		return true
	}
	if at.greedy == nil {
		return false
	}
	// A greedy label takes as much as what follows it leaves over.
	for n := len(rest); n > 0 && len(rest)-n < maxPathParts; n-- {
		taken := strings.Join(rest[:n], "/")
		if taken != "" && s.walk(at.greedy, rest[n:], append(labels, taken)) {
			return true
		}
		if len(at.greedy.literal) == 0 && at.greedy.label == nil {
			return false
		}
	}
	return false
}

// choose picks among operations at one path: the one that asks for most of what
// the request has. One whose required parameters are missing is chosen only
// when no other fits, so that the client hears what is missing.
func (s *search) choose(leaves []*leaf) *leaf {
	var best *leaf
	bestScore := -1
	for _, l := range leaves {
		if l.method != s.req.Method {
			continue
		}
		score := s.score(l)
		// SDKs repeat the operation's name; what AWS has replaced goes behind its successor.
		if score >= 0 && slices.Contains(s.query, pair{"x-id", l.op.About().Name}) {
			score += 2
		}
		if score > 0 && l.op.About().Deprecated {
			score--
		}
		if score > bestScore {
			best, bestScore = l, score
		}
	}
	return best
}

func (s *search) score(l *leaf) int {
	score := 1 + 10_000*len(l.literals)
	for _, want := range l.literals {
		if !slices.ContainsFunc(s.query, func(p pair) bool {
			return p.name == want.name && (want.value == "" || p.value == want.value)
		}) {
			return -1
		}
	}
	complete := true
	for _, name := range l.query {
		if slices.ContainsFunc(s.query, func(p pair) bool { return p.name == name }) {
			score += 10
		} else {
			complete = false
		}
	}
	for _, name := range l.header {
		if s.req.Header.Get(name) != "" {
			score += 10
		} else {
			complete = false
		}
	}
	if complete {
		score += 1_000
	}
	return score
}

// unescape decodes a label.
func unescape(s string) (string, bool) {
	out, err := url.PathUnescape(s)
	return out, err == nil
}
