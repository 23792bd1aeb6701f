// Package finding says what a suspicion is, how it lives and how others see it.
//
// A detector reports a Suspicion for each event that it dislikes; those about the
// same threat to the same resource add up to one Finding (Open, Again). GuardDuty's
// shape of it is in guardduty.go, EventBridge's in event.go, Security Hub's in asff.go.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"sumun.dev/aws"
)

// A Suspicion is what a detector says of one event.
type Suspicion struct {
	Type     string // a type of the catalogue: "Backdoor:EC2/C&CActivity.B!DNS"
	At       time.Time
	Instance Instance
	DNS      *DNSRequest
	Threat   Threat
}

// An Instance is the EC2 instance that a suspicion is about, as far as it is known.
type Instance struct {
	ID      string
	VPC     string
	Address netip.Addr // private
}

// A DNSRequest is a question to the resolver.
type DNSRequest struct {
	Domain   string // without the final dot
	Protocol string // UDP or TCP
	Blocked  bool   // by DNS Firewall
}

// A Threat is the piece of intelligence that made an event suspicious.
type Threat struct {
	List  string   // name of the list
	Entry string   // what the list says: the domain, or "*.domain"
	Names []string // of the malware, tool or campaign
}

// A Home is the detector that keeps a finding.
type Home struct {
	Partition string
	Account   aws.Account
	Region    aws.Region
	Detector  string // 32 hexadecimal digits
}

// ARN names the detector.
func (h Home) ARN() aws.ARN {
	return aws.ARN{Partition: h.Partition, Service: "guardduty", Region: h.Region, Account: h.Account, Resource: "detector/" + h.Detector}
}

// A Finding is all that is known about one threat to one resource. Details are
// those of the latest event; User Guide, "GuardDuty finding aggregation".
type Finding struct {
	Home
	Suspicion
	ID        string // 32 hexadecimal digits
	Count     int32
	FirstSeen time.Time
	LastSeen  time.Time
	Created   time.Time
	Updated   time.Time
	Archived  bool
	Feedback  string // USEFUL, NOT_USEFUL or empty
	Sample    bool   // made by CreateSampleFindings
}

// Open makes the finding of a first suspicion.
func Open(home Home, s Suspicion, now time.Time) *Finding {
	return &Finding{Home: home, Suspicion: s, ID: s.In(home), Count: 1, FirstSeen: s.At, LastSeen: s.At, Created: now, Updated: now}
}

// In returns the id of the finding that s belongs to. It depends on nothing
// else, so that the same events give the same findings.
func (s *Suspicion) In(home Home) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		string(home.Account), string(home.Region), home.Detector, s.Type, s.Instance.ID, s.Threat.Entry,
	}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Again counts a further suspicion of the same finding. Events may come out of
// order.
func (f *Finding) Again(s Suspicion, now time.Time) {
	f.Count = min(f.Count, 1<<31-2) + 1
	if s.At.Before(f.FirstSeen) {
		f.FirstSeen = s.At
	}
	if !s.At.Before(f.LastSeen) {
		f.LastSeen = s.At
		f.Suspicion = s
	}
	f.Updated = now
}

// ARN names the finding.
func (f *Finding) ARN() aws.ARN {
	a := f.Home.ARN()
	a.Resource += "/finding/" + f.ID
	return a
}
