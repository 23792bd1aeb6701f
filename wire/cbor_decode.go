package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"time"
	"unicode/utf8"

	"sumun.dev/aws"
)

// A cborReader decodes one CBOR item, as far as Smithy's RPC v2 uses CBOR:
// integers of 64 bits, floats, strings, lists, maps with text keys, and tag 1.
// RFC 8949; Smithy, "RPC v2 CBOR protocol".
type cborReader struct {
	state
	b []byte
}

// Major types, and the additional information that means "until the break".
const (
	cborUint, cborInt, cborBytes, cborText, cborList, cborMap, cborTag, cborOther = 0, 1, 2, 3, 4, 5, 6, 7

	indefinite = 31
	cborBreak  = 0xff
)

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

// A head is the first byte of an item and the number that belongs to it.
type head struct {
	major, info byte
	n           uint64
}

func (d *cborReader) head() (h head, err error) {
	if len(d.b) == 0 {
		return h, d.malformed("the body ends early")
	}
	h.major, h.info = d.b[0]>>5, d.b[0]&31
	size := 0
	switch {
	case h.info < 24:
		h.n = uint64(h.info)
	case h.info <= 27:
		size = 1 << (h.info - 24)
	case h.info < indefinite || h.major <= cborInt || h.major == cborTag:
		return h, d.malformed("a reserved first byte")
	}
	d.b = d.b[1:]
	if len(d.b) < size {
		return h, d.malformed("the body ends early")
	}
	switch size {
	case 1:
		h.n = uint64(d.b[0])
	case 2:
		h.n = uint64(binary.BigEndian.Uint16(d.b))
	case 4:
		h.n = uint64(binary.BigEndian.Uint32(d.b))
	case 8:
		h.n = binary.BigEndian.Uint64(d.b)
	}
	d.b = d.b[size:]
	return h, nil
}

func (h head) null() bool { return h.major == cborOther && (h.info == 22 || h.info == 23) }

// next reports whether a list or map of length h has an item number i.
func (d *cborReader) next(h head, i uint64) bool {
	if h.info != indefinite {
		return i < h.n
	}
	if len(d.b) > 0 && d.b[0] == cborBreak {
		d.b = d.b[1:]
		return false
	}
	return true
}

// bytes reads the bytes of a string, whose parts follow when its length is open.
func (d *cborReader) bytes(h head) ([]byte, error) {
	if h.info != indefinite {
		if h.n > uint64(len(d.b)) {
			return nil, d.malformed("a string ends early")
		}
		out := d.b[:h.n]
		d.b = d.b[h.n:]
		return out, nil
	}
	out := []byte{}
	for d.next(h, 0) {
		part, err := d.head()
		if err != nil {
			return nil, err
		}
		if part.major != h.major || part.info == indefinite {
			return nil, d.malformed("a string's part is no string")
		}
		b, err := d.bytes(part)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

func (d *cborReader) text(h head) (string, error) {
	if h.major != cborText {
		return "", d.malformed("a key is no text")
	}
	b, err := d.bytes(h)
	if err == nil && !utf8.Valid(b) {
		err = d.malformed("text is no UTF-8")
	}
	return string(b), err
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

// whole returns the integer that an item is.
func (h head) whole() (int64, bool) {
	switch {
	case h.major == cborUint && h.n <= math.MaxInt64:
		return int64(h.n), true
	case h.major == cborInt && h.n <= math.MaxInt64:
		return -1 - int64(h.n), true
	}
	return 0, false
}

func (d *cborReader) integer(s *shape, v reflect.Value, h head) error {
	n, ok := h.whole()
	if !ok {
		// An integral float counts as the integer, as in JSON.
		f, isFloat := h.float()
		ok = isFloat && f == math.Trunc(f) && math.Abs(f) <= 1<<53
		n = int64(f)
	}
	if !ok || v.OverflowInt(n) {
		return &aws.Error{Code: codeSerialization, Message: "A value can not be converted to " + s.noun() + "."}
	}
	v.SetInt(n)
	return nil
}

// float returns the number that an item is.
func (h head) float() (float64, bool) {
	if n, ok := h.whole(); ok {
		return float64(n), true
	}
	if h.major != cborOther {
		return 0, false
	}
	switch h.info {
	case 25:
		return halfFloat(uint16(h.n)), true
	case 26:
		return float64(math.Float32frombits(uint32(h.n))), true
	case 27:
		return math.Float64frombits(h.n), true
	}
	return 0, false
}

// halfFloat widens a float of 16 bits. RFC 8949, appendix D.
func halfFloat(u uint16) float64 {
	exp, mant := int(u>>10&0x1f), float64(u&0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(mant, -24)
	case 31:
		f = math.Inf(1)
		if mant != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(mant+1024, exp-25)
	}
	if u&0x8000 != 0 {
		f = -f
	}
	return f
}

func (d *cborReader) time(v reflect.Value) error {
	h, err := d.head()
	if err != nil {
		return err
	}
	f, ok := h.float()
	var t time.Time
	if ok {
		t, ok = epochTime(f)
	}
	if !ok {
		return &aws.Error{Code: codeSerialization, Message: "A value can not be converted to a Timestamp."}
	}
	v.Set(reflect.ValueOf(t))
	return nil
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

// any reads a document.
func (d *cborReader) any(h head) (any, error) {
	if n, ok := h.whole(); ok {
		return n, nil
	}
	if f, ok := h.float(); ok {
		return f, nil
	}
	switch {
	case h.null():
		return nil, nil
	case h.major == cborOther && (h.info == 20 || h.info == 21):
		return h.info == 21, nil
	case h.major == cborText:
		return d.text(h)
	case h.major == cborBytes:
		b, err := d.bytes(h)
		return append([]byte{}, b...), err
	case h.major == cborList:
		return d.anyList(h)
	case h.major == cborMap:
		return d.anyMap(h)
	}
	return nil, d.malformed("an item that documents do not have")
}

func (d *cborReader) anyList(h head) (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	out := []any{}
	for i := uint64(0); d.next(h, i); i++ {
		if err := d.grow(32); err != nil {
			return nil, err
		}
		eh, err := d.head()
		if err != nil {
			return nil, err
		}
		x, err := d.any(eh)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func (d *cborReader) anyMap(h head) (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	out := map[string]any{}
	for i := uint64(0); d.next(h, i); i++ {
		if err := d.grow(100); err != nil {
			return nil, err
		}
		kh, err := d.head()
		if err != nil {
			return nil, err
		}
		name, err := d.text(kh)
		if err != nil {
			return nil, err
		}
		eh, err := d.head()
		if err != nil {
			return nil, err
		}
		if out[name], err = d.any(eh); err != nil {
			return nil, err
		}
	}
	return out, nil
}
