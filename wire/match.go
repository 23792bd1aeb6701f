package wire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"

	"sumun.dev/aws"
)

// A Match is a request recognised: what Decode, Encode and EncodeError need to
// speak with its client.
type Match struct {
	Operation   AnyOperation // nil when only the protocol is known
	Service     *Service     // nil when unknown
	Protocol    Protocol
	Route       *Route // nil when the operation is not served
	JSONVersion string // as the client spoke it; empty means the service's

	query, form        []pair
	labelNames, labels []string
}

// Decode turns the request into a pointer to the operation's request structure.
// Malformed bodies and broken constraints give an *aws.Error in AWS's words; when
// only constraints are broken, the structure is returned beside the error.
func (m *Match) Decode(req *Request, limits Limits) (any, error) {
	p := planOf(m.Operation.InType())
	v := reflect.New(p.t)
	r, err := m.read(req, p, v.Elem(), limits)
	if err != nil {
		return nil, m.recode(err)
	}
	fillTokens(p, v.Elem())
	st := state{missing: r.missing}
	st.lacks(p, r.seen)
	if found := validate(p, v.Elem(), st.missing, m.items()); len(found) > 0 {
		return v.Interface(), m.violation(found)
	}
	return v.Interface(), nil
}

// items names the list whose elements the service checks itself.
func (m *Match) items() string {
	if m.Route == nil {
		return ""
	}
	return m.Route.Items
}

func (m *Match) read(req *Request, p *plan, v reflect.Value, limits Limits) (result, error) {
	switch m.Protocol {
	case JSON:
		if len(req.Body) == 0 {
			return result{}, nil // some clients send nothing for operations without input
		}
		return decodeJSON(req.Body, p, v, limits)
	case CBOR:
		return decodeCBOR(req.Body, p, v, limits)
	case Query, EC2:
		pairs := m.form
		if len(m.query) > 0 {
			pairs = append(m.query[:len(m.query):len(m.query)], m.form...)
		}
		return decodeQuery(pairs, p, v, m.Protocol == EC2, limits)
	}
	return m.readREST(req, p, v, limits)
}

// recode gives a decoding error the code that the protocol's services use.
func (m *Match) recode(err error) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("decode %s: %w", m.Operation.About(), err)
	}
	if e.Status == 0 {
		e.Status = 400
	}
	if e.Code != codeSerialization {
		return e
	}
	switch m.Protocol {
	case Query:
		e.Code = "MalformedInput"
	case EC2:
		e.Code = "InvalidParameterValue"
	case RestXML:
		e.Code = codeMalformedXML
	}
	return e
}

// fillTokens makes the idempotency tokens that the client left to us.
func fillTokens(p *plan, v reflect.Value) {
	for _, f := range p.fields {
		if !f.token || f.kind != kString {
			continue
		}
		fv := v.Field(f.index)
		if f.ptr && fv.IsNil() {
			fv.Set(reflect.New(f.t))
			fv.Elem().SetString(newToken())
		}
	}
}

// newToken returns a random UUID.
func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
