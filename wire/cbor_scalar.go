package wire

import (
	"math"
	"reflect"
	"time"

	"sumun.dev/aws"
)

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
