package policy

// A verdict is what the policies of one type say.
type verdict struct {
	applies bool // there are such policies, and they concern this request
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

// verdicts are those of all types of policy.
type verdicts [BySession + 1]verdict

// combine makes one decision of the verdicts of all types.
// IAM User Guide, "Policy evaluation logic".
func (v *verdicts) combine(e *evaluation) Decision {
	// AWS names one type only when several deny; which one is not documented.
	for t := range v {
		if v[t].deny.statement != nil {
			return v[t].deny.decision(ExplicitDeny, Type(t))
		}
	}
	if !v[BySCP].allows() {
		return Decision{By: BySCP}
	}
	if !v[ByRCP].allows() {
		return Decision{By: ByRCP}
	}
	d := v.granted(e)
	if !d.Allowed() || v[ByEndpoint].allows() {
		return d
	}
	return Decision{By: ByEndpoint}
}

// granted looks for what grants the request, and for the ceilings that the
// grant does not pass by.
func (v *verdicts) granted(e *evaluation) Decision {
	by := ByResource
	// A KMS grant is enough for its grantee across accounts too: service-linked
	// roles, whose policies nobody can change, use other accounts' keys by grants
	// alone. EC2 Auto Scaling User Guide, "Required AWS KMS key policy for use with
	// encrypted volumes".
	enough := e.crossAccount && v[ByGrant].reach >= limited && equalFold(e.service, "kms")
	if v[ByGrant].reach > v[ByResource].reach || enough && v[ByIdentity].allow.statement == nil {
		by = ByGrant
	}
	reach, resource := v[by].reach, v[by].allow
	if reach == unreached && (!e.hasIdentity || e.crossAccount || e.resourceDecides) {
		return Decision{By: ByResource}
	}
	if !e.hasIdentity {
		return resource.decision(Allowed, by)
	}
	// Across accounts an Allow on the resource's side passes nothing by: the
	// principal's own account has to allow as well, and what limits the principal
	// does so under a grant too. A root session is always held to its task.
	switch {
	case e.heldToTask, e.crossAccount && (by != ByGrant || !enough):
		reach = min(reach, delegated)
	case e.crossAccount:
		reach = min(reach, limited)
	}
	identity := v[ByIdentity].allow
	switch {
	case reach < limited && identity.statement == nil && !e.isRoot:
		return Decision{By: ByIdentity}
	case reach < direct && !v[ByBoundary].allows():
		return Decision{By: ByBoundary}
	case reach < direct && !v[BySession].allows():
		return Decision{By: BySession}
	case e.crossAccount && resource.statement != nil, reach >= limited:
		return resource.decision(Allowed, by)
	case identity.statement != nil:
		return identity.decision(Allowed, ByIdentity)
	}
	return Decision{Outcome: Allowed, By: ByDefault}
}
