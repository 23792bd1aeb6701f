package wire

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
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

// text reads a string.
func (d *jsonReader) text() (string, error) {
	raw, err := d.dec.ReadValue()
	if err != nil {
		return "", d.malformed(err)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", d.malformed(err)
	}
	return string(b), nil
}

func (d *jsonReader) bool(s *shape, v reflect.Value, k jsontext.Kind) error {
	if d.lenient && k == '"' {
		text, err := d.text()
		if err != nil {
			return err
		}
		b, err := strconv.ParseBool(text)
		if err != nil {
			return d.mismatch(s, k)
		}
		v.SetBool(b)
		return nil
	}
	if k != 't' && k != 'f' {
		return d.mismatch(s, k)
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return d.malformed(err)
	}
	v.SetBool(k == 't')
	return nil
}

func (d *jsonReader) blob(s *shape, v reflect.Value, k jsontext.Kind) error {
	if k != '"' {
		return d.mismatch(s, k)
	}
	raw, err := d.dec.ReadValue()
	if err != nil {
		return d.malformed(err)
	}
	text := []byte(raw[1 : len(raw)-1])
	if bytes.IndexByte(text, '\\') >= 0 {
		if text, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return d.malformed(err)
		}
	}
	b, err := decodeBase64(text)
	if err != nil {
		return err
	}
	v.SetBytes(b)
	return nil
}

// decodeBase64 reads standard base64 without the line breaks that Go's decoder skips.
func decodeBase64(text []byte) ([]byte, error) {
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(b, text)
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		return nil, &aws.Error{Code: codeSerialization, Message: "A blob is not valid base64."}
	}
	return b[:n], nil
}

// number reads integers, floats and timestamps.
func (d *jsonReader) number(s *shape, v reflect.Value, k jsontext.Kind) error {
	if k != '0' && k != '"' {
		return d.mismatch(s, k)
	}
	raw, err := d.dec.ReadValue()
	if err != nil {
		return d.malformed(err)
	}
	text := string(raw)
	if k == '"' {
		if text, err = unquote(raw); err != nil {
			return d.malformed(err)
		}
		if !d.lenient && s.kind != kTime && !(s.isFloat() && notFinite(text)) {
			return d.mismatch(s, k)
		}
	}
	return setNumber(s, v, text)
}

func unquote(raw jsontext.Value) (string, error) {
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}

func (s *shape) isFloat() bool { return s.kind == kFloat32 || s.kind == kFloat64 }

// notFinite reports whether s is one of the words for floats that are no numbers.
func notFinite(s string) bool { return s == "NaN" || s == "Infinity" || s == "-Infinity" }

// setNumber reads text, which came from any protocol, into a number or timestamp.
func setNumber(s *shape, v reflect.Value, text string) error {
	refuse := func() error {
		return &aws.Error{Code: codeSerialization, Message: "'" + clip(text) + "' can not be converted to " + s.noun() + "."}
	}
	switch s.kind {
	case kTime:
		t, ok := parseTime(text)
		if !ok {
			return refuse()
		}
		v.Set(reflect.ValueOf(t))
	case kInt32, kInt64:
		n, ok := parseInteger(text, v.Type().Bits())
		if !ok {
			return refuse()
		}
		v.SetInt(n)
	default:
		n, ok := parseFloat(text, v.Type().Bits())
		if !ok {
			return refuse()
		}
		v.SetFloat(n)
	}
	return nil
}

// parseInteger also reads 1.0 and 1e3, which some JSON writers make of integers.
func parseInteger(s string, bits int) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, bits)
	if err == nil {
		return n, true
	}
	if errors.Is(err, strconv.ErrRange) || !strings.ContainsAny(s, ".eE") || strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	n = int64(f)
	return n, bits == 64 || n == int64(int32(n))
}

// parseFloat reads a number or one of NaN, Infinity and -Infinity.
func parseFloat(s string, bits int) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	if strings.ContainsAny(s, "xXpPnN_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	return f, err == nil
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

// any reads a document: nil, bool, string, int64 or float64, []any, map[string]any.
func (d *jsonReader) any(k jsontext.Kind) (any, error) {
	switch k {
	case '{', '[':
		if err := d.enter(); err != nil {
			return nil, err
		}
		defer d.leave()
	}
	switch k {
	case 'n', 't', 'f':
		if _, err := d.dec.ReadToken(); err != nil {
			return nil, d.malformed(err)
		}
		if k == 'n' {
			return nil, nil
		}
		return k == 't', nil
	case '"':
		return d.text()
	case '0':
		raw, err := d.dec.ReadValue()
		if err != nil {
			return nil, d.malformed(err)
		}
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return n, nil
		}
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return nil, d.malformed(err)
		}
		return f, nil
	case '[':
		return d.anyList()
	case '{':
		return d.anyMap()
	}
	_, err := d.dec.ReadToken()
	return nil, d.malformed(err)
}

func (d *jsonReader) anyList() (any, error) {
	if _, err := d.dec.ReadToken(); err != nil {
		return nil, d.malformed(err)
	}
	out := []any{}
	for d.dec.PeekKind() != ']' {
		if err := d.grow(32); err != nil {
			return nil, err
		}
		x, err := d.any(d.dec.PeekKind())
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	_, err := d.dec.ReadToken()
	return out, err
}

func (d *jsonReader) anyMap() (any, error) {
	if _, err := d.dec.ReadToken(); err != nil {
		return nil, d.malformed(err)
	}
	out := map[string]any{}
	for d.dec.PeekKind() != '}' {
		if d.dec.PeekKind() != '"' {
			_, err := d.dec.ReadToken()
			return nil, d.malformed(err)
		}
		name, err := d.text()
		if err != nil {
			return nil, err
		}
		if err := d.grow(100); err != nil {
			return nil, err
		}
		if out[name], err = d.any(d.dec.PeekKind()); err != nil {
			return nil, err
		}
	}
	_, err := d.dec.ReadToken()
	return out, err
}

// mismatch says, in the words of AWS's JSON services, that a value has the
// wrong JSON type.
func (d *jsonReader) mismatch(s *shape, k jsontext.Kind) error {
	if k == 0 || k == ']' || k == '}' {
		_, err := d.dec.ReadToken()
		return d.malformed(err)
	}
	message := jsonNoun(k) + " can not be converted to " + s.noun()
	switch {
	case s.kind == kList:
		message = "Expected list or null"
	case k == '{':
		message = "Start of structure or map found where not expected."
	case k == '[':
		message = "Start of list found where not expected"
	case s.kind == kStruct || s.kind == kMap:
		message = "Expected " + map[kind]string{kStruct: "structure", kMap: "map"}[s.kind] + " or null"
	}
	return &aws.Error{Code: codeSerialization, Message: message}
}

func jsonNoun(k jsontext.Kind) string {
	switch k {
	case '"':
		return "STRING_VALUE"
	case '0':
		return "NUMBER_VALUE"
	case 't':
		return "TRUE_VALUE"
	case 'f':
		return "FALSE_VALUE"
	}
	return "VALUE"
}

// noun is what a value should have been, as AWS names Java's types.
func (s *shape) noun() string {
	switch s.kind {
	case kString:
		return "a String"
	case kBool:
		return "a Boolean"
	case kInt32:
		return "an Integer"
	case kInt64:
		return "a Long"
	case kFloat32:
		return "a Float"
	case kFloat64:
		return "a Double"
	case kTime:
		return "a Timestamp"
	case kBlob, kStream:
		return "a Blob"
	}
	return "a value of the model"
}
