package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sumun.dev/detect/record"
	"sumun.dev/policy/facts"
)

// A node is a part of a condition.
type node interface {
	match(r *record.Record) bool
	// calls are the API calls that match at all, as rule.Rule has them; nil when
	// that cannot be told.
	calls() []string
}

type (
	allOf []node
	anyOf []node
	not   struct{ of node }
)

func (a allOf) match(r *record.Record) bool {
	for _, n := range a {
		if !n.match(r) {
			return false
		}
	}
	return true
}

func (a anyOf) match(r *record.Record) bool {
	for _, n := range a {
		if n.match(r) {
			return true
		}
	}
	return false
}

func (n not) match(r *record.Record) bool { return !n.of.match(r) }

// calls are those of the part that has the fewest: the others only narrow them. A
// service that one part names and operations that another names go together.
func (a allOf) calls() []string {
	var best, services, operations []string
	for _, n := range a {
		c := n.calls()
		switch {
		case c == nil:
			continue
		case only(c, func(s string) bool { return strings.HasSuffix(s, ":*") }):
			services = fewer(services, c)
		case only(c, func(s string) bool { return strings.HasPrefix(s, "*:") }):
			operations = fewer(operations, c)
		default:
			best = fewer(best, c)
		}
	}
	if services != nil && operations != nil && len(services)*len(operations) <= maxCalls {
		var both []string
		for _, s := range services {
			for _, o := range operations {
				both = append(both, strings.TrimSuffix(s, "*")+strings.TrimPrefix(o, "*:"))
			}
		}
		best = fewer(best, both)
	}
	switch {
	case best != nil:
		return best
	case operations != nil:
		return operations
	}
	return services
}

// maxCalls is how many calls a rule is looked up by; one that names more looks at all.
const maxCalls = 500

func (a anyOf) calls() []string {
	var all []string
	for _, n := range a {
		c := n.calls()
		if c == nil || len(all)+len(c) > maxCalls {
			return nil
		}
		all = append(all, c...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (n not) calls() []string { return nil }

func only(all []string, is func(string) bool) bool {
	return !slices.ContainsFunc(all, func(s string) bool { return !is(s) })
}

func fewer(a, b []string) []string {
	if a == nil || len(b) < len(a) {
		return b
	}
	return a
}

var errTimeframe = errors.New("timeframe: records are not counted within a time; count of our own rules does")

// detect reads a detection: search identifiers, and a condition over them.
func detect(d map[string]any) (node, error) {
	var conditions []string
	switch c := d["condition"].(type) {
	case string:
		conditions = []string{c}
	case []any:
		for _, one := range c {
			conditions = append(conditions, text(one))
		}
	}
	if len(conditions) == 0 || len(conditions) > maxListed {
		return nil, errors.New("condition: is neither a text nor a list of them")
	}
	p := &parser{known: map[string]node{}}
	total := 0
	for id, v := range d {
		switch id {
		case "condition":
			continue
		case "timeframe":
			return nil, errTimeframe
		}
		if !identifier.MatchString(id) {
			return nil, fmt.Errorf("detection: %q is no name of a search identifier", short(id))
		}
		n, err := selection(v, &total)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		p.known[id] = n
		p.names = append(p.names, id)
	}
	slices.Sort(p.names)
	var either anyOf
	for _, c := range conditions {
		n, err := p.parse(c)
		if err != nil {
			return nil, fmt.Errorf("condition: %w", err)
		}
		either = append(either, n)
	}
	if len(either) == 1 {
		return either[0], nil
	}
	return either, nil
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	word       = regexp.MustCompile(`^(?:[A-Za-z0-9_*][A-Za-z0-9_.*-]*|\(|\)|\|)`)
)

// maxNested is how deep brackets and negations of a condition go.
const maxNested = 32

// A parser reads a condition: or binds least, then and, then not.
type parser struct {
	known map[string]node
	names []string // of known, sorted
	words []string
	depth int
}

func (p *parser) parse(condition string) (node, error) {
	if len(condition) > maxText {
		return nil, fmt.Errorf("is longer than %d bytes", maxText)
	}
	p.words, p.depth = nil, 0
	for rest := strings.TrimSpace(condition); rest != ""; {
		w := word.FindString(rest)
		if w == "" {
			return nil, fmt.Errorf("%q cannot be read", short(rest))
		}
		if w == "|" {
			return nil, fmt.Errorf("%q: aggregations are not read; count of our own rules does that", short(rest))
		}
		p.words = append(p.words, w)
		rest = strings.TrimSpace(rest[len(w):])
	}
	n, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q is not expected there", p.words[0])
	}
	return n, err
}

// next takes the next word when it is the one that is asked for.
func (p *parser) next(want string) bool {
	if len(p.words) == 0 || !strings.EqualFold(p.words[0], want) {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) or() (node, error) {
	n, err := p.and()
	either := anyOf{n}
	for err == nil && p.next("or") {
		n, err = p.and()
		either = append(either, n)
	}
	if len(either) == 1 || err != nil {
		return n, err
	}
	return either, nil
}

func (p *parser) and() (node, error) {
	n, err := p.term()
	all := allOf{n}
	for err == nil && p.next("and") {
		n, err = p.term()
		all = append(all, n)
	}
	if len(all) == 1 || err != nil {
		return n, err
	}
	return all, nil
}

func (p *parser) term() (node, error) {
	if p.depth++; p.depth > maxNested {
		return nil, fmt.Errorf("is nested deeper than %d", maxNested)
	}
	defer func() { p.depth-- }()
	if p.next("not") {
		n, err := p.term()
		return not{n}, err
	}
	if p.next("(") {
		n, err := p.or()
		if err == nil && !p.next(")") {
			err = errors.New("a bracket is not closed")
		}
		return n, err
	}
	if len(p.words) == 0 {
		return nil, errors.New("ends too early")
	}
	first := p.words[0]
	p.words = p.words[1:]
	if !p.next("of") {
		n, ok := p.known[first]
		if !ok {
			return nil, fmt.Errorf("%q is no search identifier of the rule", short(first))
		}
		return n, nil
	}
	if len(p.words) == 0 {
		return nil, errors.New("ends too early")
	}
	pattern := p.words[0]
	p.words = p.words[1:]
	some := p.some(pattern)
	if len(some) == 0 {
		return nil, fmt.Errorf("%q means no search identifier of the rule", short(pattern))
	}
	switch strings.ToLower(first) {
	case "1", "any":
		return anyOf(some), nil
	case "all":
		return allOf(some), nil
	}
	return nil, fmt.Errorf("%q: of search identifiers, 1, any or all are asked for", short(first+" of"))
}

// some lists the search identifiers that a pattern means.
func (p *parser) some(pattern string) (found []node) {
	for _, name := range p.names {
		if strings.EqualFold(pattern, "them") {
			if strings.HasPrefix(name, "_") {
				continue
			}
		} else if !facts.Glob(pattern, name) {
			continue
		}
		found = append(found, p.known[name])
	}
	return found
}
