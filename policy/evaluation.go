package policy

import (
	"strings"

	"sumun.dev/aws"
)

// An evaluation is one request, taken apart once. It lives on the stack.
type evaluation struct {
	req       *Request
	principal *aws.Principal
	service   string // "s3" of "s3:GetObject", as asked
	action    string // "GetObject"
	serviceID uint32 // the service's foldHash
	actionKey uint64
	resource  string
	split     bool      // the next two are there
	isARN     bool      // the resource is one
	segments  [6]string // its parts

	isRoot          bool // a root user: allowed by default in its own account
	hasIdentity     bool // the principal belongs to an account and has policies of its own
	heldToTask      bool // a root session of AssumeRoot
	crossAccount    bool
	resourceDecides bool                  // the resource's policy must allow even within the account
	exempt          [BySession + 1]reason // why a type of policy does not concern the request

	record *Diagnostic // what Explain fills; nil means to look no further than the decision needs
}

func (e *evaluation) init(req *Request, p *Policies) {
	e.req = req
	e.principal = req.Principal
	if e.principal == nil {
		e.principal = &aws.Principal{}
	}
	e.service, e.action, _ = strings.Cut(req.Action, ":")
	e.resource = req.Resource
	e.serviceID = foldHash(e.service)
	e.actionKey = actionKey(e.serviceID, foldHash(e.action))

	switch e.principal.Kind {
	case aws.Root, aws.User, aws.AssumedRole, aws.FederatedUser:
		e.hasIdentity = true
	}
	e.isRoot = e.principal.Kind == aws.Root
	e.heldToTask = e.isRoot && e.principal.Session != nil && e.principal.Session.TaskPolicy != ""
	e.crossAccount = e.hasIdentity && req.ResourceAccount != "" && req.ResourceAccount != e.principal.Account && !assumesRoot(req.Action)
	e.resourceDecides = p.Resource != nil && p.Resource.Kind.decides() || p.Resource == nil && e.assumesRole()
	e.exemptions(p)
}

// assumesRole reports whether the request is one that only a role's trust policy
// can allow, so that a role without one is out of reach. Tags are passed to other
// sessions too, which need no trust.
func (e *evaluation) assumesRole() bool {
	if !trusts(e.req.Action) {
		return false
	}
	arn, err := aws.ParseARN(e.resource)
	return assumes(e.req.Action) || err == nil && arn.Service == "iam" && strings.HasPrefix(arn.Resource, "role/")
}

// assumes reports whether action is AssumeRole or a kin of it.
func assumes(action string) bool { return hasPrefix(action, "sts:assumerole", true) }

// assumesRoot reports whether action is AssumeRoot, to which the member account
// has agreed by being in the organisation, not by a policy.
// IAM User Guide, "Perform a privileged task on a member account".
func assumesRoot(action string) bool { return strings.EqualFold(action, "sts:AssumeRoot") }

// decision consults all policies, in the order in which a Deny is named, and
// combines what they say.
func (e *evaluation) decision(p *Policies) Decision {
	var v verdicts
	_ = e.levels(&v, BySCP, p.SCPs) || e.levels(&v, ByRCP, p.RCPs) ||
		e.single(&v, ByEndpoint, p.Endpoint) || e.single(&v, ByResource, p.Resource) || e.set(&v, ByGrant, 0, p.Grants) ||
		e.set(&v, ByIdentity, 0, p.Identity) || e.single(&v, ByBoundary, p.Boundary) || e.set(&v, BySession, 0, p.Session)
	if p.RestrictPublicBuckets && v[ByResource].reach > unreached && p.Resource.Public() && e.outsider() {
		v[ByResource].allow, v[ByResource].reach = hit{}, unreached
		e.exempt[ByResource] = restricted
	}
	e.record.conclude(e, &v)
	return v.combine(e)
}

// outsider reports whether the principal is neither a service of AWS nor of the
// account that owns the resource, so that a public bucket policy is no grant
// while RestrictPublicBuckets is on. S3 User Guide, "Blocking public access".
func (e *evaluation) outsider() bool {
	return e.principal.Kind != aws.Service && (!e.hasIdentity || e.crossAccount)
}

// levels consults policies that must allow on every level. It reports whether
// the decision is certain.
func (e *evaluation) levels(v *verdicts, t Type, levels [][]*Attached) bool {
	missing := len(levels) == 0
	for i, level := range levels {
		v[t].allow, v[t].reach = hit{}, unreached
		if e.set(v, t, i, level) {
			return true
		}
		missing = missing || v[t].allow.statement == nil
	}
	v[t].applies, v[t].missing = e.exempt[t] == concerned, missing
	return false
}

// single consults one policy, if there is one.
func (e *evaluation) single(v *verdicts, t Type, a *Attached) bool {
	if a == nil {
		return false
	}
	one := [1]*Attached{a}
	return e.set(v, t, 0, one[:])
}

// set consults policies any of which may allow.
func (e *evaluation) set(v *verdicts, t Type, level int, policies []*Attached) bool {
	if e.exempt[t] != concerned {
		e.record.passOver(t, level, policies, reasonNames[e.exempt[t]])
		return false
	}
	v[t].applies = true
	for _, a := range policies {
		r := e.record.policy(t, level, a)
		if e.document(&v[t], a, r) {
			return true
		}
	}
	return false
}

// document looks for the first Deny and the first of the most direct Allows. It
// reports whether a Deny was found and nobody wants to know more.
func (e *evaluation) document(v *verdict, a *Attached, r *PolicyResult) bool {
	for i := range a.Statements {
		s := &a.Statements[i]
		if r == nil && !s.Deny && v.reach == direct { // nothing can better it
			continue
		}
		action := e.matchesAction(s)
		if r == nil && !action {
			continue
		}
		resource := e.matchesResource(s)
		if r == nil && resource != yes {
			continue
		}
		reached := e.statement(s, action, resource, r)
		switch {
		case reached == unreached:
		case s.Deny && v.deny.statement == nil:
			v.deny = hit{a, s}
			if r == nil {
				return true
			}
		case !s.Deny && reached > v.reach:
			v.allow, v.reach = hit{a, s}, reached
		}
	}
	return false
}

// statement says whether s, which means the action and resource or not, applies to
// the request, and how directly it names the principal. With r it looks at every
// part, also behind one that failed.
func (e *evaluation) statement(s *Statement, action bool, resource match, r *PolicyResult) reach {
	reached := e.reaches(s)
	if r == nil && reached == unreached {
		return unreached
	}
	report := r.statement(s, action, resource, reached)
	applies := action && resource == yes && reached != unreached
	for i := range s.conditions {
		c := &s.conditions[i]
		v := e.lookup(c.key)
		met := e.holds(c, &v, s.Deny)
		if r == nil && met != yes {
			return unreached
		}
		report.condition(e, c, &v, met)
		applies = applies && met == yes
	}
	if !applies {
		return unreached
	}
	report.applies()
	return reached
}

func (e *evaluation) matchesAction(s *Statement) bool {
	if s.single && s.only != e.actionKey {
		return false
	}
	return s.actions.has(e) != s.notActions
}

func (e *evaluation) matchesResource(s *Statement) match {
	if s.anyResource {
		return yes
	}
	if s.exact != "" {
		return matchIf(s.exact == e.resource)
	}
	return e.matchesResources(s)
}

func (e *evaluation) matchesResources(s *Statement) match {
	if !e.split {
		e.isARN, e.split = splitARN(e.resource, &e.segments), true
	}
	found := no
	for i := range s.resources {
		switch s.resources[i].matches(e, e.resource, e.isARN, &e.segments) {
		case yes:
			if s.notResources {
				return no
			}
			return yes
		case unresolved:
			found = unresolved
		}
	}
	if s.notResources && found == no {
		return yes
	}
	if s.notResources {
		return unresolved
	}
	return found
}
