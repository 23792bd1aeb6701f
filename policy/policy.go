// Package policy decides what the IAM policy language allows.
//
// Read in this order: policy.go (the two questions), request.go and policies.go
// (what goes in), decision.go and diagnostic.go (what comes out), chain.go (how
// policy types are combined), evaluation.go (how policies and statements are
// consulted), parse.go (how a document becomes statements). Everything here is
// a pure function of its arguments: no I/O, no clock, no state; only a Cache
// remembers, by text.
package policy

// Authorize says whether p allows req. It is the gate's fast path: it does not
// allocate for usual policies, and does not look further once the answer is
// certain.
func Authorize(req *Request, p *Policies) Decision {
	var e evaluation
	e.init(req, p)
	return e.decision(p)
}

// Explain decides as Authorize does, by the same walk, and says of every
// statement of every policy whether it applied and why. It looks at everything,
// so it is slower.
func Explain(req *Request, p *Policies) (Decision, Diagnostic) {
	var e evaluation
	e.record = &Diagnostic{}
	e.init(req, p)
	d := e.decision(p)
	return d, *e.record
}
