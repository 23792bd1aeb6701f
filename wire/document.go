package wire

import (
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"
)

// DecodeJSONDocument reads a JSON object, given as text or as the maps and
// slices that a JSON parser makes, into op's request structure, and checks its
// constraints. Members go by their AWS names, whatever their place in a request
// is and however the first letter is written; numbers and booleans may be
// spelled as strings, as runbooks do. It returns an *aws.Error in the words of
// the service.
func DecodeJSONDocument(op AnyOperation, doc any) (any, error) {
	body, ok := doc.([]byte)
	if v, isValue := doc.(jsontext.Value); isValue {
		body, ok = v, true
	}
	if !ok {
		w := jsonWriter{}
		w.any(doc)
		body = w.b
	}
	p := planOf(op.InType())
	v := reflect.New(p.t)
	d := newJSONReader(body, Limits{})
	defer d.release()
	d.loose, d.lenient = true, true
	m := Match{Operation: op, Service: op.About().Service, Protocol: JSON}
	r, err := d.document(p, v.Elem())
	if err != nil {
		return nil, m.recode(err)
	}
	fillTokens(p, v.Elem())
	st := state{missing: r.missing}
	st.lacks(p, r.seen)
	if found := validate(p, v.Elem(), st.missing, ""); len(found) > 0 {
		return nil, m.violation(found)
	}
	return v.Interface(), nil
}

// EncodeJSONDocument turns a structure of op, its request or its response, into
// the maps and slices of a JSON document with AWS's member names.
func EncodeJSONDocument(op AnyOperation, x any) (map[string]any, error) {
	v := reflect.Indirect(reflect.ValueOf(x))
	if !v.IsValid() || v.Type() != op.InType() && v.Type() != op.OutType() {
		return nil, fmt.Errorf("document of %s: got %T", op.About(), x)
	}
	w := jsonWriter{ts: iso8601, name: memberName(op.About().Service)}
	w.structure(planOf(v.Type()), v, nil)
	d := newJSONReader(w.b, answerLimits)
	defer d.release()
	doc, err := d.anyMap()
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", op.About(), err)
	}
	return doc.(map[string]any), nil
}

// memberName says what AWS calls members. In JSON and query services the name on
// the wire is the member's; elsewhere the wire may have a name of its own, and
// members begin with a capital.
func memberName(s *Service) func(*field) string {
	if s.speaks(JSON) || s.speaks(CBOR) || s.speaks(Query) {
		return func(f *field) string { return f.name }
	}
	return func(f *field) string { return f.goName }
}

// redacted stands in trail records for what must not be recorded.
const redacted = "HIDDEN_DUE_TO_SECURITY_REASONS"

// TrailParameters writes a request as CloudTrail's requestParameters have it:
// member names begin in lower case, sensitive values are hidden, blobs and streams
// are left out. It returns nil, which stands for null, when nothing is left.
// CloudTrail User Guide, "CloudTrail record contents".
func TrailParameters(x any) []byte {
	return trailed(x, func(f *field) string { return f.member })
}

// TrailElements writes a response as CloudTrail's responseElements have it: like
// TrailParameters, but secrets are left out. The record of CreateAccessKey has the
// key's id and no secretAccessKey (IAM User Guide, "Logging IAM and AWS STS API
// calls with AWS CloudTrail").
func TrailElements(x any) []byte {
	return trailed(x, func(f *field) string {
		if f.sensitive {
			return ""
		}
		return f.member
	})
}

func trailed(x any, name func(*field) string) []byte {
	v := reflect.Indirect(reflect.ValueOf(x))
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return nil
	}
	w := jsonWriter{ts: trailTime, secret: redacted, noBlob: true, name: name}
	w.structure(planOf(v.Type()), v, nil)
	if len(w.b) == len("{}") {
		return nil
	}
	return w.b
}
