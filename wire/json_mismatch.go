package wire

import (
	"github.com/go-json-experiment/json/jsontext"
	"sumun.dev/aws"
)

// mismatch says, in the words of AWS's JSON services, that a value has the
// wrong JSON type.
func (d *jsonReader) mismatch(s *shape, k jsontext.Kind) error {
	if k == 0 || k == ']' || k == '}' {
		_, err := d.dec.ReadToken()
		return d.malformed(err)
	}
	message := jsonNoun(k) + " can not be converted to " + s.noun()
	switch {
	case s.kind == kList:
		message = "Expected list or null"
	case k == '{':
		message = "Start of structure or map found where not expected."
	case k == '[':
		message = "Start of list found where not expected"
	case s.kind == kStruct || s.kind == kMap:
		message = "Expected " + map[kind]string{kStruct: "structure", kMap: "map"}[s.kind] + " or null"
	}
	return &aws.Error{Code: codeSerialization, Message: message}
}

func jsonNoun(k jsontext.Kind) string {
	switch k {
	case '"':
		return "STRING_VALUE"
	case '0':
		return "NUMBER_VALUE"
	case 't':
		return "TRUE_VALUE"
	case 'f':
		return "FALSE_VALUE"
	}
	return "VALUE"
}

// noun is what a value should have been, as AWS names Java's types.
func (s *shape) noun() string {
	switch s.kind {
	case kString:
		return "a String"
	case kBool:
		return "a Boolean"
	case kInt32:
		return "an Integer"
	case kInt64:
		return "a Long"
	case kFloat32:
		return "a Float"
	case kFloat64:
		return "a Double"
	case kTime:
		return "a Timestamp"
	case kBlob, kStream:
		return "a Blob"
	}
	return "a value of the model"
}
