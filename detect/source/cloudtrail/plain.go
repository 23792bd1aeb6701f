package cloudtrail

import (
	"net/netip"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
	"sumun.dev/detect/source/scan"
)

// A Reader reads records that are plain, many times as fast as Read, and the same.
// It is not safe for concurrent use.
type Reader struct {
	texts *scan.Texts
	spare *record.Spare
}

// NewReader returns a Reader.
func NewReader() *Reader { return NewReaderOf(&record.Spare{}) }

// NewReaderOf returns a Reader that takes records from spare.
func NewReaderOf(spare *record.Spare) *Reader { return &Reader{scan.NewTexts(), spare} }

// Read reads one record, a JSON object. What it does not know, it skips.
func (r *Reader) Read(b []byte) (*record.Record, error) {
	if rec, end := r.Plain(b, scan.Space(b, 0)); end >= 0 && scan.Space(b, end) == len(b) {
		return rec, nil
	}
	return Read(b)
}

var null = []byte("null")

// Plain reads the record at i, and returns where it ends. What is not plain it
// declines with a negative end, and leaves to Read: a name that comes twice or has
// escapes, a value of another type than CloudTrail's, bytes that are no UTF-8. So it
// does with what may be no record but carries one.
func (r *Reader) Plain(b []byte, i int) (*record.Record, int) {
	p := plain{b: b, texts: r.texts, at: i}
	rec := r.spare.Call()
	if !p.record(rec) || p.at-i > maxRecord {
		r.spare.Put(rec)
		return nil, scan.No
	}
	return rec, p.at
}

// plain is a record that is being read.
type plain struct {
	b     []byte
	texts *scan.Texts
	at    int

	docs       []byte // copies of documents, one after the other
	time       bool   // eventTime is said
	management bool   // managementEvent is said
	federated  string // webIdFederationData.federatedProvider
	onConsole  string
}

// next goes to the next member of an object: its name, and whether there is one.
// p.at stands at '{' when n is 0, else behind a value, and then at a value or behind
// '}'; it is negative when the object is declined.
func (p *plain) next(n int) (name []byte, more bool) {
	b := p.b
	switch {
	case p.at < 0 || p.at >= len(b):
		p.at = scan.No
		return nil, false
	case n == 0:
		if b[p.at] != '{' {
			p.at = scan.No
			return nil, false
		}
		p.at = scan.Space(b, p.at+1)
		if p.at < len(b) && b[p.at] == '}' {
			p.at++
			return nil, false
		}
	default:
		p.at = scan.Space(b, p.at)
		switch {
		case p.at < len(b) && b[p.at] == ',':
			p.at = scan.Space(b, p.at+1)
		case p.at < len(b) && b[p.at] == '}':
			p.at++
			return nil, false
		default:
			p.at = scan.No
			return nil, false
		}
	}
	name, p.at = scan.Name(b, p.at)
	return name, p.at >= 0
}

// once notes that a member was met, and declines the second of a name.
func (p *plain) once(seen *uint32, member uint) {
	if *seen&(1<<member) != 0 {
		p.at = scan.No
	}
	*seen |= 1 << member
}

// text reads a text that comes again and again.
func (p *plain) text(to *string) {
	var text []byte
	if p.at < 0 {
		return
	}
	text, p.at = scan.Text(p.b, p.at)
	*to = p.texts.Of(text)
}

// own reads a text that no other record has.
func (p *plain) own(to *string) {
	var text []byte
	if p.at < 0 {
		return
	}
	text, p.at = scan.Text(p.b, p.at)
	*to = string(text)
}

func (p *plain) truth(to *bool) (said bool) {
	switch {
	case p.at < 0 || p.at >= len(p.b):
		p.at = scan.No
	case p.b[p.at] == 't':
		p.at, *to, said = scan.Literal(p.b, p.at, "true"), true, true
	case p.b[p.at] == 'f':
		p.at, *to, said = scan.Literal(p.b, p.at, "false"), false, true
	default:
		p.at = scan.Literal(p.b, p.at, "null")
	}
	return said
}

// document keeps a value as it stands.
func (p *plain) document(to *record.Document) {
	from := p.at
	if p.at = scan.Value(p.b, p.at); p.at < 0 {
		return
	}
	v := p.b[from:p.at]
	if string(v) == "null" {
		*to = record.NewDocument(null)
		return
	}
	if cap(p.docs)-len(p.docs) < len(v) {
		p.docs = make([]byte, 0, max(len(v), 256))
	}
	start := len(p.docs)
	p.docs = append(p.docs, v...)
	*to = record.NewDocument(p.docs[start:len(p.docs):len(p.docs)])
}

// null goes over null where an object may stand.
func (p *plain) null() bool {
	if p.at >= 0 && p.at < len(p.b) && p.b[p.at] == 'n' {
		p.at = scan.Literal(p.b, p.at, "null")
		return true
	}
	return false
}

// The members of a record that anybody looks at.
const (
	eventTime = iota
	userIdentity
	eventSource
	eventName
	awsRegion
	sourceIPAddress
	userAgent
	errorCode
	errorMessage
	requestParameters
	responseElements
	additionalEventData
	serviceEventDetails
	requestID
	eventID
	eventType
	readOnly
	managementEvent
	resources
	recipientAccountID
	sharedEventID
	vpcEndpointID
	eventCategory
	sessionCredentialFromConsole
	tlsDetails
)

func (p *plain) record(r *record.Record) bool {
	a, seen, n := r.API, uint32(0), 0
	for ; ; n++ {
		name, more := p.next(n)
		if !more {
			break
		}
		switch string(name) {
		case "eventTime":
			p.once(&seen, eventTime)
			p.moment(&r.Time)
		case "userIdentity":
			p.once(&seen, userIdentity)
			p.identity(&a.Actor)
		case "eventSource":
			p.once(&seen, eventSource)
			p.text(&a.Service)
		case "eventName":
			p.once(&seen, eventName)
			p.text(&a.Operation)
		case "awsRegion":
			p.once(&seen, awsRegion)
			p.text((*string)(&r.Region))
		case "sourceIPAddress":
			p.once(&seen, sourceIPAddress)
			p.text(&a.Source)
		case "userAgent":
			p.once(&seen, userAgent)
			p.text(&a.Agent)
		case "errorCode":
			p.once(&seen, errorCode)
			p.text(&a.Error)
		case "errorMessage":
			p.once(&seen, errorMessage)
			p.text(&a.Message)
		case "requestParameters":
			p.once(&seen, requestParameters)
			p.document(&a.Request)
		case "responseElements":
			p.once(&seen, responseElements)
			p.document(&a.Response)
		case "additionalEventData":
			p.once(&seen, additionalEventData)
			p.document(&a.Additional)
		case "serviceEventDetails":
			p.once(&seen, serviceEventDetails)
			p.document(&a.Details)
		case "requestID":
			p.once(&seen, requestID)
			p.own(&a.RequestID)
		case "eventID":
			p.once(&seen, eventID)
			p.own(&r.ID)
		case "eventType":
			p.once(&seen, eventType)
			p.text(&a.Type)
		case "readOnly":
			p.once(&seen, readOnly)
			a.SaysRead = p.truth(&a.ReadOnly)
		case "managementEvent":
			p.once(&seen, managementEvent)
			p.management = p.truth(&a.Management)
		case "resources":
			p.once(&seen, resources)
			p.resources(a)
		case "recipientAccountId":
			p.once(&seen, recipientAccountID)
			p.text((*string)(&r.Account))
		case "sharedEventID":
			p.once(&seen, sharedEventID)
			p.own(&a.SharedID)
		case "vpcEndpointId":
			p.once(&seen, vpcEndpointID)
			p.text(&a.VPCEndpoint)
		case "eventCategory":
			p.once(&seen, eventCategory)
			p.text(&a.Category)
		case "sessionCredentialFromConsole":
			p.once(&seen, sessionCredentialFromConsole)
			p.text(&p.onConsole)
		case "tlsDetails":
			p.once(&seen, tlsDetails)
			p.only("clientProvidedHostHeader", &a.Host)
		case "CloudTrailEvent", "message", "detail", "detail-type", "logEvents", "owner", "logGroup", "kind", "items":
			return false // it may carry a record
		default:
			p.at = scan.Value(p.b, p.at)
		}
		if p.at < 0 {
			return false
		}
	}
	if p.at < 0 || a.Operation == "" || a.Service == "" || !p.time {
		return false
	}
	r.Class = record.APIActivity
	if !p.management {
		a.Management = a.Category != "Data"
	}
	if r.Account == "" {
		r.Account = aws.Account(a.Actor.Account)
	}
	a.Actor.OnConsole = p.onConsole == "true"
	if a.Actor.Provider == "" {
		a.Actor.Provider = p.federated
	}
	a.IP = address(a.Source)
	return true
}

// address reads an address; the zero one when it is another text.
func address(s string) netip.Addr {
	// An address begins with a digit, or has a colon after a few.
	colon := false
	for i := range min(len(s), 5) {
		colon = colon || s[i] == ':'
	}
	if !colon && (s == "" || s[0] < '0' || s[0] > '9') {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap()
}

func (p *plain) moment(to *time.Time) {
	var text []byte
	if p.at < 0 {
		return
	}
	if text, p.at = scan.Text(p.b, p.at); p.at >= 0 {
		if *to, p.time = scan.Time(text); !p.time {
			p.at = scan.No
		}
	}
}

func (p *plain) identity(to *record.Actor) {
	if p.at < 0 || p.null() {
		return
	}
	seen := uint32(0)
	for n := 0; ; n++ {
		name, more := p.next(n)
		if !more {
			return
		}
		switch string(name) {
		case "type":
			p.once(&seen, 0)
			p.text(&to.Type)
		case "principalId":
			p.once(&seen, 1)
			p.text(&to.ID)
		case "arn":
			p.once(&seen, 2)
			p.text(&to.ARN)
		case "accountId":
			p.once(&seen, 3)
			p.text(&to.Account)
		case "accessKeyId":
			p.once(&seen, 4)
			p.text(&to.AccessKey)
		case "userName":
			p.once(&seen, 5)
			p.text(&to.Name)
		case "invokedBy":
			p.once(&seen, 6)
			p.text(&to.InvokedBy)
		case "identityProvider":
			p.once(&seen, 7)
			p.text(&to.Provider)
		case "sessionContext":
			p.once(&seen, 8)
			p.session(to)
		case "onBehalfOf":
			p.once(&seen, 9)
			p.only("userId", &to.OnBehalfOf)
		default:
			p.at = scan.Value(p.b, p.at)
		}
	}
}

func (p *plain) session(to *record.Actor) {
	if p.at < 0 || p.null() {
		return
	}
	seen := uint32(0)
	for n := 0; ; n++ {
		name, more := p.next(n)
		if !more {
			return
		}
		switch string(name) {
		case "sessionIssuer":
			p.once(&seen, 0)
			p.issuer(&to.Issuer)
		case "webIdFederationData":
			p.once(&seen, 1)
			p.only("federatedProvider", &p.federated)
		case "attributes":
			p.once(&seen, 2)
			p.attributes(to)
		case "sourceIdentity":
			p.once(&seen, 3)
			p.text(&to.SourceID)
		case "ec2RoleDelivery":
			p.once(&seen, 4)
			p.text(&to.Delivery)
		case "assumedRoot":
			p.once(&seen, 5)
			var root string
			p.text(&root)
			to.RootOf = root == "true"
		default:
			p.at = scan.Value(p.b, p.at)
		}
	}
}

func (p *plain) issuer(to *record.Issuer) {
	if p.at < 0 || p.null() {
		return
	}
	seen := uint32(0)
	for n := 0; ; n++ {
		name, more := p.next(n)
		if !more {
			return
		}
		switch string(name) {
		case "type":
			p.once(&seen, 0)
			p.text(&to.Type)
		case "principalId":
			p.once(&seen, 1)
			p.text(&to.ID)
		case "arn":
			p.once(&seen, 2)
			p.text(&to.ARN)
		case "accountId":
			p.once(&seen, 3)
			p.text(&to.Account)
		case "userName":
			p.once(&seen, 4)
			p.text(&to.Name)
		default:
			p.at = scan.Value(p.b, p.at)
		}
	}
}

func (p *plain) attributes(to *record.Actor) {
	if p.at < 0 || p.null() {
		return
	}
	seen := uint32(0)
	for n := 0; ; n++ {
		name, more := p.next(n)
		if !more {
			return
		}
		var text []byte
		switch string(name) {
		case "creationDate":
			if p.once(&seen, 0); p.at < 0 {
				return
			}
			if text, p.at = scan.Text(p.b, p.at); len(text) > 0 {
				var ok bool
				if to.Created, ok = scan.Time(text); !ok {
					to.Created, _ = time.Parse(time.RFC3339, string(text)) // what cannot be read is not known
				}
			}
		case "mfaAuthenticated":
			if p.once(&seen, 1); p.at < 0 {
				return
			}
			text, p.at = scan.Text(p.b, p.at)
			to.MFA = string(text) == "true"
		default:
			p.at = scan.Value(p.b, p.at)
		}
	}
}

// only reads one text of an object.
func (p *plain) only(member string, to *string) {
	if p.at < 0 || p.null() {
		return
	}
	seen := uint32(0)
	for n := 0; ; n++ {
		name, more := p.next(n)
		if !more {
			return
		}
		if string(name) != member {
			p.at = scan.Value(p.b, p.at)
			continue
		}
		p.once(&seen, 0)
		p.text(to)
	}
}

func (p *plain) resources(a *record.API) {
	if p.at < 0 || p.null() {
		return
	}
	if p.at >= len(p.b) || p.b[p.at] != '[' {
		p.at = scan.No
		return
	}
	p.at = scan.Space(p.b, p.at+1)
	if p.at < len(p.b) && p.b[p.at] == ']' {
		p.at++
		return
	}
	for {
		var one record.Resource
		if p.resource(&one); p.at < 0 {
			return
		}
		a.Resources = append(a.Resources, one)
		switch p.at = scan.Space(p.b, p.at); {
		case p.at < len(p.b) && p.b[p.at] == ',':
			p.at = scan.Space(p.b, p.at+1)
		case p.at < len(p.b) && p.b[p.at] == ']':
			p.at++
			return
		default:
			p.at = scan.No
			return
		}
	}
}

func (p *plain) resource(to *record.Resource) {
	if p.null() {
		return
	}
	seen := uint32(0)
	for n := 0; ; n++ {
		name, more := p.next(n)
		if !more {
			return
		}
		switch string(name) {
		case "ARN":
			p.once(&seen, 0)
			p.text(&to.ARN)
		case "accountId":
			p.once(&seen, 1)
			p.text(&to.Account)
		case "type":
			p.once(&seen, 2)
			p.text(&to.Type)
		default:
			p.at = scan.Value(p.b, p.at)
		}
	}
}
