package policy

import "strconv"

// An Outcome is what a decision comes to.
type Outcome uint8

// The outcomes. The zero Outcome denies.
const (
	ImplicitDeny Outcome = iota // nothing allows it
	ExplicitDeny                // a Deny statement applies
	Allowed
)

// String returns the outcome as the IAM policy simulator words it.
func (o Outcome) String() string {
	switch o {
	case ExplicitDeny:
		return "explicitDeny"
	case Allowed:
		return "allowed"
	}
	return "implicitDeny"
}

// A Type is a type of policy.
type Type uint8

// The types of policy, in the order in which they are named when several of
// them deny. ByDefault is no policy: what a root user may do in its own account,
// and a request that no policy is about.
const (
	ByDefault Type = iota
	BySCP
	ByRCP
	ByEndpoint
	ByResource
	ByGrant
	ByIdentity
	ByBoundary
	BySession
)

var typeNames = [...]string{"default", "scp", "rcp", "endpoint", "resource", "grant", "identity", "boundary", "session"}

// String returns the type's short name.
func (t Type) String() string { return typeNames[t] }

// A Decision says whether a request is allowed, and what decided. The zero
// Decision is an implicit deny. Decisions can be compared.
type Decision struct {
	Outcome   Outcome
	By        Type       // which type of policy decided
	Policy    *Attached  // whose statement decided; nil when no statement did
	Statement *Statement // which statement decided; nil when no statement did
}

// Allowed reports whether the request may go on.
func (d Decision) Allowed() bool { return d.Outcome == Allowed }

// Source names the deciding policy: an ARN or "inline:alice/NAME"; empty when
// no statement decided.
func (d Decision) Source() string {
	if d.Policy == nil {
		return ""
	}
	return d.Policy.Source
}

// Label names the deciding statement by its Sid or, without one, by its place
// ("#0" is the first); empty when no statement decided.
func (d Decision) Label() string {
	if d.Statement == nil {
		return ""
	}
	return d.Statement.Label()
}

// Label is the Sid or, without one, the place in the document: "#0" is the first.
func (s *Statement) Label() string {
	if s.Sid != "" {
		return s.Sid
	}
	return "#" + strconv.Itoa(s.Index)
}
