package wire

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"

	"sumun.dev/aws"
)

// A cborWriter appends items as Smithy's RPC v2 carries them.
type cborWriter struct {
	b     []byte
	depth int
}

func encodeCBOR(p *plan, v reflect.Value) []byte {
	w := cborWriter{b: make([]byte, 0, 512)}
	w.structure(p, v)
	return w.b
}

func (w *cborWriter) head(major byte, n uint64) {
	switch {
	case n < 24:
		w.b = append(w.b, major<<5|byte(n))
	case n <= math.MaxUint8:
		w.b = append(w.b, major<<5|24, byte(n))
	case n <= math.MaxUint16:
		w.b = binary.BigEndian.AppendUint16(append(w.b, major<<5|25), uint16(n))
	case n <= math.MaxUint32:
		w.b = binary.BigEndian.AppendUint32(append(w.b, major<<5|26), uint32(n))
	default:
		w.b = binary.BigEndian.AppendUint64(append(w.b, major<<5|27), n)
	}
}

func (w *cborWriter) text(s string) {
	w.head(cborText, uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *cborWriter) int(n int64) {
	if n < 0 {
		w.head(cborInt, uint64(-1-n))
		return
	}
	w.head(cborUint, uint64(n))
}

func (w *cborWriter) float(f float64) {
	w.b = binary.BigEndian.AppendUint64(append(w.b, cborOther<<5|27), math.Float64bits(f))
}

func (w *cborWriter) bool(b bool) {
	info := byte(20)
	if b {
		info = 21
	}
	w.b = append(w.b, cborOther<<5|info)
}

// structure writes a map of open length, so that members need not be counted first.
func (w *cborWriter) structure(p *plan, v reflect.Value) {
	if w.depth++; w.depth > maxEncodeDepth {
		panic("wire: structure " + p.name + " contains itself")
	}
	w.b = append(w.b, cborMap<<5|indefinite)
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present || f.kind == kStream {
			continue
		}
		w.text(f.name)
		w.value(f.shape, fv)
	}
	w.b = append(w.b, cborBreak)
	w.depth--
}

func (w *cborWriter) value(s *shape, v reflect.Value) {
	switch s.kind {
	case kString:
		w.text(v.String())
	case kBool:
		w.bool(v.Bool())
	case kInt32, kInt64:
		w.int(v.Int())
	case kFloat32:
		w.b = binary.BigEndian.AppendUint32(append(w.b, cborOther<<5|26), math.Float32bits(float32(v.Float())))
	case kFloat64:
		w.float(v.Float())
	case kTime:
		w.time(v.Interface().(time.Time))
	case kBlob:
		w.head(cborBytes, uint64(v.Len()))
		w.b = append(w.b, v.Bytes()...)
	case kList:
		w.head(cborList, uint64(v.Len()))
		for i := range v.Len() {
			w.value(s.elem, v.Index(i))
		}
	case kMap:
		w.head(cborMap, uint64(v.Len()))
		for _, k := range sortedKeys(v) {
			w.text(k.String())
			w.value(s.elem, v.MapIndex(k))
		}
	case kStruct:
		w.structure(s.st, v)
	case kDocument:
		w.any(v.Interface())
	}
}

func (w *cborWriter) time(t time.Time) {
	w.head(cborTag, 1)
	if ms := t.UnixMilli(); ms%1000 != 0 {
		w.float(float64(ms) / 1000)
		return
	}
	w.int(t.Unix())
}

func (w *cborWriter) any(x any) {
	switch x := x.(type) {
	case nil:
		w.b = append(w.b, cborOther<<5|22)
	case time.Time:
		w.time(x)
	case []byte:
		w.head(cborBytes, uint64(len(x)))
		w.b = append(w.b, x...)
	default:
		w.reflected(reflect.ValueOf(x))
	}
}

func (w *cborWriter) reflected(v reflect.Value) {
	if w.depth++; w.depth > maxEncodeDepth {
		panic("wire: a document contains itself")
	}
	defer func() { w.depth-- }()
	switch v.Kind() {
	case reflect.String:
		w.text(v.String())
	case reflect.Bool:
		w.bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.int(v.Int())
	case reflect.Float32, reflect.Float64:
		w.float(v.Float())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			w.any(nil)
			return
		}
		w.any(v.Elem().Interface())
	case reflect.Slice, reflect.Array:
		w.head(cborList, uint64(v.Len()))
		for i := range v.Len() {
			w.any(v.Index(i).Interface())
		}
	case reflect.Map:
		w.head(cborMap, uint64(v.Len()))
		for _, k := range sortedKeys(v) {
			w.text(k.String())
			w.any(v.MapIndex(k).Interface())
		}
	case reflect.Struct:
		w.structure(planOf(v.Type()), v)
	default:
		w.any(nil)
	}
}

// cborError writes the error's map.
func cborError(err *aws.Error, kind aws.ErrorKind) []byte {
	w := cborWriter{}
	w.head(cborMap, uint64(2+len(err.Fields)))
	w.text("__type")
	w.text(err.Code)
	w.text(orElse(kind.Sentence, "message"))
	w.text(err.Message)
	for _, name := range fields(err) {
		w.text(name)
		w.any(err.Fields[name])
	}
	return w.b
}
