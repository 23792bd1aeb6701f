package wire

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"sumun.dev/aws"
)

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
	if err != nil || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, '\n') >= 0 {
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
