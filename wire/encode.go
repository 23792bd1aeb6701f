package wire

import (
	"fmt"
	"net/http"
	"reflect"
)

// Encode writes the response structure that out points to. A type that is not
// the operation's is a mistake in the service, and an error.
func (m *Match) Encode(out any, requestID string) (*Response, error) {
	meta := m.Operation.About()
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Type() != m.Operation.OutType() {
		return nil, fmt.Errorf("encode %s: got %T, want *%v", meta, out, m.Operation.OutType())
	}
	v = v.Elem()
	p := planOf(v.Type())
	r := &Response{Status: http.StatusOK, Header: http.Header{}}
	m.setRequestID(r.Header, requestID)
	switch m.Protocol {
	case JSON:
		r.Header.Set("Content-Type", m.jsonType())
		r.Body = encodeJSON(p, v)
	case CBOR:
		r.Header.Set("Content-Type", "application/cbor")
		r.Header.Set("Smithy-Protocol", rpcV2)
		r.Body = encodeCBOR(p, v)
	case Query:
		r.Header.Set("Content-Type", "text/xml")
		r.Body = queryAnswer(meta, p, v, requestID)
	case EC2:
		r.Header.Set("Content-Type", "text/xml;charset=UTF-8")
		r.Body = ec2Answer(meta, p, v, requestID)
	default:
		m.encodeREST(r, meta, p, v)
	}
	return r, nil
}

func (m *Match) encodeREST(r *Response, meta *Meta, p *plan, v reflect.Value) {
	r.Status = statusOf(meta, p, v)
	body, stream, contentType := bodyOf(m.Protocol, false, p, v, meta.Name+"Result", m.namespace())
	if m.Protocol == RestXML && contentType == "application/xml" && len(body) > 0 {
		body = append([]byte(xmlHeader), body...)
	}
	r.Body, r.Stream = body, stream
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	headersOf(p, v, r.Header)
	if r.Status == http.StatusNoContent || r.Status == http.StatusNotModified {
		r.Body = nil
		r.Header.Del("Content-Type")
	}
}

func (m *Match) namespace() string {
	if m.Service == nil {
		return ""
	}
	return m.Service.XMLNamespace
}

func (m *Match) jsonType() string {
	version := m.JSONVersion
	if m.Service != nil && m.Service.JSONVersion != "" {
		version = m.Service.JSONVersion
	}
	if version != "1.0" {
		version = "1.1"
	}
	return "application/x-amz-json-" + version
}

// setRequestID names the request as the service's clients look for it.
func (m *Match) setRequestID(h http.Header, id string) {
	if id == "" {
		return
	}
	if m.Service != nil && m.Service.isS3() {
		h.Set("x-amz-request-id", id)
		h.Set("x-amz-id-2", id)
		return
	}
	h.Set("x-amzn-RequestId", id)
}

// queryAnswer is the form of awsQuery responses.
func queryAnswer(meta *Meta, p *plan, v reflect.Value, requestID string) []byte {
	w := xmlWriter{b: make([]byte, 0, 512)}
	name := meta.Name + "Response"
	w.open(name, meta.Service.XMLNamespace, "")
	w.b = append(w.b, '>')
	wrapper := meta.ResultWrapper
	if wrapper == "" && len(p.fields) > 0 {
		wrapper = meta.Name + "Result"
	}
	if wrapper != "" {
		w.start(wrapper)
		w.members(p, v, nil)
		w.end(wrapper)
	}
	w.start("ResponseMetadata")
	w.text("RequestId", requestID)
	w.end("ResponseMetadata")
	w.end(name)
	return w.b
}

// ec2Answer is the form of ec2Query responses: no wrapper.
func ec2Answer(meta *Meta, p *plan, v reflect.Value, requestID string) []byte {
	w := xmlWriter{b: append(make([]byte, 0, 1024), xmlHeader...)}
	name := meta.Name + "Response"
	w.open(name, orElse(meta.Service.XMLNamespace, "http://ec2.amazonaws.com/doc/"+meta.Service.APIVersion), "")
	w.b = append(w.b, '>')
	w.text("requestId", requestID)
	w.members(p, v, nil)
	w.end(name)
	return w.b
}
