package wire

import (
	"encoding/base64"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// A queryWriter collects the parameters of awsQuery and ec2Query requests.
type queryWriter struct {
	pairs []pair
	ec2   bool
	depth int
}

func (w *queryWriter) add(name, value string) { w.pairs = append(w.pairs, pair{name, value}) }

// encode returns the form in the order in which it was written.
func (w *queryWriter) encode() []byte {
	var b []byte
	for i, p := range w.pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, url.QueryEscape(p.name)...)
		b = append(b, '=')
		b = append(b, url.QueryEscape(p.value)...)
	}
	return b
}

func (w *queryWriter) structure(p *plan, v reflect.Value, prefix string) {
	if w.depth++; w.depth > maxEncodeDepth {
		panic("wire: structure " + p.name + " contains itself")
	}
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present {
			continue
		}
		w.value(f.shape, fv, prefix+f.queryKey(w.ec2), prefix, f.flat || w.ec2)
	}
	w.depth--
}

// value writes v as name; around is the name of what contains it, with its dot.
func (w *queryWriter) value(s *shape, v reflect.Value, name, around string, flat bool) {
	switch s.kind {
	case kStruct:
		w.structure(s.st, v, name+".")
	case kList:
		w.list(s, v, name, around, flat)
	case kMap:
		w.entries(s, v, name, flat)
	default:
		w.add(name, textOf(s, v, iso8601))
	}
}

func (w *queryWriter) list(s *shape, v reflect.Value, name, around string, flat bool) {
	if v.Len() == 0 {
		w.add(name, "")
		return
	}
	switch {
	case !flat:
		name += "." + orElse(s.elemName, "member")
	case !w.ec2 && s.elemName != "":
		name = around + s.elemName
	}
	for i := range v.Len() {
		w.value(s.elem, v.Index(i), name+"."+strconv.Itoa(i+1), name+".", w.ec2)
	}
}

func (w *queryWriter) entries(s *shape, v reflect.Value, name string, flat bool) {
	if v.Len() == 0 {
		w.add(name, "")
		return
	}
	if !flat {
		name += ".entry"
	}
	for i, k := range sortedKeys(v) {
		at := name + "." + strconv.Itoa(i+1) + "."
		w.add(at+orElse(s.keyName, "key"), k.String())
		w.value(s.elem, v.MapIndex(k), at+orElse(s.valueName, "value"), at, w.ec2)
	}
}

// textOf writes a scalar as query strings, headers and elements carry it. ts is
// the place's timestamp format, which the member's own goes before.
func textOf(s *shape, v reflect.Value, ts string) string {
	switch s.kind {
	case kString:
		return v.String()
	case kBool:
		return strconv.FormatBool(v.Bool())
	case kInt32, kInt64:
		return strconv.FormatInt(v.Int(), 10)
	case kFloat32, kFloat64:
		return floatText(v.Float(), v.Type().Bits())
	case kTime:
		return formatTime(v.Interface().(time.Time), orElse(s.ts, ts))
	case kBlob:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case kDocument:
		w := jsonWriter{}
		w.any(v.Interface())
		return string(w.b)
	}
	return ""
}
