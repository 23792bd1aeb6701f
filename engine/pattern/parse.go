package pattern

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// branch is one alternative of a pattern while it is read: conditions by field.
type branch map[string][]condition

type parser struct {
	lexer
	branches []branch // what is read so far
	complex  bool     // the wildcards of some field are
}

// reserved are the names that an object in $or may not use for fields, so that
// a misplaced operator is not taken for one.
var reserved = map[string]bool{
	"exactly": true, "equals-ignore-case": true, "prefix": true, "suffix": true, "anything-but": true, "exists": true,
	"wildcard": true, "numeric": true, "cidr": true, "html": true, "=": true, "<": true, "<=": true, ">": true, ">=": true,
	"regex": true, "not-wildcard": true, "not-equals-ignore-case": true, "date-after": true, "date-on-or-after": true,
	"date-before": true, "date-on-or-before": true, "in-date-range": true, "ip-address-in-range": true, "ip-address-not-in-range": true,
}

func parse(source string) ([]conjunction, error) {
	if n := utf8.RuneCountInString(source); n > MaxPattern {
		return nil, &Error{Reason: "Event pattern is longer than 4096 characters"}
	}
	p := &parser{lexer: lexer{src: source}, branches: []branch{{}}}
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t != tObject {
		return nil, p.fail("Filter is not an object")
	}
	if err := p.object("", false); err != nil {
		return nil, err
	}
	if t, err = p.next(); err != nil {
		return nil, err
	}
	if t != tEnd {
		return nil, p.fail("Unexpected content after the pattern")
	}
	if p.complex {
		return nil, &Error{Reason: "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"}
	}
	all := make([]conjunction, len(p.branches))
	for i, b := range p.branches {
		for _, name := range slices.Sorted(maps.Keys(b)) {
			all[i] = append(all[i], fieldTest{name, b[name]})
		}
	}
	return all, nil
}

// object reads the fields of an object whose bracket has been read; path is the
// name of its field with a dot behind.
func (p *parser) object(path string, inOr bool) error {
	empty := true
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		if t == tObjectEnd {
			if empty {
				return p.fail("Empty objects are not allowed")
			}
			return nil
		}
		empty = false
		if p.name == "$or" {
			if err := p.or(path); err != nil {
				return err
			}
			continue
		}
		if err := p.field(path, p.name, inOr); err != nil {
			return err
		}
	}
}

func (p *parser) field(path, name string, inOr bool) error {
	if inOr && reserved[name] {
		return p.fail("%s is Ruler reserved fieldName which cannot be used inside $or.", name)
	}
	full := path + name
	t, err := p.next()
	if err != nil {
		return err
	}
	switch t {
	case tObject:
		return p.object(full+".", inOr)
	case tArray:
		return p.values(full)
	}
	return p.fail("\"%s\" must be an object or an array", name)
}

// or multiplies the branches read so far by the alternatives that follow.
func (p *parser) or(path string) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if t != tArray {
		return p.fail("It must be an Array followed with $or.")
	}
	before := p.branches
	var all []branch
	for n := 0; ; n++ {
		if t, err = p.next(); err != nil {
			return err
		}
		if t == tArrayEnd {
			if n < 2 {
				return p.fail("There must have at least 2 Objects in $or relationship.")
			}
			p.branches = all
			return nil
		}
		if t != tObject {
			return p.fail("Only JSON object is allowed in array of $or relationship.")
		}
		p.branches = make([]branch, len(before))
		for i, b := range before {
			p.branches[i] = maps.Clone(b)
		}
		if err := p.object(path, true); err != nil {
			return err
		}
		if all = append(all, p.branches...); len(all) > MaxCombinations {
			return &Error{Reason: "Rule is too complex - $or relationships make more than 1000 combinations", Limit: true}
		}
	}
}

// values reads the array of a field and adds it to every branch. A name given
// twice keeps the later array, as with Event Ruler.
func (p *parser) values(name string) error {
	var any []condition
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch t {
		case tArrayEnd:
			if len(any) == 0 {
				return p.fail("Empty arrays are not allowed")
			}
			for _, b := range p.branches {
				b[name] = any
			}
			p.complex = p.complex || tooComplex(any)
			return nil
		case tObject:
			c, err := p.expression()
			if err != nil {
				return err
			}
			any = append(any, c)
		case tString:
			text, err := p.string()
			if err != nil {
				return err
			}
			any = append(any, condition{kind: kExact, text: text})
			if block, ok := address(text); ok {
				// The same address may be spelled differently in the event.
				any = append(any, condition{kind: kCIDR, block: block})
			}
		case tNumber, tTrue, tFalse, tNull:
			if v, exact, ok := number(p.text); t == tNumber && ok && exact {
				any = append(any, condition{kind: kNumber, low: v, high: v})
			}
			any = append(any, condition{kind: kLiteral, text: p.text})
		default:
			return p.fail("Match value must be String, number, true, false, or null")
		}
	}
}
