package wire

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"sumun.dev/aws"
)

// A queryReader decodes the parameters of awsQuery and ec2Query requests.
// Smithy, "AWS query protocol" and "AWS EC2 query protocol".
type queryReader struct {
	state
	ec2 bool
}

func decodeQuery(pairs []pair, p *plan, v reflect.Value, ec2 bool, limits Limits) (r result, err error) {
	d := queryReader{state: newState(limits), ec2: ec2}
	names := map[string]bool{}
	for _, f := range p.fields {
		names[f.queryKey(ec2)] = true
		names[f.elemName] = names[f.elemName] || f.flat // a flat list goes by its elements' name
	}
	root, err := paramTree(pairs, &d.state, func(name string) bool { return names[name] })
	if err != nil {
		return r, err
	}
	seen, err := d.structure(p, v, root)
	return result{seen, d.missing}, err
}

// queryKey is what the member is called in a query string.
func (f *field) queryKey(ec2 bool) string {
	if !ec2 {
		return f.name
	}
	if f.queryName != "" {
		return f.queryName
	}
	return upperFirst(f.name)
}

func (d *queryReader) structure(p *plan, v reflect.Value, n *param) (seen uint64, err error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	if n.has && n.value != "" && n.kids == nil {
		return 0, &aws.Error{Code: codeSerialization, Message: "'" + clip(n.value) + "' is no structure."}
	}
	for _, f := range p.fields {
		kid := n.kids[f.queryKey(d.ec2)]
		if kid == nil && !d.ec2 && f.flat && f.elemName != "" {
			kid = n.kids[f.elemName] // a flat list goes by its elements' name
		}
		if kid == nil {
			continue
		}
		seen |= f.need
		d.push(step{member: f.member})
		if err := d.value(f.shape, f.target(v), kid, f.flat || d.ec2); err != nil {
			return 0, err
		}
		d.pop()
	}
	d.leave()
	return seen, nil
}

func (d *queryReader) value(s *shape, v reflect.Value, n *param, flat bool) error {
	switch s.kind {
	case kStruct:
		seen, err := d.structure(s.st, v, n)
		if err == nil {
			d.lacks(s.st, seen)
		}
		return err
	case kList:
		return d.list(s, v, n, flat)
	case kMap:
		return d.entries(s, v, n, flat)
	}
	if !n.has {
		return &aws.Error{Code: codeSerialization, Message: "Unexpected complex element where " + s.noun() + " is needed."}
	}
	return setText(s, v, n.value)
}

// setText reads a value that a query string, a header or an element carries as text.
func setText(s *shape, v reflect.Value, text string) error {
	switch s.kind {
	case kString:
		if !utf8.ValidString(text) {
			return &aws.Error{Code: codeSerialization, Message: "Text must be UTF-8."}
		}
		v.SetString(text)
	case kBool:
		b, ok := parseBool(text)
		if !ok {
			return &aws.Error{Code: codeSerialization, Message: "'" + clip(text) + "' can not be converted to a Boolean."}
		}
		v.SetBool(b)
	case kBlob:
		b, err := decodeBase64([]byte(text))
		if err != nil {
			return err
		}
		v.SetBytes(b)
	case kDocument:
		v.Set(reflect.ValueOf(text))
	case kInt32, kInt64, kFloat32, kFloat64, kTime:
		return setNumber(s, v, strings.TrimSpace(text))
	default:
		return &aws.Error{Code: codeSerialization, Message: "'" + clip(text) + "' can not be converted to " + s.noun() + "."}
	}
	return nil
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// elements finds a list's numbered parameters: Name.member.1, or Name.1 when flat.
func elements(s *shape, n *param, flat bool, usual string) []*param {
	if !flat {
		for _, name := range []string{s.elemName, usual} {
			if kid := n.kids[name]; kid != nil && name != "" {
				return kid.numbered()
			}
		}
	}
	return n.numbered()
}

func (d *queryReader) list(s *shape, v reflect.Value, n *param, flat bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(s.t, 0, 0))
	for i, kid := range elements(s, n, flat, "member") {
		e, err := d.extend(s, v, i)
		if err != nil {
			return err
		}
		d.push(step{index: i + 1})
		if err := d.value(s.elem, e, kid, d.ec2); err != nil {
			return err
		}
		d.pop()
	}
	d.leave()
	return nil
}

func (d *queryReader) entries(s *shape, v reflect.Value, n *param, flat bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(s.t))
	for _, kid := range elements(s, n, flat, "entry") {
		k := kid.kids[orElse(s.keyName, "key")]
		if k == nil || !k.has {
			return &aws.Error{Code: codeSerialization, Message: "A map's entry has no key."}
		}
		if err := d.grow(s.elem.t.Size() + uintptr(len(k.value))); err != nil {
			return err
		}
		key, e := reflect.New(s.key.t).Elem(), reflect.New(s.elem.t).Elem()
		if err := setText(s.key, key, k.value); err != nil {
			return err
		}
		if v.MapIndex(key).IsValid() {
			return &aws.Error{Code: codeSerialization, Message: "A map holds the key " + clip(k.value) + " twice."}
		}
		if val := kid.kids[orElse(s.valueName, "value")]; val != nil {
			d.push(step{key: k.value})
			if err := d.value(s.elem, e, val, d.ec2); err != nil {
				return err
			}
			d.pop()
		}
		v.SetMapIndex(key, e)
	}
	d.leave()
	return nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
