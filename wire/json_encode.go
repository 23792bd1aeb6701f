package wire

import (
	"bytes"
	"encoding/base64"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxEncodeDepth ends structures that contain themselves.
const maxEncodeDepth = 200

// A jsonWriter appends values as one of the JSON protocols carries them.
type jsonWriter struct {
	b []byte
	// name chooses what a member is called; empty leaves it out. nil means the name on the wire.
	name func(*field) string
	// secret, if set, stands for sensitive values.
	secret string
	noBlob bool   // leaves blobs out
	ts     string // the format of all timestamps; empty means the model's, else seconds since 1970
	depth  int
}

// drafts are buffers in which answers are written before their length is known.
var drafts = sync.Pool{New: func() any { return new([]byte) }}

// maxDraft bounds the buffers that are kept.
const maxDraft = 64 << 10

// encodeJSON writes the structure v as a body.
func encodeJSON(p *plan, v reflect.Value) []byte {
	draft := drafts.Get().(*[]byte)
	w := jsonWriter{b: *draft}
	w.structure(p, v, nil)
	body := bytes.Clone(w.b)
	if cap(w.b) <= maxDraft {
		clear(w.b) // answers hold secrets
		*draft = w.b[:0]
		drafts.Put(draft)
	}
	return body
}

// appendJSONString writes s quoted. Bytes that are no UTF-8 become U+FFFD.
func appendJSONString(b []byte, s string) []byte {
	if plain(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	out, err := jsontext.AppendQuote(b, s)
	if err != nil {
		out, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return out
}

// plain reports whether s needs no escape.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return true
}

// structure writes the members of v that are present and that want accepts (nil: all).
func (w *jsonWriter) structure(p *plan, v reflect.Value, want func(*field) bool) {
	w.b = append(w.b, '{')
	empty := len(w.b)
	w.members(p, v, want)
	if n := len(w.b); n > empty && w.b[n-1] == ',' {
		w.b = w.b[:n-1]
	}
	w.b = append(w.b, '}')
}

// members writes them with a comma behind each.
func (w *jsonWriter) members(p *plan, v reflect.Value, want func(*field) bool) {
	if w.depth++; w.depth > maxEncodeDepth {
		panic("wire: structure " + p.name + " contains itself")
	}
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present || want != nil && !want(f) || w.noBlob && f.hasBlob() {
			continue
		}
		if w.name == nil {
			w.b = append(w.b, f.quoted...)
		} else {
			name := w.name(f)
			if name == "" {
				continue
			}
			w.b = append(appendJSONString(w.b, name), ':')
		}
		w.value(f.shape, fv)
		w.b = append(w.b, ',')
	}
	w.depth--
}

// hasBlob reports whether the value is, or lists, bytes.
func (s *shape) hasBlob() bool {
	return s.kind == kBlob || s.kind == kStream || s.elem != nil && s.elem.hasBlob()
}

func (w *jsonWriter) value(s *shape, v reflect.Value) {
	if w.secret != "" && s.sensitive {
		w.b = appendJSONString(w.b, w.secret)
		return
	}
	switch s.kind {
	case kString:
		w.b = appendJSONString(w.b, v.String())
	case kBool:
		w.b = strconv.AppendBool(w.b, v.Bool())
	case kInt32, kInt64:
		w.b = strconv.AppendInt(w.b, v.Int(), 10)
	case kFloat32, kFloat64:
		w.b = appendJSONFloat(w.b, v.Float(), v.Type().Bits())
	case kTime:
		w.time(s, v.Interface().(time.Time))
	case kBlob:
		w.b = appendBase64(w.b, v.Bytes())
	case kList:
		w.list(s, v)
	case kMap:
		w.entries(s, v)
	case kStruct:
		w.structure(s.st, v, nil)
	case kDocument:
		w.any(v.Interface())
	default:
		w.b = append(w.b, "null"...)
	}
}

func (w *jsonWriter) time(s *shape, t time.Time) {
	format := s.ts
	if format == "" || w.ts != "" {
		format = w.ts
	}
	if format == "" || format == epoch {
		w.b = appendEpoch(w.b, t.UTC())
		return
	}
	w.b = append(w.b, '"')
	w.b = append(appendTime(w.b, t, format), '"')
}

func appendBase64(b, blob []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, blob)
	return append(b, '"')
}

// appendJSONFloat writes a number, or the word for what is none.
func appendJSONFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendJSONString(b, floatText(f, bits))
	}
	return appendFloat(b, f, bits)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, bits)
}

// floatText writes a float as every protocol but JSON does.
func floatText(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return string(appendFloat(nil, f, bits))
}

func (w *jsonWriter) list(s *shape, v reflect.Value) {
	w.b = append(w.b, '[')
	for i := range v.Len() {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.value(s.elem, v.Index(i))
	}
	w.b = append(w.b, ']')
}

// entries writes a map in the order of its keys, so that the same answer has the same bytes.
func (w *jsonWriter) entries(s *shape, v reflect.Value) {
	w.b = append(w.b, '{')
	for i, k := range sortedKeys(v) {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(appendJSONString(w.b, k.String()), ':')
		w.value(s.elem, v.MapIndex(k))
	}
	w.b = append(w.b, '}')
}

// any writes a document, or a member of an error: what encoding/json would
// accept from such a document, and structures of the model.
func (w *jsonWriter) any(x any) {
	switch x := x.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case string:
		w.b = appendJSONString(w.b, x)
	case bool:
		w.b = strconv.AppendBool(w.b, x)
	case time.Time:
		w.time(&shape{}, x)
	case []byte:
		w.b = appendBase64(w.b, x)
	case jsontext.Value:
		w.b = append(w.b, x...)
	default:
		w.reflected(reflect.ValueOf(x))
	}
}

func (w *jsonWriter) reflected(v reflect.Value) {
	if w.depth++; w.depth > maxEncodeDepth {
		panic("wire: a document contains itself")
	}
	defer func() { w.depth-- }()
	switch v.Kind() {
	case reflect.String:
		w.b = appendJSONString(w.b, v.String())
	case reflect.Bool:
		w.b = strconv.AppendBool(w.b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.b = strconv.AppendInt(w.b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.b = strconv.AppendUint(w.b, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		w.b = appendJSONFloat(w.b, v.Float(), v.Type().Bits())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			w.b = append(w.b, "null"...)
			return
		}
		w.any(v.Elem().Interface())
	case reflect.Slice, reflect.Array:
		w.b = append(w.b, '[')
		for i := range v.Len() {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.any(v.Index(i).Interface())
		}
		w.b = append(w.b, ']')
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		w.b = append(w.b, '{')
		for i, k := range keys {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.b = append(appendJSONString(w.b, k.String()), ':')
			w.any(v.MapIndex(k).Interface())
		}
		w.b = append(w.b, '}')
	case reflect.Struct:
		w.structure(planOf(v.Type()), v, nil)
	default:
		w.b = append(w.b, "null"...)
	}
}
