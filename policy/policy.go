// Package policy decides what the IAM policy language allows.
//
// Read in this order: policy.go (the two questions), request.go and policies.go
// (what goes in), decision.go (what comes out), chain.go (how policy types are
// combined), statement.go (how one statement is matched), parse.go (how a
// document becomes statements). Everything here is a pure function of its
// arguments: no I/O, no clock, no state.
package policy

// Authorize says whether p allows req. It is the gate's fast path: it does not
// allocate for usual policies, and does not look further once a policy type
// has given its answer.
func Authorize(req *Request, p *Policies) Decision {
	var e evaluation
	e.init(req, p)
	var v verdicts
	e.levels(&v.scp, p.SCPs, e.underSCP)
	e.levels(&v.rcp, p.RCPs, e.underRCP)
	e.one(&v.endpoint, p.Endpoint)
	e.one(&v.resource, p.Resource)
	e.set(&v.grant, p.Grants, p.Grants != nil)
	e.set(&v.identity, p.Identity, true)
	e.one(&v.boundary, p.Boundary)
	e.set(&v.session, p.Session, e.underSession)
	return decide(&e, &v)
}
