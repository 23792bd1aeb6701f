// Package trail writes what happened as CloudTrail records.
package trail

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// version is the version of the record format that is written.
// CloudTrail User Guide, "CloudTrail record contents".
const version = "1.11"

// What a record holds at most, in bytes. CloudTrail User Guide, "CloudTrail record contents".
const (
	maxText       = 1 << 10
	maxParameters = 100 << 10
)

// A Deed is one verified call and what became of it.
type Deed struct {
	Call     *aws.Call
	About    *wire.Meta
	In, Out  any // request and response; nil when there is none
	Err      *aws.Error
	Touches  []wire.Touch // what it worked on
	Decision string       // what the policies said, for explanations; not part of the record
}

// record is a CloudTrail record, its members in AWS's order.
type record struct {
	EventVersion       string         `json:"eventVersion"`
	UserIdentity       identity       `json:"userIdentity"`
	EventTime          string         `json:"eventTime"`
	EventSource        string         `json:"eventSource"`
	EventName          string         `json:"eventName"`
	AWSRegion          string         `json:"awsRegion"`
	SourceIPAddress    string         `json:"sourceIPAddress"`
	UserAgent          string         `json:"userAgent,omitempty"`
	ErrorCode          string         `json:"errorCode,omitempty"`
	ErrorMessage       string         `json:"errorMessage,omitempty"`
	RequestParameters  jsontext.Value `json:"requestParameters"`
	ResponseElements   jsontext.Value `json:"responseElements"`
	RequestID          string         `json:"requestID"`
	EventID            string         `json:"eventID"`
	ReadOnly           bool           `json:"readOnly"`
	Resources          []resource     `json:"resources,omitempty"`
	EventType          string         `json:"eventType"`
	APIVersion         string         `json:"apiVersion,omitempty"`
	ManagementEvent    bool           `json:"managementEvent"`
	RecipientAccountID string         `json:"recipientAccountId"`
	EventCategory      string         `json:"eventCategory"`
	TLSDetails         *tlsDetails    `json:"tlsDetails,omitempty"`
}

type resource struct {
	AccountID string `json:"accountId,omitempty"`
	Type      string `json:"type,omitempty"`
	ARN       string `json:"ARN"`
}

type tlsDetails struct {
	Version string `json:"tlsVersion"`
	Cipher  string `json:"cipherSuite"`
	Host    string `json:"clientProvidedHostHeader"`
}

// Event returns the record of a deed, ready for the spine's trail stream.
func Event(d *Deed) aws.Event {
	c := d.Call
	r := record{
		EventVersion:       version,
		UserIdentity:       identityOf(c),
		EventTime:          c.Time.UTC().Format(time.RFC3339),
		EventSource:        d.About.Service.EventSource,
		EventName:          d.About.Name,
		AWSRegion:          string(c.Region),
		SourceIPAddress:    c.SourceIP.String(),
		UserAgent:          shorten(c.UserAgent),
		RequestParameters:  parameters(d.In),
		RequestID:          c.RequestID,
		EventID:            NewID(),
		ReadOnly:           d.About.Reads(),
		EventType:          "AwsApiCall",
		ManagementEvent:    true,
		RecipientAccountID: string(c.Account),
		EventCategory:      "Management",
	}
	if by := Invoker(c); by != "" {
		r.SourceIPAddress, r.UserAgent = by, by
	}
	if c.TLS != nil && Invoker(c) == "" {
		r.TLSDetails = &tlsDetails{c.TLS.Version, c.TLS.CipherSuite, c.TLS.ClientProvidedHostHeader}
	}
	if d.About.Service.Protocols[0] != wire.JSON {
		r.APIVersion = d.About.Service.APIVersion
	}
	if d.Err != nil {
		r.ErrorCode, r.ErrorMessage = errorCode(d.Err), shorten(d.Err.Message)
	} else if !r.ReadOnly || d.About.String() == "sts:AssumeRole" {
		// Readers have no response elements, but assuming a role tells which session it made.
		r.ResponseElements = parameters(d.Out)
	}
	names := r.addResources(d.Touches)
	data, err := json.Marshal(&r)
	if err != nil {
		// Parameters that are not JSON: the deed is told without them.
		r.RequestParameters, r.ResponseElements = nil, nil
		data, _ = json.Marshal(&r)
	}
	readOnly := "false"
	if r.ReadOnly {
		readOnly = "true"
	}
	return aws.Event{
		Stream: aws.TrailStream, ID: r.EventID, Type: r.EventType, Account: c.Account, Region: c.Region, Time: c.Time,
		Attrs: map[string]string{
			"eventName": r.EventName, "eventSource": r.EventSource, "user": UserName(c.Principal), "accessKeyId": r.UserIdentity.AccessKeyID,
			"readOnly": readOnly, "resources": strings.Join(names, "\n"), "errorCode": r.ErrorCode, "decision": d.Decision,
		},
		Data: data,
	}
}

func parameters(v any) jsontext.Value {
	if v == nil {
		return nil
	}
	b := wire.TrailParameters(v)
	if len(b) > maxParameters {
		return jsontext.Value(`{"omitted":true,"originalSize":` + fmt.Sprint(len(b)) + `,"reason":"size"}`)
	}
	return jsontext.Value(b)
}

// errorCode is how the trail spells a code: refusals by policy are AccessDenied
// whatever the protocol says, and EC2's codes say whose fault it was.
func errorCode(e *aws.Error) string {
	switch e.Code {
	case "AccessDeniedException":
		return "AccessDenied"
	case "UnauthorizedOperation":
		return "Client.UnauthorizedOperation"
	}
	return e.Code
}

// shorten bounds a text from outside, and makes it valid UTF-8.
func shorten(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	return s
}

// NewID returns a random UUID.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program first
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
