package policy

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
)

type family uint8

const (
	stringFamily family = iota
	foldFamily
	likeFamily
	numericFamily
	dateFamily
	boolFamily
	binaryFamily
	ipFamily
	arnFamily
	nullFamily
)

type comparison uint8

const (
	equal comparison = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

func (c comparison) holds(order int) bool {
	switch c {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	}
	return order == 0
}

// An operator is a condition operator without its set and IfExists parts.
type operator struct {
	name    string
	family  family
	compare comparison
	negated bool
}

// operators are all of them. IAM User Guide, "IAM JSON policy elements: Condition operators".
var operators = [...]operator{
	{"StringEquals", stringFamily, equal, false}, {"StringNotEquals", stringFamily, equal, true},
	{"StringEqualsIgnoreCase", foldFamily, equal, false}, {"StringNotEqualsIgnoreCase", foldFamily, equal, true},
	{"StringLike", likeFamily, equal, false}, {"StringNotLike", likeFamily, equal, true},
	{"NumericEquals", numericFamily, equal, false}, {"NumericNotEquals", numericFamily, equal, true},
	{"NumericLessThan", numericFamily, less, false}, {"NumericLessThanEquals", numericFamily, lessOrEqual, false},
	{"NumericGreaterThan", numericFamily, greater, false}, {"NumericGreaterThanEquals", numericFamily, greaterOrEqual, false},
	{"DateEquals", dateFamily, equal, false}, {"DateNotEquals", dateFamily, equal, true},
	{"DateLessThan", dateFamily, less, false}, {"DateLessThanEquals", dateFamily, lessOrEqual, false},
	{"DateGreaterThan", dateFamily, greater, false}, {"DateGreaterThanEquals", dateFamily, greaterOrEqual, false},
	{"Bool", boolFamily, equal, false}, {"BinaryEquals", binaryFamily, equal, false},
	{"IpAddress", ipFamily, equal, false}, {"NotIpAddress", ipFamily, equal, true},
	{"ArnEquals", arnFamily, equal, false}, {"ArnLike", arnFamily, equal, false},
	{"ArnNotEquals", arnFamily, equal, true}, {"ArnNotLike", arnFamily, equal, true},
	{"Null", nullFamily, equal, false},
}

type quantifier uint8

const (
	single quantifier = iota
	forAllValues
	forAnyValue
)

// A condition is one key under one operator.
type condition struct {
	operator
	written    string // the operator as the document has it
	quantifier quantifier
	ifExists   bool
	key        string // in lower case
	name       string // as the document has it
	values     []string

	patterns []pattern // each family uses one of these lists
	arns     []arnPattern
	numbers  []quantity
	dates    []int64
	networks []netip.Prefix
	binaries [][]byte
	truths   []bool
}

// readOperator takes an operator's name apart.
func readOperator(written string) (condition, bool) {
	c := condition{written: written}
	name := written
	if rest, found := strings.CutPrefix(name, "ForAllValues:"); found {
		name, c.quantifier = rest, forAllValues
	} else if rest, found := strings.CutPrefix(name, "ForAnyValue:"); found {
		name, c.quantifier = rest, forAnyValue
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	i := slices.IndexFunc(operators[:], func(o operator) bool { return o.name == name })
	if i < 0 || name == "Null" && name != written {
		return condition{}, false
	}
	c.operator = operators[i]
	return c, true
}

// compile reads the condition's values for its operator.
func (c *condition) compile(variables bool) error {
	for _, s := range c.values {
		ok, err := true, error(nil)
		switch c.family {
		case stringFamily, foldFamily, likeFamily:
			var p pattern
			p, err = compilePattern(s, c.family == likeFamily, variables)
			c.patterns = append(c.patterns, p)
		case arnFamily:
			var a arnPattern
			a, err = compileARN(s, variables)
			c.arns = append(c.arns, a)
		case numericFamily:
			var q quantity
			q, ok = parseQuantity(s)
			c.numbers = append(c.numbers, q)
		case dateFamily:
			var d int64
			d, ok = parseDate(s)
			c.dates = append(c.dates, d)
		case ipFamily:
			var n netip.Prefix
			n, ok = parseNetwork(s)
			c.networks = append(c.networks, n)
		case binaryFamily:
			var b []byte
			b, ok = parseBinary(s)
			c.binaries = append(c.binaries, b)
		default:
			ok = strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
			c.truths = append(c.truths, strings.EqualFold(s, "true"))
		}
		if err != nil || !ok {
			return legacy()
		}
	}
	return nil
}

// holds reports whether v, the request's value of the condition's key, meets
// the condition of a statement that denies or allows.
func (e *evaluation) holds(c *condition, v *Value, deny bool) match {
	if v.kind == ambiguous {
		return matchIf(deny)
	}
	n := v.count()
	if c.family == nullFamily {
		return matchIf(slices.Contains(c.truths, n == 0))
	}
	// To a set operator an empty string is a set of nothing. IAM User Guide,
	// "Set operators for multivalued context keys".
	if n == 1 && c.quantifier != single && v.kind != number && v.at(0) == "" {
		n = 0
	}
	if n == 0 {
		return matchIf(c.ifExists || c.quantifier == forAllValues || c.quantifier == single && c.negated)
	}
	if c.quantifier == single && c.negated {
		return e.none(c, v, n)
	}
	result := no
	for i := range n {
		one := e.value(c, v, i)
		if c.negated && one != unresolved {
			one = matchIf(one == no)
		}
		switch {
		case one == yes && c.quantifier != forAllValues:
			return yes
		case one != yes && c.quantifier == forAllValues:
			return one
		case one == unresolved:
			result = unresolved
		}
	}
	if c.quantifier == forAllValues {
		return yes
	}
	return result
}

// none says whether none of the request's values is among the condition's.
func (e *evaluation) none(c *condition, v *Value, n int) match {
	result := yes
	for i := range n {
		switch e.value(c, v, i) {
		case yes:
			return no
		case unresolved:
			result = unresolved
		}
	}
	return result
}

// value says whether the request's i-th value is one of the condition's. A
// value that cannot be read as the operator's type is none of them.
func (e *evaluation) value(c *condition, v *Value, i int) match {
	switch c.family {
	case arnFamily:
		return e.arn(c, v, i)
	case numericFamily:
		q, ok := v.decimal(i)
		return matchIf(ok && slices.ContainsFunc(c.numbers, func(w quantity) bool { return c.compare.holds(q.compare(w)) }))
	case dateFamily:
		d, ok := v.instant(i)
		return matchIf(ok && slices.ContainsFunc(c.dates, func(w int64) bool { return c.compare.holds(compareInstants(d, w)) }))
	case ipFamily:
		a, ok := v.ip(i)
		return matchIf(ok && slices.ContainsFunc(c.networks, func(w netip.Prefix) bool { return w.Contains(a) }))
	case binaryFamily:
		b, ok := parseBinary(v.at(i))
		return matchIf(ok && slices.ContainsFunc(c.binaries, func(w []byte) bool { return bytes.Equal(w, b) }))
	case boolFamily:
		s := v.at(i)
		return matchIf(strings.EqualFold(s, "true") && slices.Contains(c.truths, true) ||
			strings.EqualFold(s, "false") && slices.Contains(c.truths, false))
	}
	s, result := v.at(i), no
	for j := range c.patterns {
		switch c.patterns[j].matches(e, s, c.family == foldFamily) {
		case yes:
			return yes
		case unresolved:
			result = unresolved
		}
	}
	return result
}

func (e *evaluation) arn(c *condition, v *Value, i int) match {
	var parts [6]string
	var s string
	isARN := true
	if v.kind == arnValue {
		a := v.arn
		parts = [6]string{"arn", a.Partition, a.Service, string(a.Region), string(a.Account), a.Resource}
	} else {
		s = v.at(i)
		isARN = splitARN(s, &parts)
	}
	result := no
	for j := range c.arns {
		if v.kind == arnValue && c.arns[j].whole != nil && s == "" {
			s = v.at(i)
		}
		switch c.arns[j].matches(e, s, isARN, &parts) {
		case yes:
			return yes
		case unresolved:
			result = unresolved
		}
	}
	return result
}

func compareInstants(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
