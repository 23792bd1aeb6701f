package trail

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// What CloudTrail keeps of long members. CloudTrail User Guide, "CloudTrail
// record contents": texts are cut, parameters and elements replaced by their size.
const (
	maxText       = 1 << 10
	maxParameters = 100 << 10
)

// write appends by hand: a record is made for every call of the plane.
func (r *record) write(in, out any, err *aws.Error) []byte {
	asked := bounded(wire.TrailParameters(in), "requestParameters")
	var answered []byte
	if err == nil && r.answers() {
		answered = bounded(wire.TrailElements(out), "responseElements")
	}
	room := 800 + 192*len(r.resources) + len(asked) + len(answered) + len(r.call.UserAgent) // enough for most
	if r.call.Principal != nil && r.call.Principal.Session != nil {
		room += 400
	}
	b := make([]byte, 0, room)
	b = append(b, `{"eventVersion":"1.11","userIdentity":`...)
	b = appendIdentity(b, r.call, r.service)
	b = append(b, `,"eventTime":"`...)
	b = appendTime(b, r.call.Time)
	b = append(b, `","eventSource":`...)
	b = appendString(b, r.meta.Service.EventSource)
	b = append(b, `,"eventName":`...)
	b = appendString(b, r.meta.Name)
	b = append(b, `,"awsRegion":`...)
	b = appendString(b, string(r.region))
	b = r.appendSource(b)
	if err != nil {
		b = append(b, `,"errorCode":`...)
		b = appendString(b, errorCode(r.meta, err))
		if err.Message != "" {
			b = append(b, `,"errorMessage":`...)
			b = appendString(b, cut(err.Message))
		}
	}
	b = appendMember(b, `,"requestParameters":`, asked)
	b = appendMember(b, `,"responseElements":`, answered)
	b = r.appendEndpoint(b)
	b = append(b, `,"requestID":`...)
	b = appendString(b, r.call.RequestID)
	b = append(b, `,"eventID":"`...)
	b = append(b, r.id...)
	b = append(b, `","readOnly":`...)
	b = appendBool(b, r.reads)
	b = appendResources(b, r.resources)
	b = append(b, `,"eventType":"AwsApiCall","managementEvent":`...)
	data := r.isData()
	b = appendBool(b, !data)
	b = append(b, `,"recipientAccountId":`...)
	b = appendString(b, string(r.call.Account))
	if data {
		b = append(b, `,"eventCategory":"Data"`...)
	} else {
		b = append(b, `,"eventCategory":"Management"`...)
	}
	b = r.appendTLS(b)
	return append(b, '}')
}

// appendSource says where the call came from. A call that a service makes shows
// the service's name in both places.
func (r *record) appendSource(b []byte) []byte {
	b = append(b, `,"sourceIPAddress":`...)
	if r.service != "" {
		b = appendString(b, r.service)
		b = append(b, `,"userAgent":`...)
		return appendString(b, r.service)
	}
	if r.call.SourceIP.IsValid() {
		b = append(b, '"')
		b = r.call.SourceIP.Unmap().WithZone("").AppendTo(b)
		b = append(b, '"')
	} else {
		b = append(b, `"AWS Internal"`...)
	}
	b = append(b, `,"userAgent":`...)
	return appendString(b, cut(r.call.UserAgent))
}

// appendEndpoint writes to which of STS's endpoints a client sent the call: the global
// one, whatever region serves it, or a region's. IAM User Guide, "Logging IAM and AWS
// STS API calls with AWS CloudTrail".
func (r *record) appendEndpoint(b []byte) []byte {
	if r.meta.Service.Prefix != "sts" || r.service != "" || !r.call.SourceIP.IsValid() {
		return b
	}
	kind := "regional"
	if host, _, _ := strings.Cut(r.call.Host, ":"); strings.EqualFold(host, "sts.amazonaws.com") {
		kind = "global"
	}
	b = append(b, `,"additionalEventData":{"RequestDetails":{"awsServingRegion":`...)
	b = appendString(b, string(r.region))
	b = append(b, `,"endpointType":"`...)
	b = append(b, kind...)
	return append(b, `"}}`...)
}

// appendTLS writes tlsDetails, which calls by services do not have.
func (r *record) appendTLS(b []byte) []byte {
	t := r.call.TLS
	if t == nil || t.Version == "" || r.service != "" {
		return b
	}
	b = append(b, `,"tlsDetails":{"tlsVersion":`...)
	b = appendString(b, t.Version)
	b = append(b, `,"cipherSuite":`...)
	b = appendString(b, t.CipherSuite)
	if t.ClientProvidedHostHeader != "" {
		b = append(b, `,"clientProvidedHostHeader":`...)
		b = appendString(b, cut(t.ClientProvidedHostHeader))
	}
	return append(b, '}')
}

// bounded says of a member that is too large how large it was, in CloudTrail's words.
func bounded(member []byte, name string) []byte {
	if len(member) <= maxParameters {
		return member
	}
	return fmt.Appendf(nil, `{"reason":"%s too large","omitted":true,"originalSize":%d}`, name, len(member))
}

// errorCode is the code as the trail has it. EC2's begin with "Client." or
// "Server." (EC2 API Reference, "Error codes"). IAM's are the names of its
// errors, where the API answers a shorter code: NoSuchEntityException.
func errorCode(meta *wire.Meta, err *aws.Error) string {
	switch meta.Service.Prefix {
	case "ec2":
		if err.Status >= 500 {
			return "Server." + err.Code
		}
		return "Client." + err.Code
	case "iam":
		for _, kind := range meta.Errors {
			if kind.Code == err.Code && !strings.HasSuffix(err.Code, "Exception") {
				return err.Code + "Exception"
			}
		}
	}
	return err.Code
}

func appendMember(b []byte, name string, value []byte) []byte {
	b = append(b, name...)
	if value == nil {
		return append(b, "null"...)
	}
	return append(b, value...)
}

// appendTime writes 2026-11-23T07:30:00Z.
func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// appendString writes s as JSON; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			quoted, err := jsontext.AppendQuote(b, s)
			if err != nil {
				quoted, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
			}
			return quoted
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// cut bounds a text without splitting a character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
