package wire

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

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
