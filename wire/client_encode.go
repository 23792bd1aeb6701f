package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// EncodeRequest writes a call as a client would send it, unsigned, in the
// service's preferred protocol. endpoint is "https://host:port" with an
// optional path, which goes before the operation's; in is a pointer to op's
// request structure. Idempotency tokens that in leaves out are made, as SDKs do.
func EncodeRequest(op AnyOperation, in any, endpoint string) (*Request, error) {
	meta := op.About()
	if len(meta.Service.Protocols) == 0 {
		return nil, fmt.Errorf("encode %s: the service has no protocol", meta)
	}
	return encodeRequest(op, meta.Service.Protocols[0], in, endpoint)
}

func encodeRequest(op AnyOperation, protocol Protocol, in any, endpoint string) (*Request, error) {
	meta := op.About()
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", meta, err)
	}
	v := reflect.ValueOf(in)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Type() != op.InType() {
		return nil, fmt.Errorf("encode %s: got %T, want *%v", meta, in, op.InType())
	}
	p := planOf(op.InType())
	call := reflect.New(p.t).Elem() // the caller's structure stays as it is
	call.Set(v.Elem())
	v = call
	fillTokens(p, v)
	for _, f := range p.fields {
		if f.token && f.need != 0 && v.Field(f.index).String() == "" {
			v.Field(f.index).SetString(newToken())
		}
	}
	r := &Request{Method: http.MethodPost, Header: http.Header{}, Host: u.Host, Scope: meta.Service.SigningName}
	base := strings.TrimSuffix(u.EscapedPath(), "/")
	r.RawPath = base + "/"
	switch protocol {
	case JSON:
		r.Header.Set("Content-Type", "application/x-amz-json-"+orElse(meta.Service.JSONVersion, "1.1"))
		r.Header.Set("X-Amz-Target", meta.Service.TargetPrefix+"."+meta.Name)
		if meta.Service.QueryCompatible {
			r.Header.Set("X-Amzn-Query-Mode", "true")
		}
		w := jsonWriter{}
		w.structure(p, v, nil)
		r.Body = w.b
	case CBOR:
		r.Header.Set("Content-Type", "application/cbor")
		r.Header.Set("Smithy-Protocol", rpcV2)
		r.Header.Set("Accept", "application/cbor")
		targets := meta.Service.targets()
		if len(targets) == 0 {
			return nil, fmt.Errorf("encode %s: the service has no name for RPC", meta)
		}
		r.RawPath = base + "/service/" + targets[len(targets)-1] + "/operation/" + meta.Name
		r.Body = encodeCBOR(p, v)
	case Query, EC2:
		r.Header.Set("Content-Type", formType)
		w := queryWriter{ec2: protocol == EC2, pairs: []pair{{"Action", meta.Name}, {"Version", meta.Service.APIVersion}}}
		w.structure(p, v, "")
		r.Body = w.encode()
	default:
		return encodeRESTRequest(r, base, meta, protocol, p, v)
	}
	return r, nil
}

func encodeRESTRequest(r *Request, base string, meta *Meta, protocol Protocol, p *plan, v reflect.Value) (*Request, error) {
	r.Method = meta.Method
	path, literal, _ := strings.Cut(meta.URI, "?")
	path, err := expand(path, meta, p, v)
	if err != nil {
		return nil, err
	}
	r.RawPath = base + orElse(path, "/")
	var query []string
	if literal != "" {
		query = strings.Split(literal, "&")
	}
	for _, q := range queryOf(p, v) {
		query = append(query, url.QueryEscape(q.name)+"="+url.QueryEscape(q.value))
	}
	r.RawQuery = strings.Join(query, "&")
	if p.payload != nil || len(p.body) > 0 {
		body, stream, contentType := bodyOf(protocol, true, p, v, orElse(p.name, meta.Name+"Request"), meta.Service.XMLNamespace)
		r.Body, r.Stream = body, stream
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
	}
	headersOf(p, v, r.Header)
	return r, nil
}

// expand puts the labels into a path.
func expand(path string, meta *Meta, p *plan, v reflect.Value) (string, error) {
	for _, f := range p.fields {
		if f.in != inURI {
			continue
		}
		fv, present := f.value(v)
		text := ""
		if present {
			text = textOf(f.shape, fv, iso8601)
		}
		if text == "" {
			return "", fmt.Errorf("encode %s: %s must not be empty, it stands in the path", meta, f.goName)
		}
		path = strings.ReplaceAll(path, "{"+f.name+"}", escapeLabel(text, false))
		path = strings.ReplaceAll(path, "{"+f.name+"+}", escapeLabel(text, true))
	}
	return path, nil
}

// escapeLabel escapes all but unreserved characters, and slashes unless the
// label is greedy. RFC 3986, section 2.3.
func escapeLabel(s string, greedy bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~', c == '/' && greedy:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
