package wire

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"sumun.dev/aws"
)

// DecodeResponse reads what a service answered to an EncodeRequest of op: a
// pointer to op's response structure, or the *aws.Error that the answer is.
func DecodeResponse(op AnyOperation, resp *Response) (any, error) {
	meta := op.About()
	if len(meta.Service.Protocols) == 0 {
		return nil, fmt.Errorf("decode %s: the service has no protocol", meta)
	}
	return decodeResponse(op, meta.Service.Protocols[0], resp)
}

func decodeResponse(op AnyOperation, protocol Protocol, resp *Response) (any, error) {
	if resp.Status >= 300 {
		return nil, decodeError(op, protocol, resp)
	}
	p := planOf(op.OutType())
	v := reflect.New(p.t)
	if err := readAnswer(op.About(), protocol, p, v.Elem(), resp); err != nil {
		return nil, fmt.Errorf("decode %s: %w", op.About(), err)
	}
	return v.Interface(), nil
}

// answers are larger than requests may be.
var answerLimits = Limits{Depth: 128, Elements: 10_000_000, Memory: 4 << 30}

func readAnswer(meta *Meta, protocol Protocol, p *plan, v reflect.Value, resp *Response) (err error) {
	switch protocol {
	case JSON:
		if len(resp.Body) > 0 && len(p.fields) > 0 {
			_, err = decodeJSON(resp.Body, p, v, answerLimits)
		}
		return err
	case CBOR:
		_, err = decodeCBOR(resp.Body, p, v, answerLimits)
		return err
	case Query, EC2:
		if len(p.fields) == 0 {
			return nil
		}
		d := xmlReader{newState(answerLimits)}
		root, err := parseXML(resp.Body, &d.state)
		if err != nil {
			return err
		}
		if protocol == Query {
			inner := root.kid(orElse(meta.ResultWrapper, meta.Name+"Result"))
			if inner == nil && meta.ResultWrapper != "" {
				return errors.New("the answer has no result")
			}
			if inner != nil {
				root = inner
			}
		}
		_, err = d.structure(p, v, root)
		return err
	}
	r, err := readBody(protocol, p, v, resp.Body, resp.Stream, answerLimits)
	for _, f := range p.fields {
		if err != nil {
			break
		}
		switch f.in {
		case inHeader, inHeaders:
			err = r.fromHeader(f, v, resp.Header)
		case inStatus:
			f.target(v).SetInt(int64(resp.Status))
		}
	}
	return err
}

// decodeError reads an error answer. Where the answer cannot be read, the
// status speaks.
func decodeError(op AnyOperation, protocol Protocol, resp *Response) *aws.Error {
	e := &aws.Error{Status: resp.Status}
	switch protocol {
	case Query, EC2, RestXML:
		xmlErrorInto(e, resp.Body)
	case CBOR:
		d := cborReader{state: newState(answerLimits), b: resp.Body}
		if h, err := d.head(); err == nil && h.major == cborMap {
			if x, err := d.anyMap(h); err == nil {
				fieldsInto(e, x.(map[string]any))
			}
		}
	default:
		d := newJSONReader(resp.Body, answerLimits)
		defer d.release()
		if d.dec.PeekKind() == jsontext.Kind('{') {
			if x, err := d.anyMap(); err == nil {
				fieldsInto(e, x.(map[string]any))
			}
		}
	}
	if name := resp.Header.Get("X-Amzn-ErrorType"); name != "" {
		e.Code = errorName(name)
	}
	if e.Code == "" {
		e.Code = http.StatusText(resp.Status)
	}
	m := Match{Operation: op}
	for part := range strings.SplitSeq(m.kind(e.Code).Headers, ",") {
		member, name, _ := strings.Cut(part, "=")
		if value := resp.Header.Get(name); value != "" {
			e.With(member, value)
		}
	}
	return e
}

// errorName takes the namespace and the documentation link off a type:
// "aws.kms#NotFoundException", "NotFoundException:http://…".
func errorName(s string) string {
	s, _, _ = strings.Cut(s, ":")
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		s = s[i+1:]
	}
	return s
}

func fieldsInto(e *aws.Error, members map[string]any) {
	for name, x := range members {
		text, isText := x.(string)
		switch {
		case name == "__type" && isText, name == "code" && isText && e.Code == "":
			e.Code = errorName(text)
		case strings.EqualFold(name, "message") && isText:
			e.Message = text
		default:
			e.With(name, x)
		}
	}
}

func xmlErrorInto(e *aws.Error, body []byte) {
	st := newState(answerLimits)
	n, err := parseXML(body, &st)
	if err != nil {
		return
	}
	if list := n.kid("Errors"); list != nil {
		n = list
	}
	if inner := n.kid("Error"); inner != nil {
		n = inner
	}
	for _, k := range n.kids {
		switch k.name {
		case "Code":
			e.Code = string(k.text)
		case "Message":
			e.Message = string(k.text)
		case "Type", "RequestId", "HostId":
		default:
			if len(k.kids) == 0 {
				e.With(k.name, string(k.text))
			}
		}
	}
}
