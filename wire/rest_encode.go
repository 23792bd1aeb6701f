package wire

import (
	"encoding/base64"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// bodyOf writes the body of a REST message, and the content type that goes with
// it; root is what an XML document is called when the model does not say. A request
// whose document would be empty has none.
func bodyOf(protocol Protocol, request bool, p *plan, v reflect.Value, root, ns string) (body []byte, stream io.ReadCloser, contentType string) {
	if p.payload != nil {
		return payloadOf(protocol, p.payload, v, ns)
	}
	if protocol == RestJSON {
		w := jsonWriter{}
		w.structure(p, v, func(f *field) bool { return f.in == inBody })
		return w.b, nil, "application/json"
	}
	if len(p.body) == 0 {
		return nil, nil, ""
	}
	w := xmlWriter{}
	name := orElse(p.xmlName, root)
	w.open(name, orElse(p.ns, ns), p.nspfx)
	w.b = append(w.b, '>')
	empty := len(w.b)
	w.members(p, v, func(f *field) bool { return f.in == inBody })
	if request && len(w.b) == empty {
		return nil, nil, ""
	}
	w.end(name)
	return w.b, nil, "application/xml"
}

func payloadOf(protocol Protocol, f *field, v reflect.Value, ns string) (body []byte, stream io.ReadCloser, contentType string) {
	fv, present := f.value(v)
	switch f.kind {
	case kStream:
		if present {
			stream = fv.Interface().(io.ReadCloser)
		}
		return nil, stream, "application/octet-stream"
	case kBlob:
		return fv.Bytes(), nil, "application/octet-stream"
	case kString:
		if present {
			body = []byte(fv.String())
		}
		return body, nil, "text/plain"
	}
	if protocol == RestJSON {
		if !present {
			return []byte("{}"), nil, "application/json"
		}
		w := jsonWriter{}
		w.value(f.shape, fv)
		return w.b, nil, "application/json"
	}
	if !present {
		return nil, nil, ""
	}
	w := xmlWriter{}
	name := f.name
	if f.st != nil && f.name == f.goName && f.st.xmlName != "" {
		name = f.st.xmlName
	}
	w.value(f.shape, fv, name, orElse(f.ns, ns), f.nspfx, f.flat)
	return w.b, nil, "application/xml"
}

// headersOf puts members into headers.
func headersOf(p *plan, v reflect.Value, h http.Header) {
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present {
			continue
		}
		switch f.in {
		case inHeader:
			// An empty header cannot be told from none.
			if text := headerText(f, fv); text != "" {
				h.Set(f.name, text)
			}
		case inHeaders:
			for _, k := range sortedKeys(fv) {
				// As written: clients take what follows the prefix for the key.
				h[f.name+strings.TrimSpace(k.String())] = []string{headerValue(textOf(f.elem, fv.MapIndex(k), rfc822))}
			}
		}
	}
}

func headerText(f *field, v reflect.Value) string {
	if f.kind != kList {
		text := textOf(f.shape, v, rfc822)
		if f.jsonvalue {
			return base64.StdEncoding.EncodeToString([]byte(text))
		}
		return headerValue(text)
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = headerValue(textOf(f.elem, v.Index(i), rfc822))
		if f.elem.kind == kString && strings.ContainsAny(parts[i], `,"`) {
			parts[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(parts[i]) + `"`
		}
	}
	return strings.Join(parts, ",")
}

// headerValue makes text fit into a header: no line breaks, which would start
// another header, no blanks around, which get lost on the way, and RFC 2047 for what is not ASCII.
func headerValue(s string) string {
	s = strings.Trim(s, " \t")
	clean := true
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?="
}

// statusOf is the status that the response structure itself names, else the model's.
func statusOf(m *Meta, p *plan, v reflect.Value) int {
	for _, f := range p.fields {
		if f.in != inStatus {
			continue
		}
		if fv, present := f.value(v); present && fv.Int() >= 100 && fv.Int() <= 599 {
			return int(fv.Int())
		}
	}
	if m.Status != 0 {
		return m.Status
	}
	return http.StatusOK
}

// queryOf writes the members that stand in a request's query string.
func queryOf(p *plan, v reflect.Value) (out []pair) {
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present || f.in != inQuery {
			continue
		}
		switch f.kind {
		case kList:
			for i := range fv.Len() {
				out = append(out, pair{f.name, textOf(f.elem, fv.Index(i), iso8601)})
			}
		case kMap:
			for _, k := range sortedKeys(fv) {
				e := fv.MapIndex(k)
				if f.elem.kind != kList {
					out = append(out, pair{k.String(), textOf(f.elem, e, iso8601)})
					continue
				}
				for i := range e.Len() {
					out = append(out, pair{k.String(), textOf(f.elem.elem, e.Index(i), iso8601)})
				}
			}
		default:
			out = append(out, pair{f.name, textOf(f.shape, fv, iso8601)})
		}
	}
	return out
}
