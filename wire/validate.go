package wire

import (
	"reflect"
	"strconv"
	"strings"
)

// maxViolations and maxEcho keep a refusal from growing beyond the request.
const (
	maxViolations = 50
	maxEcho       = 2048
)

// A validation collects what a decoded structure breaks.
type validation struct {
	missing map[string]bool
	items   string // the member of the request whose elements are not checked here
	path    []step
	found   []finding
}

// A finding is one broken constraint.
type finding struct {
	path     string
	value    string // as the message shows it, with a blank behind: 'x', null, or nothing when sensitive
	sentence string
}

// validate checks the structure v against its constraints and returns what it
// breaks, in the order of the members. Of the member items, if one is named, only
// the list as such is checked.
func validate(p *plan, v reflect.Value, missing map[string]bool, items string) []finding {
	c := validation{missing: missing, items: items}
	c.structure(p, v)
	return c.found
}

func (c *validation) add(value, sentence string) {
	if len(c.found) < maxViolations {
		c.found = append(c.found, finding{pathOf(c.path), value, sentence})
	}
}

func (c *validation) structure(p *plan, v reflect.Value) {
	if p.union {
		c.union(p, v)
	}
	for _, f := range p.fields {
		if !f.required && !f.checks {
			continue
		}
		fv, present := f.value(v)
		if !present && !f.required || present && c.missing == nil && f.fine(fv) {
			continue
		}
		c.path = append(c.path, step{member: f.member})
		switch {
		case f.required && (!present || f.need != 0 && c.missing[pathOf(c.path)]):
			c.add("null ", mustNotBeNull)
		case present && len(c.path) == 1 && f.goName == c.items:
			c.itself(f.shape, fv)
		case present && f.checks:
			c.shape(f.shape, fv)
		}
		c.path = c.path[:len(c.path)-1]
	}
}

// union checks that one member is set. A union whose member this model does not
// know counts as empty: what it asks for cannot be done.
func (c *validation) union(p *plan, v reflect.Value) {
	set := 0
	for _, f := range p.fields {
		if _, present := f.value(v); present {
			set++
		}
	}
	if set != 1 {
		c.add("'"+p.name+"' ", "Member must have exactly one of its members set")
	}
}

// fine reports whether a value without values inside breaks nothing.
func (f *field) fine(v reflect.Value) bool {
	if !f.checks {
		return true
	}
	return (f.scalar() || f.kind == kBlob) && len(f.rules.broken(f.shape, v)) == 0
}

// itself checks a value, but nothing inside it.
func (c *validation) itself(s *shape, v reflect.Value) {
	if s.rules == nil {
		return
	}
	for _, sentence := range s.rules.broken(s, v) {
		c.add(shown(s, v), sentence)
	}
}

func (c *validation) shape(s *shape, v reflect.Value) {
	c.itself(s, v)
	switch s.kind {
	case kStruct:
		c.structure(s.st, v)
	case kList:
		c.list(s, v)
	case kMap:
		c.entries(s, v)
	}
}

// list checks elements. A scalar that breaks a rule is told of at the list itself.
func (c *validation) list(s *shape, v reflect.Value) {
	if !s.elem.checks {
		return
	}
	for i := range v.Len() {
		e := v.Index(i)
		if s.elem.rules != nil && s.elem.kind != kStruct && len(s.elem.rules.broken(s.elem, e)) > 0 {
			c.add(shown(s, v), "Member must satisfy constraint: ["+s.elem.rules.all()+"]")
			return
		}
		if s.elem.scalar() || s.elem.kind == kBlob {
			continue
		}
		c.path = append(c.path, step{index: i + 1})
		c.below(s.elem, e)
		c.path = c.path[:len(c.path)-1]
	}
}

// below checks what is inside a list or map element whose own rules are checked already.
func (c *validation) below(s *shape, v reflect.Value) {
	switch s.kind {
	case kStruct:
		c.structure(s.st, v)
	case kList:
		c.list(s, v)
	case kMap:
		c.entries(s, v)
	}
}

func (c *validation) entries(s *shape, v reflect.Value) {
	if !s.elem.checks && !s.key.checks {
		return
	}
	badKey, badValue := false, false
	for _, k := range sortedKeys(v) {
		e := v.MapIndex(k)
		badKey = badKey || s.key.rules != nil && len(s.key.rules.broken(s.key, k)) > 0
		badValue = badValue || s.elem.rules != nil && len(s.elem.rules.broken(s.elem, e)) > 0
		if s.elem.scalar() || s.elem.kind == kBlob {
			continue
		}
		c.path = append(c.path, step{key: k.String()})
		c.below(s.elem, e)
		c.path = c.path[:len(c.path)-1]
	}
	if badKey {
		c.add(shown(s, v), "Map keys must satisfy constraint: ["+s.key.rules.all()+"]")
	}
	if badValue {
		c.add(shown(s, v), "Map value must satisfy constraint: ["+s.elem.rules.all()+"]")
	}
}

// pathOf writes a path as AWS does: keyId, tags.1.member.key.
func pathOf(path []step) string {
	var b strings.Builder
	for i, s := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		switch {
		case s.member != "":
			b.WriteString(s.member)
		case s.index != 0:
			b.WriteString(strconv.Itoa(s.index) + ".member")
		default:
			b.WriteString(clip(s.key) + ".member")
		}
	}
	return b.String()
}
