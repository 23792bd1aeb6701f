package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"sumun.dev/aws"
)

const codeSerialization = "SerializationException"

// A jsonReader decodes one JSON text. Duplicate names and invalid UTF-8 are
// refused, so that no other parser can read the same bytes differently.
type jsonReader struct {
	state
	dec     *jsontext.Decoder
	buf     bytes.Buffer
	lenient bool // documents of runbooks spell numbers and booleans as strings
	loose   bool // member names may be Go names or lowered: see DecodeJSONDocument
}

// jsonReaders saves the decoder's buffers between requests.
var jsonReaders = sync.Pool{New: func() any { return &jsonReader{dec: new(jsontext.Decoder)} }}

// decodeJSON reads body into the structure v, and returns what it found missing.
func decodeJSON(body []byte, p *plan, v reflect.Value, limits Limits) (r result, err error) {
	d := newJSONReader(body, limits)
	defer d.release()
	return d.document(p, v)
}

// A result says which required scalars of the top structure a body held, and
// which below it were missing.
type result struct {
	seen    uint64
	missing map[string]bool
}

func newJSONReader(body []byte, limits Limits) *jsonReader {
	d := jsonReaders.Get().(*jsonReader)
	d.state = state{limits: limits.orDefault(), path: d.path[:0]}
	d.lenient, d.loose = false, false
	d.buf = *bytes.NewBuffer(body)
	d.dec.Reset(&d.buf)
	return d
}

func (d *jsonReader) release() {
	d.buf = bytes.Buffer{}
	d.missing = nil
	d.dec.Reset(&d.buf)
	jsonReaders.Put(d)
}

// document reads the one object that a body is.
func (d *jsonReader) document(p *plan, v reflect.Value) (r result, err error) {
	if d.dec.PeekKind() != '{' {
		if _, err := d.dec.ReadToken(); err != nil {
			return r, d.malformed(err)
		}
		return r, &aws.Error{Code: codeSerialization, Message: "Unexpected start of the body: an object is needed."}
	}
	seen, err := d.structure(p, v)
	if err != nil {
		return r, err
	}
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return r, &aws.Error{Code: codeSerialization, Message: "Unexpected content after the body."}
	}
	return result{seen, d.missing}, nil
}

// malformed turns the tokeniser's complaint into what the client sees.
func (d *jsonReader) malformed(err error) error {
	return &aws.Error{Code: codeSerialization, Message: "The body is not well-formed JSON.", Cause: err}
}

// structure reads an object into v. It returns which required scalars it held,
// and leaves it to the caller of the top structure to tell what is missing.
func (d *jsonReader) structure(p *plan, v reflect.Value) (seen uint64, err error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return 0, d.malformed(err)
	}
	set := 0
	for d.dec.PeekKind() != '}' {
		f, err := d.name(p)
		if err != nil {
			return 0, err
		}
		k := d.dec.PeekKind()
		if f == nil || k == 'n' {
			if err := d.dec.SkipValue(); err != nil {
				return 0, d.malformed(err)
			}
			continue
		}
		set++
		seen |= f.need
		d.push(step{member: f.member})
		if err := d.value(f.shape, f.target(v), k); err != nil {
			return 0, err
		}
		d.pop()
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return 0, d.malformed(err)
	}
	if p.union && set > 1 {
		return 0, &aws.Error{Code: codeSerialization, Message: "Union " + p.name + " has more than one member set."}
	}
	d.leave()
	return seen, nil
}

// name reads a member's name and returns its field, nil when the model has none.
func (d *jsonReader) name(p *plan) (*field, error) {
	raw, err := d.dec.ReadValue()
	if err != nil {
		return nil, d.malformed(err)
	}
	if len(raw) < 2 || raw[0] != '"' {
		return nil, d.malformed(errors.New("object ends early"))
	}
	name := raw[1 : len(raw)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		if name, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return nil, d.malformed(err)
		}
	}
	if d.loose {
		return p.member[string(name)], nil
	}
	return p.body[string(name)], nil
}

// value reads a value that is not null, whose first byte is of kind k.
func (d *jsonReader) value(s *shape, v reflect.Value, k jsontext.Kind) error {
	switch s.kind {
	case kStruct:
		if k != '{' {
			return d.mismatch(s, k)
		}
		seen, err := d.structure(s.st, v)
		if err == nil {
			d.lacks(s.st, seen)
		}
		return err
	case kList:
		return d.list(s, v, k)
	case kMap:
		return d.entries(s, v, k)
	case kDocument:
		x, err := d.any(k)
		if err == nil && x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return err
	case kBool:
		return d.bool(s, v, k)
	case kString:
		if k != '"' {
			return d.mismatch(s, k)
		}
		text, err := d.text()
		v.SetString(text)
		return err
	case kBlob:
		return d.blob(s, v, k)
	case kStream:
		return d.mismatch(s, k)
	}
	return d.number(s, v, k)
}

// list reads an array. It grows by doubling, counted against the limits.
func (d *jsonReader) list(s *shape, v reflect.Value, k jsontext.Kind) error {
	if k != '[' {
		return d.mismatch(s, k)
	}
	if err := d.enter(); err != nil {
		return err
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return d.malformed(err)
	}
	for i := 0; ; i++ {
		k := d.dec.PeekKind()
		if k == ']' {
			if i == 0 {
				v.Set(reflect.MakeSlice(s.t, 0, 0)) // empty, not absent
			}
			break
		}
		if k == 'n' {
			return &aws.Error{Code: codeSerialization, Message: "A list must not contain null."}
		}
		e, err := d.extend(s, v, i)
		if err != nil {
			return err
		}
		d.push(step{index: i + 1})
		if err := d.value(s.elem, e, k); err != nil {
			return err
		}
		d.pop()
	}
	_, err := d.dec.ReadToken()
	d.leave()
	return err
}

// extend makes room for the list's element i and returns it.
func (st *state) extend(s *shape, v reflect.Value, i int) (reflect.Value, error) {
	if err := st.grow(s.elem.t.Size()); err != nil {
		return reflect.Value{}, err
	}
	v.Grow(1)
	v.SetLen(i + 1)
	return v.Index(i), nil
}

// entries reads an object into a map; entries that are null count as absent.
func (d *jsonReader) entries(s *shape, v reflect.Value, k jsontext.Kind) error {
	if k != '{' {
		return d.mismatch(s, k)
	}
	if err := d.enter(); err != nil {
		return err
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return d.malformed(err)
	}
	var texts map[string]string // the usual map, spared reflection
	if s.t == textsType {
		texts = make(map[string]string, 4)
		v.Set(reflect.ValueOf(texts))
	} else {
		v.Set(reflect.MakeMap(s.t))
	}
	for d.dec.PeekKind() != '}' {
		if d.dec.PeekKind() != '"' {
			_, err := d.dec.ReadToken()
			return d.malformed(err)
		}
		name, err := d.text()
		if err != nil {
			return err
		}
		k := d.dec.PeekKind()
		if k == 'n' && s.elem.kind != kDocument {
			if err := d.dec.SkipValue(); err != nil {
				return d.malformed(err)
			}
			continue
		}
		if err := d.grow(s.elem.t.Size() + uintptr(len(name))); err != nil {
			return err
		}
		if texts != nil && k == '"' {
			if texts[name], err = d.text(); err != nil {
				return err
			}
			continue
		}
		e := reflect.New(s.elem.t).Elem()
		d.push(step{key: name})
		if err := d.value(s.elem, e, k); err != nil {
			return err
		}
		d.pop()
		v.SetMapIndex(reflect.ValueOf(name).Convert(s.key.t), e)
	}
	_, err := d.dec.ReadToken()
	d.leave()
	return err
}
