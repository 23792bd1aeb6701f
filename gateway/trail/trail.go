// Package trail writes a call as a CloudTrail record.
//
// The record's members, their order and their bounds are those of the CloudTrail
// User Guide, "CloudTrail record contents", eventVersion 1.11.
package trail

import (
	"strings"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// Record writes the call of the operation that meta describes: what was asked
// (in), what was answered (out, or err when it was refused), and which resources
// it touched. The zero ARN and wildcards among the resources are left out. Secrets
// are hidden by the model's sensitive trait. The event belongs to the account
// whose state the call works on.
func Record(call *aws.Call, meta *wire.Meta, in, out any, err *aws.Error, resources ...aws.ARN) aws.Event {
	r := record{call: call, meta: meta, reads: meta.Reads(), id: aws.UUIDAt(call.Time), service: invokedBy(call), region: region(call, meta)}
	r.touched(resources)
	return aws.Event{
		Stream:  aws.TrailStream,
		ID:      r.id,
		Type:    "AwsApiCall",
		Account: call.Account,
		Region:  r.region,
		Time:    call.Time,
		Data:    r.write(in, out, err),
		Attrs:   r.attrs(err),
	}
}

// A record is one under construction.
type record struct {
	call      *aws.Call
	meta      *wire.Meta
	reads     bool // the call changes nothing
	id        string
	service   string // the service that makes the call for the caller; empty: a client does
	region    aws.Region
	resources []resource
}

// attrs are what LookupEvents finds records by, and the resources it shows.
func (r *record) attrs(err *aws.Error) map[string]string {
	a := make(map[string]string, 8)
	a["eventName"] = r.meta.Name
	a["eventSource"] = r.meta.Service.EventSource
	a["readOnly"] = "false"
	if r.reads {
		a["readOnly"] = "true"
	}
	if user := Username(r.call.Principal); user != "" {
		a["user"] = user
	}
	if p := r.call.Principal; p != nil && p.AccessKeyID != "" {
		a["accessKeyId"] = p.AccessKeyID
	}
	if err != nil {
		a["errorCode"] = errorCode(r.meta, err)
	}
	if r.isData() {
		a["category"] = "Data"
	}
	if len(r.resources) > 0 {
		var names, types []string
		for _, t := range r.resources {
			names, types = append(names, t.name()), append(types, t.kind)
		}
		a["resources"], a["resourceTypes"] = strings.Join(names, "\n"), strings.Join(types, "\n")
	}
	return a
}

// Username is what LookupEvents shows of a principal: the user's name, "root",
// or the name of the role session.
func Username(p *aws.Principal) string {
	switch {
	case p.IsZero(), p.Kind == aws.Service:
		return ""
	case p.Kind == aws.Root:
		return "root"
	case p.Kind == aws.AssumedRole && p.Session != nil:
		return p.Session.Name
	case p.Kind == aws.WebIdentity, p.Kind == aws.SAML:
		return p.Subject
	default:
		return p.Name
	}
}

// invokedBy names the service whose call this is. A service calls on behalf of
// a caller (the last of Via), in a session of a role that it assumed, or as itself.
func invokedBy(call *aws.Call) string {
	if n := len(call.Via); n > 0 {
		return call.Via[n-1]
	}
	p := call.Principal
	if p == nil || call.SourceIP.IsValid() {
		return ""
	}
	if p.Kind == aws.Service {
		return p.Name
	}
	if p.Session != nil {
		return p.Session.InvokedBy
	}
	return ""
}

// region is where CloudTrail shows the call: global services stand in us-east-1.
// CloudTrail User Guide, "Global service events".
func region(call *aws.Call, meta *wire.Meta) aws.Region {
	if call.Region == "" || meta.Service.Global && meta.Service.Prefix != "sts" {
		return "us-east-1"
	}
	return call.Region
}
