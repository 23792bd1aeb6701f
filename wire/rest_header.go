package wire

import (
	"encoding/base64"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"sumun.dev/aws"
)

func (r *result) fromHeader(f *field, v reflect.Value, h http.Header) error {
	if f.in == inHeaders {
		return prefixHeaders(f, v, h)
	}
	values := h.Values(f.name)
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil // a header without a value says no more than none
	}
	r.seen |= f.need
	if f.kind == kList {
		return headerList(f, v, values)
	}
	text := strings.Join(values, ",")
	if f.jsonvalue {
		return jsonHeader(f, v, text)
	}
	return setText(f.shape, f.target(v), decodeWord(text))
}

// decodeWord reads what RFC 2047 wraps, as S3 sends and takes user metadata.
func decodeWord(s string) string {
	if !strings.HasPrefix(s, "=?") {
		return s
	}
	var d mime.WordDecoder
	out, err := d.DecodeHeader(s)
	if err != nil {
		return s
	}
	return out
}

// prefixHeaders collects headers such as x-amz-meta-*, whose names are taken in
// lower case as S3 does.
func prefixHeaders(f *field, v reflect.Value, h http.Header) error {
	n := len(f.name)
	for name, values := range h {
		if len(name) < n || !strings.EqualFold(name[:n], f.name) || len(values) == 0 {
			continue
		}
		fv := f.target(v)
		if fv.IsNil() {
			fv.Set(reflect.MakeMap(f.t))
		}
		key, e := reflect.New(f.key.t).Elem(), reflect.New(f.elem.t).Elem()
		key.SetString(strings.ToLower(name[n:]))
		if err := setText(f.elem, e, decodeWord(strings.Join(values, ","))); err != nil {
			return err
		}
		fv.SetMapIndex(key, e)
	}
	return nil
}

// jsonHeader reads base64 of JSON; the model's type for it is a string or a document.
func jsonHeader(f *field, v reflect.Value, text string) error {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return &aws.Error{Code: codeSerialization, Message: "The header " + f.name + " is not valid base64."}
	}
	if !jsontext.Value(b).IsValid() {
		return &aws.Error{Code: codeSerialization, Message: "The header " + f.name + " holds no JSON."}
	}
	return setText(f.shape, f.target(v), string(b))
}

// headerList splits a header at its commas, but not those in quotes nor those
// inside a date.
func headerList(f *field, v reflect.Value, values []string) error {
	st := newState(Limits{})
	i := 0
	for _, text := range values {
		for _, part := range splitHeader(text, f.elem.kind == kTime && orElse(f.elem.ts, rfc822) == rfc822) {
			e, err := st.extend(f.shape, f.target(v), i)
			if err != nil {
				return err
			}
			i++
			if err := setText(f.elem, e, decodeWord(part)); err != nil {
				return err
			}
		}
	}
	return nil
}

func splitHeader(s string, dates bool) (out []string) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " \t") {
		if s[0] == '"' {
			part, rest := quotedPart(s)
			out, s = append(out, part), strings.TrimPrefix(strings.TrimSpace(rest), ",")
			continue
		}
		i := strings.IndexByte(s, ',')
		if dates && i >= 0 {
			if j := strings.IndexByte(s[i+1:], ','); j >= 0 {
				i += 1 + j
			} else {
				i = -1
			}
		}
		if i < 0 {
			return append(out, strings.TrimSpace(s))
		}
		out, s = append(out, strings.TrimSpace(s[:i])), s[i+1:]
	}
	return out
}

// quotedPart reads "…" with backslash escapes and returns what follows it.
func quotedPart(s string) (part, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}
