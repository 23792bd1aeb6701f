package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"sumun.dev/aws"
)

// readREST decodes a request of restJson or restXml: labels, query string,
// headers and body. Smithy, "HTTP bindings".
func (m *Match) readREST(req *Request, p *plan, v reflect.Value, limits Limits) (result, error) {
	r, err := readBody(m.Protocol, p, v, req.Body, req.Stream, limits)
	if err != nil {
		return r, err
	}
	for _, f := range p.fields {
		switch f.in {
		case inURI:
			err = r.fromPath(f, v, m)
		case inQuery:
			err = r.fromQuery(f, v, m.query)
		case inHeader, inHeaders:
			err = r.fromHeader(f, v, req.Header)
		}
		if err != nil {
			return r, m.badParameter(f, err)
		}
	}
	return r, nil
}

// badParameter: S3 does not call a parameter that it cannot read malformed XML.
// S3 API Reference, "Error responses".
func (m *Match) badParameter(f *field, err error) error {
	var e *aws.Error
	if m.Protocol != RestXML || !errors.As(err, &e) || e.Code != codeSerialization {
		return err
	}
	e.Code = "InvalidArgument"
	if f.kind == kInt32 || f.kind == kInt64 {
		e.Message = "Provided " + f.name + " not an integer or within integer range"
	}
	return e
}

func (r *result) fromPath(f *field, v reflect.Value, m *Match) error {
	for i, name := range m.labelNames {
		if f.name != name {
			continue
		}
		text, ok := unescape(m.labels[i])
		if !ok {
			return &aws.Error{Code: "MalformedQueryString", Status: 400, Message: "The path is not validly escaped."}
		}
		r.seen |= f.need
		return setText(f.shape, f.target(v), text)
	}
	return nil
}

// readBody decodes what stands in the body: the payload member, or all members
// that stand nowhere else.
func readBody(protocol Protocol, p *plan, v reflect.Value, body []byte, stream io.ReadCloser, limits Limits) (r result, err error) {
	if f := p.payload; f != nil {
		return readPayload(protocol, f, v, body, stream, limits)
	}
	if len(bytes.TrimSpace(body)) == 0 || len(p.body) == 0 {
		return r, nil
	}
	if protocol == RestJSON {
		return decodeJSON(body, p, v, limits)
	}
	d := xmlReader{newState(limits)}
	root, err := parseXML(body, &d.state)
	if err != nil {
		return r, err
	}
	seen, err := d.structure(p, v, root)
	return result{seen, d.missing}, err
}

func readPayload(protocol Protocol, f *field, v reflect.Value, body []byte, stream io.ReadCloser, limits Limits) (r result, err error) {
	r.seen = f.need
	switch f.kind {
	case kStream:
		if stream == nil {
			stream = io.NopCloser(bytes.NewReader(body))
		}
		v.Field(f.index).Set(reflect.ValueOf(&stream).Elem())
		return r, nil
	case kBlob:
		if len(body) > 0 {
			v.Field(f.index).SetBytes(body)
		}
		return r, nil
	case kString:
		if len(body) > 0 {
			f.target(v).SetString(string(body))
		}
		return r, nil
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return result{}, nil
	}
	if protocol == RestJSON {
		d := newJSONReader(body, limits)
		defer d.release()
		d.push(step{member: f.member})
		if err := d.value(f.shape, f.target(v), d.dec.PeekKind()); err != nil {
			return r, err
		}
		if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
			return r, &aws.Error{Code: codeSerialization, Message: "Unexpected content after the body."}
		}
		r.missing = d.missing
		return r, nil
	}
	d := xmlReader{newState(limits)}
	root, err := parseXML(body, &d.state)
	if err != nil {
		return r, err
	}
	d.push(step{member: f.member})
	err = d.value(f.shape, f.target(v), root)
	r.missing = d.missing
	return r, err
}

func (r *result) fromQuery(f *field, v reflect.Value, query []pair) error {
	st := newState(Limits{})
	n := 0
	for _, q := range query {
		switch {
		case f.kind == kMap:
			if err := queryEntry(f, v, q); err != nil {
				return err
			}
			continue
		case q.name != f.name:
			continue
		}
		r.seen |= f.need
		if f.kind != kList {
			if n++; n > 1 {
				return &aws.Error{Code: "MalformedQueryString", Status: 400, Message: "The parameter " + clip(f.name) + " is given more than once."}
			}
			if err := setText(f.shape, f.target(v), q.value); err != nil {
				return err
			}
			continue
		}
		e, err := st.extend(f.shape, f.target(v), n)
		if err != nil {
			return err
		}
		n++
		if err := setText(f.elem, e, q.value); err != nil {
			return err
		}
	}
	return nil
}

// queryEntry takes a parameter that no other member is bound to into a map
// (httpQueryParams). Those of signature and routing are not the caller's.
func queryEntry(f *field, v reflect.Value, q pair) error {
	if strings.HasPrefix(q.name, "X-Amz-") {
		return nil
	}
	fv := f.target(v)
	if fv.IsNil() {
		fv.Set(reflect.MakeMap(f.t))
	}
	key := reflect.New(f.key.t).Elem()
	key.SetString(q.name)
	e := reflect.New(f.elem.t).Elem()
	if f.elem.kind == kList {
		if old := fv.MapIndex(key); old.IsValid() {
			e.Set(old)
		}
		x := reflect.New(f.elem.elem.t).Elem()
		if err := setText(f.elem.elem, x, q.value); err != nil {
			return err
		}
		e.Set(reflect.Append(e, x))
	} else if err := setText(f.elem, e, q.value); err != nil {
		return err
	}
	fv.SetMapIndex(key, e)
	return nil
}
