package policy

import "sumun.dev/aws"

// A verdict is what the policies of one type say.
type verdict struct {
	applies bool // there are such policies, and they concern this principal
	deny    hit
	allow   hit
	reach   reach // how directly the allowing statement names the principal
	missing bool  // levels only: at least one level has no Allow
}

// allows reports whether a ceiling leaves room.
func (v *verdict) allows() bool { return !v.applies || (v.allow.statement != nil && !v.missing) }

// A hit is a statement that applies.
type hit struct {
	policy    *Attached
	statement *Statement
}

func (h hit) decision(o Outcome, by Type) Decision { return Decision{o, by, h.policy, h.statement} }

type verdicts struct {
	scp, rcp, endpoint, resource, grant, identity, boundary, session verdict
}

// decide combines the verdicts of all types into one decision.
// IAM User Guide, "Policy evaluation logic".
func decide(e *evaluation, v *verdicts) Decision {
	if d, denied := v.explicit(); denied {
		return d
	}
	if !v.scp.allows() {
		return Decision{By: BySCP}
	}
	if !v.rcp.allows() {
		return Decision{By: ByRCP}
	}
	d := decideGrant(e, v)
	if !d.Allowed() || v.endpoint.allows() {
		return d
	}
	return Decision{By: ByEndpoint}
}

// explicit finds the Deny to be named. AWS names one type only; which one when
// several deny is not documented.
func (v *verdicts) explicit() (Decision, bool) {
	switch {
	case v.scp.deny.statement != nil:
		return v.scp.deny.decision(ExplicitDeny, BySCP), true
	case v.rcp.deny.statement != nil:
		return v.rcp.deny.decision(ExplicitDeny, ByRCP), true
	case v.endpoint.deny.statement != nil:
		return v.endpoint.deny.decision(ExplicitDeny, ByEndpoint), true
	case v.resource.deny.statement != nil:
		return v.resource.deny.decision(ExplicitDeny, ByResource), true
	case v.grant.deny.statement != nil:
		return v.grant.deny.decision(ExplicitDeny, ByGrant), true
	case v.identity.deny.statement != nil:
		return v.identity.deny.decision(ExplicitDeny, ByIdentity), true
	case v.boundary.deny.statement != nil:
		return v.boundary.deny.decision(ExplicitDeny, ByBoundary), true
	case v.session.deny.statement != nil:
		return v.session.deny.decision(ExplicitDeny, BySession), true
	}
	return Decision{}, false
}

// decideGrant looks for what grants the request, and for the ceilings that the
// grant does not pass by.
func decideGrant(e *evaluation, v *verdicts) Decision {
	granted, by := v.resource, ByResource
	if v.grant.reach > granted.reach {
		granted, by = v.grant, ByGrant
	}
	if !e.hasIdentity {
		if granted.reach == unreached {
			return Decision{By: ByResource}
		}
		return granted.allow.decision(Allowed, by)
	}
	if granted.reach == unreached && (e.crossAccount || e.resourceDecides) {
		return Decision{By: ByResource}
	}
	// Across accounts a grant on the resource's side passes nothing by: the
	// principal's own account has to allow as well.
	reach := granted.reach
	if e.crossAccount {
		reach = delegated
	}
	if reach < limited && v.identity.allow.statement == nil && !e.isRoot {
		return Decision{By: ByIdentity}
	}
	if reach < direct && !v.boundary.allows() {
		return Decision{By: ByBoundary}
	}
	if reach < direct && !v.session.allows() {
		return Decision{By: BySession}
	}
	switch {
	case e.crossAccount || reach >= limited:
		return granted.allow.decision(Allowed, by)
	case v.identity.allow.statement != nil:
		return v.identity.allow.decision(Allowed, ByIdentity)
	}
	return Decision{Outcome: Allowed, By: ByDefault}
}

// serviceLinked reports whether p is a session of a service-linked role, which
// neither SCPs nor RCPs concern. Organizations User Guide, "Service control policies".
func serviceLinked(p *aws.Principal) bool {
	const path = "role/aws-service-role/"
	return p.Kind == aws.AssumedRole && p.Session != nil &&
		len(p.Session.Issuer.Resource) > len(path) && p.Session.Issuer.Resource[:len(path)] == path
}
