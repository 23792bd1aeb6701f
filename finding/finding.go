// Package finding says what a suspicion is, how it lives and how others see it.
//
// A detector reports a Suspicion for each event that it dislikes; those about the
// same threat to the same resource add up to one Finding (Open, Again). GuardDuty's
// shape of it is in guardduty.go, EventBridge's in event.go, Security Hub's in asff.go.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sumun.dev/aws"
)

// A Suspicion is what a detector says of one event, or of the last of several.
// Sections that do not belong to its type are empty.
type Suspicion struct {
	Type   string // a type of the catalogue: "Backdoor:EC2/C&CActivity.B!DNS"
	Signal string // what of the type was seen, where it has several: "AMIExternalAccess"
	Rule   string // that reported it
	At     time.Time

	// Severity stands in for the catalogue's where the type's varies; 0 otherwise.
	Severity float64
	// Key sets apart findings of the same type about the same resource and threat.
	Key string
	// Actor says that the resource did it; otherwise it was done to it.
	Actor bool

	Instance   Instance
	Caller     *Caller
	Buckets    []Bucket
	Kubernetes *KubernetesDetails
	Database   *Database
	Function   *Function

	DNS        *DNSRequest
	API        *APICall
	Connection *Connection
	Probe      *PortProbe
	KubeCall   *KubernetesCall

	Threat   Threat
	Unusual  []Unusual
	Sequence *Sequence
	Notes    map[string]string // further members of service.additionalInfo
	Said     *Said             // instead of what the catalogue says; nil: that
	Evidence []Evidence
}

// A Said is what a rule that somebody brought says of its findings.
type Said struct {
	Title          string
	Description    string
	Techniques     []string // ids of ATT&CK's: T1098.001
	FalsePositives []string
	Author         string
	ID             string // that its author gave it
}

// An Evidence is a record that a suspicion rests on.
type Evidence struct {
	ID     string    `json:"id,omitempty"` // of the record: CloudTrail's eventID …
	File   string    `json:"file,omitempty"`
	Line   int       `json:"line,omitempty"` // from 1; 0 where the file has no lines
	Offset int64     `json:"offset"`
	At     time.Time `json:"at"`
	Told   string    `json:"told,omitempty"` // what the record says, in a few words
}

// place is where the record is found: its id, else where it stands.
func (e *Evidence) place() string {
	switch {
	case e.ID != "":
		return e.ID
	case e.Line > 0:
		return fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s@%d", e.File, e.Offset)
}

// A Caller is whose credentials were used: GuardDuty's accessKeyDetails.
type Caller struct {
	AccessKey string
	ID        string // principalId
	Name      string
	Type      string // IAMUser, AssumedRole, Root, FederatedUser, AWSAccount …
	ARN       string // of the user, role or session
	Principal string // the ARN that all sessions of a role have in common
	Account   string
	Instance  string // whose metadata service gave the credentials
}

// A Bucket is an S3 bucket that something was done to.
type Bucket struct {
	Name    string
	Account string
	Public  string // effectivePermission: PUBLIC, NOT_PUBLIC or empty for unknown
	Objects []string
}

// A KubernetesDetails is the cluster and the workload that a suspicion is about.
type KubernetesDetails struct {
	Cluster                       string
	User                          string
	Groups                        []string
	Workload, Namespace, Kind     string
	Images                        []string
	Privileged, HostNet           bool
	Mounts                        []string
	ServiceAccount, ContainerName string
}

// A Remote is the other end of what happened.
type Remote struct {
	Address             netip.Addr
	Port                uint16
	Country             string // ISO code, when an address book was given
	City                string
	ASN                 uint32
	ASOrg               string
	Latitude, Longitude float64
}

// An APICall is a call of an AWS API.
type APICall struct {
	Service, Operation string // "iam.amazonaws.com", "CreateUser"
	Error              string
	Agent              string
	Remote             Remote
	Domain             string            // of the AWS service that called, instead of an address
	OtherAccount       string            // that the caller, or who is let in, belongs to
	Affiliated         bool              // the other account is of the same organization
	Affected           map[string]string // CloudFormation type → what it was done to
}

// A Connection is traffic between an instance and another host.
type Connection struct {
	Inbound   bool
	Unknown   bool // the direction is not known
	Blocked   bool
	Protocol  string // TCP, UDP, ICMP …
	LocalPort uint16
	Interface string
	Local     netip.Addr
	Remote    Remote
}

// A PortProbe is strangers trying an instance's open ports.
type PortProbe struct {
	Blocked bool
	Ports   []Connection
}

// A KubernetesCall is a call of a Kubernetes API server.
type KubernetesCall struct {
	Verb, URI, Resource, Subresource, Namespace, Name, Agent string
	Status                                                   int
	Sources                                                  []Remote
}

// An Unusual is a feature that what is known as normal does not explain:
// service.additionalInfo.unusualBehavior and anomalies.
type Unusual struct {
	Feature string  `json:"feature"` // api, asn, network, country, userAgent, region, hour, volume …
	Value   string  `json:"value"`
	Of      string  `json:"of"`    // whose habit it breaks: principal, account or peers
	Seen    uint64  `json:"seen"`  // how often this value was seen before
	Total   uint64  `json:"total"` // of how many
	Score   float64 `json:"score"` // 0 usual to 1 never seen among many
}

// A Sequence is what joins signals of one actor: service.detection.sequence.
type Sequence struct {
	Actors     []string
	Resources  []string
	Endpoints  []Remote
	Domains    []string
	Instances  []string
	Signals    []Signal
	Indicators map[string][]string // HIGH_RISK_API → the calls …
}

// A Signal is one of the things a sequence joins.
type Signal struct {
	Type     string // FINDING, CLOUD_TRAIL, S3_DATA_EVENTS, DNS_LOGS, FLOW_LOGS, EKS_AUDIT_LOGS
	Name     string
	Tactic   string // ATT&CK
	Severity float64
	Count    int32
	First    time.Time
	Last     time.Time
	Host     bool // an instance did it on the network
	Evidence []Evidence
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
	about := []string{string(home.Account), string(home.Region), home.Detector, s.Type}
	if s.Sequence != nil && s.Key != "" { // of a group, whichever of them did the last of it
		return idOf(append(about, "group", s.Key))
	}
	about = append(about, s.Instance.ID, s.Threat.Entry)
	if s.Instance.ID == "" && s.Instance.Address.IsValid() {
		// Logs from elsewhere often do not name the instance.
		about = append(about, "address", s.Instance.VPC, s.Instance.Address.String())
	}
	if c := s.Caller; c != nil {
		about = append(about, "caller", cmp.Or(c.Principal, c.ARN, c.ID, c.AccessKey))
	}
	for _, b := range s.Buckets {
		about = append(about, "bucket", b.Name)
	}
	if k := s.Kubernetes; k != nil {
		about = append(about, "cluster", k.Cluster, k.User, k.Namespace, k.Workload)
	}
	if d := s.Database; d != nil {
		about = append(about, "database", d.ID, d.User)
	}
	if l := s.Function; l != nil {
		about = append(about, "function", l.Name)
	}
	if s.Signal != "" || s.Key != "" {
		about = append(about, "signal", s.Signal, s.Key)
	}
	return idOf(about)
}

func idOf(about []string) string {
	sum := sha256.Sum256([]byte(strings.Join(about, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// maxEvidence is how many records a finding names: the first ones and the last.
const maxEvidence = 20

// Again counts a further suspicion of the same finding. Events may come out of
// order.
func (f *Finding) Again(s Suspicion, now time.Time) {
	f.Count = min(f.Count, 1<<31-2) + 1
	evidence := f.Evidence
	for _, e := range s.Evidence {
		if slices.ContainsFunc(evidence, func(old Evidence) bool {
			return old.File == e.File && old.Line == e.Line && old.Offset == e.Offset && old.ID == e.ID
		}) {
			continue
		}
		if len(evidence) >= maxEvidence {
			evidence = slices.Delete(slices.Clone(evidence), maxEvidence/2, maxEvidence/2+1)
		}
		evidence = append(evidence, e)
	}
	if s.At.Before(f.FirstSeen) {
		f.FirstSeen = s.At
	}
	if !s.At.Before(f.LastSeen) {
		f.LastSeen = s.At
		f.Suspicion = s
	}
	f.Evidence = evidence
	f.Updated = now
}

// Level returns how severe the finding is, from 1 to 10.
func (f *Finding) Level() float64 {
	kind, _ := KindOf(f.Type)
	return cmp.Or(f.Severity, kind.Severity)
}

// ARN names the finding.
func (f *Finding) ARN() aws.ARN {
	a := f.Home.ARN()
	a.Resource += "/finding/" + f.ID
	return a
}
