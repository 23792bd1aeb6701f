package wire

import (
	"errors"
	"reflect"

	"sumun.dev/aws"
)

// A cborReader decodes one CBOR item, as far as Smithy's RPC v2 uses CBOR:
// integers of 64 bits, floats, strings, lists, maps with text keys, and tag 1.
// RFC 8949; Smithy, "RPC v2 CBOR protocol".
type cborReader struct {
	state
	b []byte
}

func decodeCBOR(body []byte, p *plan, v reflect.Value, limits Limits) (r result, err error) {
	d := cborReader{state: newState(limits), b: body}
	if len(body) == 0 {
		return r, nil // operations without input may send nothing
	}
	seen, err := d.structure(p, v)
	if err != nil {
		return r, err
	}
	if len(d.b) > 0 {
		return r, d.malformed("content after the body")
	}
	return result{seen, d.missing}, nil
}

func (d *cborReader) malformed(why string) error {
	return &aws.Error{Code: codeSerialization, Message: "The body is not well-formed CBOR.", Cause: errors.New(why)}
}

func (d *cborReader) structure(p *plan, v reflect.Value) (seen uint64, err error) {
	h, err := d.head()
	if err != nil {
		return 0, err
	}
	if h.major != cborMap {
		return 0, &aws.Error{Code: codeSerialization, Message: "Expected structure or null"}
	}
	return d.members(p, v, h)
}

func (d *cborReader) members(p *plan, v reflect.Value, h head) (seen uint64, err error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	had := map[*field]bool{}
	for i := uint64(0); d.next(h, i); i++ {
		k, err := d.head()
		if err != nil {
			return 0, err
		}
		name, err := d.text(k)
		if err != nil {
			return 0, err
		}
		f := p.body[name]
		if f == nil {
			if err := d.skip(); err != nil {
				return 0, err
			}
			continue
		}
		if had[f] {
			return 0, d.malformed("a member stands twice")
		}
		had[f] = true
		vh, err := d.head()
		if err != nil {
			return 0, err
		}
		if vh.null() {
			continue
		}
		seen |= f.need
		d.push(step{member: f.member})
		if err := d.value(f.shape, f.target(v), vh); err != nil {
			return 0, err
		}
		d.pop()
	}
	if p.union && len(had) > 1 {
		return 0, &aws.Error{Code: codeSerialization, Message: "Union " + p.name + " has more than one member set."}
	}
	d.leave()
	return seen, nil
}

// skip passes over one item of any kind.
func (d *cborReader) skip() error {
	h, err := d.head()
	if err != nil {
		return err
	}
	return d.skipRest(h)
}

func (d *cborReader) skipRest(h head) error {
	switch h.major {
	case cborBytes, cborText:
		_, err := d.bytes(h)
		return err
	case cborTag, cborList, cborMap:
		if err := d.enter(); err != nil {
			return err
		}
		if h.major == cborTag {
			h.n, h.info = 1, 0
		}
		for i := uint64(0); d.next(h, i); i++ {
			if err := d.skip(); err != nil {
				return err
			}
			if h.major == cborMap {
				if err := d.skip(); err != nil {
					return err
				}
			}
		}
		d.leave()
	case cborOther:
		if h.info == indefinite || h.info == 24 && h.n < 32 {
			return d.malformed("a break where none belongs")
		}
	}
	return nil
}

func (d *cborReader) value(s *shape, v reflect.Value, h head) error {
	switch {
	case s.kind == kStruct && h.major == cborMap:
		seen, err := d.members(s.st, v, h)
		if err == nil {
			d.lacks(s.st, seen)
		}
		return err
	case s.kind == kList && h.major == cborList:
		return d.list(s, v, h)
	case s.kind == kMap && h.major == cborMap:
		return d.entries(s, v, h)
	case s.kind == kString && h.major == cborText:
		text, err := d.text(h)
		v.SetString(text)
		return err
	case s.kind == kBlob && h.major == cborBytes:
		b, err := d.bytes(h)
		v.SetBytes(append([]byte{}, b...))
		return err
	case s.kind == kBool && h.major == cborOther && (h.info == 20 || h.info == 21):
		v.SetBool(h.info == 21)
		return nil
	case s.kind == kTime && h.major == cborTag && h.n == 1:
		return d.time(v)
	case s.kind == kInt32 || s.kind == kInt64:
		return d.integer(s, v, h)
	case s.isFloat():
		f, ok := h.float()
		if !ok {
			break
		}
		if s.kind == kFloat32 && v.OverflowFloat(f) {
			break
		}
		v.SetFloat(f)
		return nil
	case s.kind == kDocument:
		x, err := d.any(h)
		if err == nil && x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return err
	}
	return &aws.Error{Code: codeSerialization, Message: "A value can not be converted to " + s.noun() + "."}
}

func (d *cborReader) list(s *shape, v reflect.Value, h head) error {
	if err := d.enter(); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(s.t, 0, 0))
	for i := 0; d.next(h, uint64(i)); i++ {
		eh, err := d.head()
		if err != nil {
			return err
		}
		if eh.null() {
			return &aws.Error{Code: codeSerialization, Message: "A list must not contain null."}
		}
		e, err := d.extend(s, v, i)
		if err != nil {
			return err
		}
		d.push(step{index: i + 1})
		if err := d.value(s.elem, e, eh); err != nil {
			return err
		}
		d.pop()
	}
	d.leave()
	return nil
}

func (d *cborReader) entries(s *shape, v reflect.Value, h head) error {
	if err := d.enter(); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(s.t))
	for i := uint64(0); d.next(h, i); i++ {
		kh, err := d.head()
		if err != nil {
			return err
		}
		name, err := d.text(kh)
		if err != nil {
			return err
		}
		eh, err := d.head()
		if err != nil {
			return err
		}
		if eh.null() {
			continue
		}
		if err := d.grow(s.elem.t.Size() + uintptr(len(name))); err != nil {
			return err
		}
		key, e := reflect.New(s.key.t).Elem(), reflect.New(s.elem.t).Elem()
		key.SetString(name)
		if v.MapIndex(key).IsValid() {
			return d.malformed("a key stands twice")
		}
		d.push(step{key: name})
		if err := d.value(s.elem, e, eh); err != nil {
			return err
		}
		d.pop()
		v.SetMapIndex(key, e)
	}
	d.leave()
	return nil
}
