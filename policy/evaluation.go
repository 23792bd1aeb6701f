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
	resource  string
	segments  [6]string // of the resource, when it is an ARN
	isARN     bool

	isRoot          bool // a root user: allowed by default in its own account
	hasIdentity     bool // the principal belongs to an account and has policies of its own
	crossAccount    bool
	resourceDecides bool // the resource's policy must allow even within the account
	bounded         bool // the principal has a permissions boundary
	underSCP        bool
	underRCP        bool
	underSession    bool
}

func (e *evaluation) init(req *Request, p *Policies) {
	e.req = req
	e.principal = req.Principal
	if e.principal == nil {
		e.principal = &aws.Principal{}
	}
	e.service, e.action, _ = strings.Cut(req.Action, ":")
	e.resource = req.Resource
	e.isARN = splitARN(req.Resource, &e.segments)

	switch e.principal.Kind {
	case aws.Root, aws.User, aws.AssumedRole, aws.FederatedUser:
		e.hasIdentity = true
	}
	e.isRoot = e.principal.Kind == aws.Root
	e.crossAccount = e.hasIdentity && req.ResourceAccount != "" && req.ResourceAccount != e.principal.Account
	e.resourceDecides = p.Resource != nil && p.Resource.Kind.decides() || p.Resource == nil && assumesRole(req.Action)
	e.bounded = p.Boundary != nil
	linked := serviceLinked(e.principal)
	e.underSCP = p.SCPs != nil && e.hasIdentity && !linked
	e.underRCP = p.RCPs != nil && !linked && resourceControlled(e.service, e.action)
	// A federated session without a session policy has no rights of its own.
	// IAM User Guide, "Permissions for GetFederationToken".
	e.underSession = p.Session != nil || e.principal.Kind == aws.FederatedUser
}

// assumesRole reports whether action is one that only a role's trust policy can
// allow, so that a role without one is out of reach.
func assumesRole(action string) bool {
	const prefix = "sts:assumerole"
	return len(action) >= len(prefix) && strings.EqualFold(action[:len(prefix)], prefix)
}

// levels consults policies that must allow on every level.
func (e *evaluation) levels(v *verdict, levels [][]*Attached, applies bool) {
	if !applies {
		return
	}
	v.applies = true
	v.missing = len(levels) == 0
	for _, level := range levels {
		v.allow = hit{}
		e.scan(v, level)
		if v.deny.statement != nil {
			return
		}
		if v.allow.statement == nil {
			v.missing = true
		}
	}
}

// set consults policies any of which may allow.
func (e *evaluation) set(v *verdict, policies []*Attached, applies bool) {
	if !applies {
		return
	}
	v.applies = true
	e.scan(v, policies)
}

// one consults a single policy, if there is one.
func (e *evaluation) one(v *verdict, a *Attached) {
	if a == nil {
		return
	}
	v.applies = true
	e.document(v, a)
}

func (e *evaluation) scan(v *verdict, policies []*Attached) {
	for _, a := range policies {
		e.document(v, a)
		if v.deny.statement != nil {
			return
		}
	}
}

// document looks for the first Deny and the most direct Allow. Once there is an
// Allow that nothing can better, further Allow statements are not looked at.
func (e *evaluation) document(v *verdict, a *Attached) {
	for i := range a.Statements {
		s := &a.Statements[i]
		if !s.Deny && v.allow.statement != nil && v.reach == direct {
			continue
		}
		r := e.matches(s)
		if r == unreached {
			continue
		}
		if s.Deny {
			v.deny = hit{a, s}
			return
		}
		if v.allow.statement == nil || r > v.reach {
			v.allow, v.reach = hit{a, s}, r
		}
	}
}

// matches says whether a statement applies to the request, and how directly it
// names the principal.
func (e *evaluation) matches(s *Statement) reach {
	if !e.matchesAction(s) || e.matchesResource(s) != yes {
		return unreached
	}
	r := e.reaches(s)
	if r == unreached {
		return unreached
	}
	for i := range s.conditions {
		v := e.lookup(s.conditions[i].key)
		if e.holds(&s.conditions[i], &v, s.Deny) != yes {
			return unreached
		}
	}
	return r
}

func (e *evaluation) matchesAction(s *Statement) bool {
	return s.actions.has(e.service, e.action) != s.notActions
}

func (e *evaluation) matchesResource(s *Statement) match {
	if s.anyResource {
		return yes
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
