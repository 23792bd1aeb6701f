// Package record says what a log told: one model for all sources.
//
// A Record has a class, which says which of its sections is filled: API calls of
// CloudTrail, S3 access logs and the like in API, questions to the resolver in
// DNS, connections in Flow, requests to a front door in HTTP, calls of a
// Kubernetes API server in Kubernetes. Classes, and the names by which
// expressions reach what is in a record (Field), are those of OCSF, the Open
// Cybersecurity Schema Framework.
package record

import (
	"fmt"
	"time"

	"sumun.dev/aws"
)

// A Class says what kind of thing happened. The numbers are OCSF's class_uid.
type Class uint16

// The classes that are read.
const (
	NetworkActivity Class = 4001 // VPC flow logs
	HTTPActivity    Class = 4002 // load balancers, WAF
	DNSActivity     Class = 4003 // Route 53 Resolver query logs
	APIActivity     Class = 6003 // CloudTrail, S3 server access logs
	Orchestration   Class = 6004 // Kubernetes audit logs. OCSF has them in 6003 too; they share no field with AWS's calls
)

// A Record is one thing that happened. Rules may keep its strings, never the
// record itself or its sections: readers use them again for the next.
type Record struct {
	Class   Class
	Time    time.Time
	Account aws.Account // whose log it is; empty when the log does not say
	Region  aws.Region  // likewise
	ID      string      // the record's own: eventID of CloudTrail, auditID of Kubernetes; may be empty
	Origin  Origin

	API        *API
	DNS        *DNS
	Flow       *Flow
	HTTP       *HTTP
	Kubernetes *Kubernetes
}

// began is when AWS did, and could write the first log.
var (
	began     = time.Date(2006, 3, 14, 0, 0, 0, 0, time.UTC)
	beganUnix = began.Unix()
)

// Strange reports whether no clock of AWS can have told the record's time: it lies
// before AWS began, or more than a day after now. Such a time is not to age what is
// known of others.
func (r *Record) Strange(now time.Time) bool {
	if t := r.Time.Unix(); t > beganUnix && t < now.Unix()+24*60*60 {
		return false // nearly all are
	}
	return r.Time.Before(began) || r.Time.After(now.Add(24*time.Hour))
}

// An Origin says where a record stands, so that people can look it up.
type Origin struct {
	File   string // path, "-" for standard input, s3://bucket/key, or the name of a stream
	Line   int    // from 1; 0 where the file has no lines
	Offset int64  // bytes into the uncompressed file, or the position in a stream
}

// String writes the place as editors and compilers do.
func (o Origin) String() string {
	if o.Line > 0 {
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return fmt.Sprintf("%s@%d", o.File, o.Offset)
}
