package policy

import (
	"net/http"

	"sumun.dev/aws"
)

// A Kind says what a document is to be used as, and so what it may contain.
type Kind uint8

// The kinds of document.
const (
	Identity Kind = iota // inline or managed, also as boundary or session policy
	Resource             // a resource's policy that adds to identity policies: queue, topic, function
	Key                  // a KMS key policy: it must allow, if only by naming the account
	Trust                // a role's trust policy: no Resource, sts actions only, and it must allow
	SCP                  // service control policy
	RCP                  // resource control policy
	Endpoint             // VPC endpoint policy
	Bucket               // an S3 bucket's policy: as Resource, with S3's errors
)

// decides reports whether a policy of this kind must allow even a principal of
// the same account.
func (k Kind) decides() bool { return k == Key || k == Trust }

// A Document is a compiled policy. It never changes and may be shared.
type Document struct {
	Kind       Kind
	Version    string // "2012-10-17" or "2008-10-17"
	ID         string
	Statements []Statement
	Text       string // the document as it was given; statements say where in it they stand

	public bool
}

// A Position is a place in a document's text; both count from 1, Column in
// characters. IAM API Reference, "Position".
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// A Statement is one compiled statement of a document.
type Statement struct {
	Sid        string
	Index      int // place in the document, from 0
	Deny       bool
	notActions bool
	single     bool // it means one action without wildcards, whose key is only
	only       uint64
	exact      string // the one resource that it means, when there are no wildcards
	actions    actionSet
	Start, End int // where it stands in the document's text, in bytes
	From, To   Position

	resources     []arnPattern
	notResources  bool
	anyResource   bool // the kind has no Resource, or it is "*"
	principals    *principalSet
	notPrincipals bool
	conditions    []condition
}

// Public reports whether the policy lets everyone in, so that S3's
// BlockPublicPolicy refuses it and RestrictPublicBuckets restricts it.
func (d *Document) Public() bool { return d.public }

// Malformed is what IAM and STS answer to a document that they cannot accept.
// Its sentences are theirs as far as they are known.
var Malformed = aws.ErrorKind{Code: "MalformedPolicyDocument", Status: http.StatusBadRequest}

// What KMS, S3 and Organizations answer.
var (
	MalformedKey     = aws.ErrorKind{Code: "MalformedPolicyDocumentException", Status: http.StatusBadRequest}
	MalformedBucket  = aws.ErrorKind{Code: "MalformedPolicy", Status: http.StatusBadRequest}
	MalformedControl = aws.ErrorKind{Code: "MalformedPolicyDocumentException", Status: http.StatusBadRequest}
)

// Size counts a document as IAM's quotas do: characters without white space.
// IAM User Guide, "IAM and AWS STS quotas".
func Size(doc []byte) int {
	n := 0
	for _, r := range string(doc) {
		switch r {
		case ' ', '\t', '\n', '\r':
		default:
			n++
		}
	}
	return n
}

// The quotas of policy sizes in IAM, as Size counts them, and in Organizations,
// where white space counts.
const (
	MaxManaged     = 6144
	MaxUserInline  = 2048  // all inline policies of a user together
	MaxGroupInline = 5120  // of a group
	MaxRoleInline  = 10240 // of a role
	MaxTrust       = 2048  // by default; 8192 at most
	MaxSession     = 2048
	MaxSCP         = 10240
	MaxRCP         = 5120
)
