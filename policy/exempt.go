package policy

import (
	"strings"

	"sumun.dev/aws"
)

// A reason is why a type of policy does not concern a request.
type reason uint8

const (
	concerned reason = iota
	managementAccount
	noOrganization
	noAccount
	linkedRole
	managedKey
	uncontrolled
	noEndpoint
	notThere
	notSet
	rootUser
	notPassed
	restricted // it does, but its Allow does not count
)

var reasonNames = [...]string{
	concerned: "", managementAccount: "management account", noOrganization: "no organization", noAccount: "no principal of an account",
	linkedRole: "service-linked role", managedKey: "AWS managed key", uncontrolled: "action without resource control policies",
	noEndpoint: "no VPC endpoint", notThere: "none", notSet: "not set", rootUser: "root user", notPassed: "not passed",
	restricted: "RestrictPublicBuckets",
}

// exemptions notes of each type of policy why it does not concern the request.
// None means that it does.
func (e *evaluation) exemptions(p *Policies) {
	linked := serviceLinked(e.principal)
	switch {
	case p.Management:
		e.exempt[BySCP] = managementAccount
	case p.SCPs == nil:
		e.exempt[BySCP] = noOrganization
	case !e.hasIdentity:
		e.exempt[BySCP] = noAccount
	case linked:
		e.exempt[BySCP] = linkedRole
	}
	switch {
	case p.ResourceManagement:
		e.exempt[ByRCP] = managementAccount
	case p.RCPs == nil:
		e.exempt[ByRCP] = noOrganization
	case linked:
		e.exempt[ByRCP] = linkedRole
	case e.req.AWSManagedKey:
		e.exempt[ByRCP] = managedKey
	case !resourceControlled(e.service, e.action):
		e.exempt[ByRCP] = uncontrolled
	}
	e.unless(p.Endpoint != nil, ByEndpoint, noEndpoint)
	e.unless(p.Resource != nil, ByResource, notThere)
	e.unless(p.Grants != nil, ByGrant, notThere)
	e.unless(e.hasIdentity, ByIdentity, noAccount)
	switch {
	case p.Boundary == nil:
		e.exempt[ByBoundary] = notSet
	case e.isRoot:
		e.exempt[ByBoundary] = rootUser
	case linked:
		e.exempt[ByBoundary] = linkedRole
	case !e.hasIdentity:
		e.exempt[ByBoundary] = noAccount
	}
	e.unless(p.Session != nil || e.needsSession(), BySession, notPassed)
}

func (e *evaluation) unless(applies bool, t Type, why reason) {
	if !applies {
		e.exempt[t] = why
	}
}

// needsSession reports whether the principal is held to session policies even
// if none are at hand: a federated session without one has no rights of its own
// (IAM User Guide, "Permissions for GetFederationToken"), and one that says it was
// made with policies must not be without them.
func (e *evaluation) needsSession() bool {
	s := e.principal.Session
	return e.principal.Kind == aws.FederatedUser || s != nil && (s.Policy != "" || len(s.PolicyARNs) > 0 || s.TaskPolicy != "")
}

// serviceLinked reports whether p is a session of a service-linked role, which
// SCPs, RCPs and boundaries do not concern. Organizations User Guide, "Service
// control policies"; IAM User Guide, "Permissions boundaries for IAM entities".
func serviceLinked(p *aws.Principal) bool {
	return p.Kind == aws.AssumedRole && p.Session != nil && strings.HasPrefix(p.Session.Issuer.Resource, "role/aws-service-role/")
}
