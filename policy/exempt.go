package policy

import (
	"strings"

	"sumun.dev/aws"
)

// exemptions notes of each type of policy why it does not concern the request.
// An empty reason means that it does.
func (e *evaluation) exemptions(p *Policies) {
	linked := serviceLinked(e.principal)
	switch {
	case p.Management:
		e.exempt[BySCP] = "management account"
	case p.SCPs == nil:
		e.exempt[BySCP] = "no organization"
	case !e.hasIdentity:
		e.exempt[BySCP] = "no principal of an account"
	case linked:
		e.exempt[BySCP] = "service-linked role"
	}
	switch {
	case p.ResourceManagement:
		e.exempt[ByRCP] = "management account"
	case p.RCPs == nil:
		e.exempt[ByRCP] = "no organization"
	case linked:
		e.exempt[ByRCP] = "service-linked role"
	case e.req.AWSManagedKey:
		e.exempt[ByRCP] = "AWS managed key"
	case !resourceControlled(e.service, e.action):
		e.exempt[ByRCP] = "action without resource control policies"
	}
	e.unless(p.Endpoint != nil, ByEndpoint, "no VPC endpoint")
	e.unless(p.Resource != nil, ByResource, "none")
	e.unless(p.Grants != nil, ByGrant, "none")
	e.unless(e.hasIdentity, ByIdentity, "no principal of an account")
	switch {
	case p.Boundary == nil:
		e.exempt[ByBoundary] = "not set"
	case e.isRoot:
		e.exempt[ByBoundary] = "root user"
	case linked:
		e.exempt[ByBoundary] = "service-linked role"
	case !e.hasIdentity:
		e.exempt[ByBoundary] = "no principal of an account"
	}
	e.unless(p.Session != nil || e.needsSession(), BySession, "not passed")
}

func (e *evaluation) unless(concerned bool, t Type, reason string) {
	if !concerned {
		e.exempt[t] = reason
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
