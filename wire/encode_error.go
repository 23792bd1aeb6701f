package wire

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"sumun.dev/aws"
)

// EncodeError writes err as the protocol's clients expect it. It works on a
// Match without operation too.
func (m *Match) EncodeError(err *aws.Error, requestID string) *Response {
	r := &Response{Status: err.Status, Header: http.Header{}}
	if r.Status == 0 {
		r.Status = http.StatusBadRequest
	}
	m.setRequestID(r.Header, requestID)
	kind := m.kind(err.Code)
	err = toHeaders(r.Header, err, kind)
	switch m.Protocol {
	case JSON:
		r.Header.Set("Content-Type", m.jsonType())
		m.queryError(r, err, kind)
		r.Body = jsonError(err, kind, true)
	case CBOR:
		r.Header.Set("Content-Type", "application/cbor")
		r.Header.Set("Smithy-Protocol", rpcV2)
		m.queryError(r, err, kind)
		r.Body = cborError(err, kind)
	case Query:
		r.Header.Set("Content-Type", "text/xml")
		r.Body = m.queryErrorBody(r.Status, err, kind, requestID)
	case EC2:
		r.Header.Set("Content-Type", "text/xml;charset=UTF-8")
		r.Body = ec2Error(err, requestID)
	case RestXML:
		r.Header.Set("Content-Type", "application/xml")
		r.Body = m.xmlError(r.Status, err, kind, requestID)
	default:
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("x-amzn-ErrorType", err.Code)
		r.Body = jsonError(err, kind, false)
	}
	return r
}

// kind finds what the operation's model says of an error; the zero kind when it
// does not declare the error.
func (m *Match) kind(code string) aws.ErrorKind {
	if m.Operation == nil {
		return aws.ErrorKind{}
	}
	list := m.Operation.About().Errors
	if i := slices.IndexFunc(list, func(k aws.ErrorKind) bool { return k.Code == code }); i >= 0 {
		return list[i]
	}
	return aws.ErrorKind{}
}

// toHeaders moves the members that stand in headers there, and returns what is left.
func toHeaders(h http.Header, err *aws.Error, kind aws.ErrorKind) *aws.Error {
	if kind.Headers == "" || len(err.Fields) == 0 {
		return err
	}
	left := *err
	left.Fields = maps.Clone(err.Fields)
	for part := range strings.SplitSeq(kind.Headers, ",") {
		member, name, _ := strings.Cut(part, "=")
		if value, ok := left.Fields[member]; ok {
			h.Set(name, headerValue(fmt.Sprint(value)))
			delete(left.Fields, member)
		}
	}
	return &left
}

// fault is "Sender" or "Receiver": whose mistake it was.
func fault(status int) string {
	if status >= 500 {
		return "Receiver"
	}
	return "Sender"
}

// queryError tells clients that came from the query protocol the code they knew.
// Smithy, "awsQueryCompatible trait".
func (m *Match) queryError(r *Response, err *aws.Error, kind aws.ErrorKind) {
	if m.Service == nil || !m.Service.QueryCompatible {
		return
	}
	r.Header.Set("x-amzn-query-error", orElse(kind.Query, err.Code)+";"+fault(r.Status))
}

// fields returns the further members of an error in a fixed order.
func fields(err *aws.Error) []string {
	return slices.Sorted(maps.Keys(err.Fields))
}

// jsonError writes the error's object. The sentence's member is "message",
// except where the model spells it otherwise.
func jsonError(err *aws.Error, kind aws.ErrorKind, typed bool) []byte {
	w := jsonWriter{b: []byte{'{'}}
	add := func(name string, value any) {
		w.b = append(appendJSONString(w.b, name), ':')
		w.any(value)
		w.b = append(w.b, ',')
	}
	if typed {
		add("__type", err.Code)
	}
	if err.Message != "" {
		add(orElse(kind.Sentence, "message"), err.Message)
	}
	for _, name := range fields(err) {
		add(name, err.Fields[name])
	}
	w.b = bytes.TrimSuffix(w.b, []byte{','})
	return append(w.b, '}')
}

func (m *Match) queryErrorBody(status int, err *aws.Error, kind aws.ErrorKind, requestID string) []byte {
	w := xmlWriter{}
	w.open("ErrorResponse", m.namespace(), "")
	w.b = append(w.b, '>')
	w.start("Error")
	w.text("Type", fault(status))
	w.text("Code", orElse(kind.Query, err.Code))
	w.text("Message", err.Message)
	w.fields(err)
	w.end("Error")
	w.text("RequestId", requestID)
	w.end("ErrorResponse")
	return w.b
}

// ec2Error has its own frame, and spells RequestID its own way.
func ec2Error(err *aws.Error, requestID string) []byte {
	w := xmlWriter{b: []byte(xmlHeader)}
	w.b = append(w.b, "<Response><Errors><Error>"...)
	w.text("Code", err.Code)
	w.text("Message", err.Message)
	w.fields(err)
	w.b = append(w.b, "</Error></Errors>"...)
	w.text("RequestID", requestID)
	w.b = append(w.b, "</Response>"...)
	return w.b
}

// xmlError is restXml's error: in a frame, except for S3.
func (m *Match) xmlError(status int, err *aws.Error, kind aws.ErrorKind, requestID string) []byte {
	if m.Service != nil && !m.Service.isS3() {
		return m.queryErrorBody(status, err, kind, requestID)
	}
	w := xmlWriter{b: []byte(xmlHeader)}
	w.start("Error")
	w.text("Code", err.Code)
	w.text("Message", err.Message)
	w.fields(err)
	w.text("RequestId", requestID)
	w.text("HostId", requestID)
	w.end("Error")
	return w.b
}
