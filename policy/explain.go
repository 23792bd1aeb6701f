package policy

// A Diagnostic is everything that was consulted for a decision.
type Diagnostic struct {
	Policies []PolicyResult `json:"policies"` // in the order of the chain
}

// A PolicyResult is what became of one policy.
type PolicyResult struct {
	Type       string            `json:"type"`            // "scp", "identity", …
	Level      int               `json:"level,omitempty"` // SCPs and RCPs: 0 is the root's
	Source     string            `json:"source"`
	Statements []StatementResult `json:"statements"`
}

// A StatementResult is what became of one statement. Every part is looked at,
// also behind one that already failed.
type StatementResult struct {
	Label      string            `json:"label"` // Sid, or "#" and the place
	Index      int               `json:"index"`
	Start      int               `json:"start"` // where it stands in the document, in bytes
	End        int               `json:"end"`
	Text       string            `json:"text,omitempty"` // the statement itself
	Effect     string            `json:"effect"`
	Applies    bool              `json:"applies"`
	Action     bool              `json:"action"`    // the action is among those meant
	Resource   string            `json:"resource"`  // "yes", "no", or "unresolved": a variable has no value
	Principal  string            `json:"principal"` // how the principal is named: "no", "account", "role", "direct"
	Conditions []ConditionResult `json:"conditions,omitempty"`
}

// A ConditionResult is what became of one key under one operator.
type ConditionResult struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Want     []string `json:"want"`          // the policy's values
	Got      []string `json:"got,omitempty"` // the request's values
	Missing  bool     `json:"missing"`       // the request has no such key
	Met      string   `json:"met"`           // "yes", "no", or "unresolved": a variable has no value
}

var (
	matchNames = [...]string{no: "no", yes: "yes", unresolved: "unresolved"}
	reachNames = [...]string{unreached: "no", delegated: "account", limited: "role", direct: "direct"}
)

// Explain decides as Authorize does, and says of every statement of every
// policy whether it applied and why. It looks at everything, so it is slower.
func Explain(req *Request, p *Policies) (Decision, Diagnostic) {
	x := explainer{}
	x.init(req, p)
	var v verdicts
	x.levels(&v.scp, BySCP, p.SCPs, x.underSCP)
	x.levels(&v.rcp, ByRCP, p.RCPs, x.underRCP)
	x.set(&v.endpoint, ByEndpoint, 0, listOf(p.Endpoint), p.Endpoint != nil)
	x.set(&v.resource, ByResource, 0, listOf(p.Resource), p.Resource != nil)
	x.set(&v.grant, ByGrant, 0, p.Grants, p.Grants != nil)
	x.set(&v.identity, ByIdentity, 0, p.Identity, true)
	x.set(&v.boundary, ByBoundary, 0, listOf(p.Boundary), p.Boundary != nil)
	x.set(&v.session, BySession, 0, p.Session, x.underSession)
	return decide(&x.evaluation, &v), x.diagnostic
}

type explainer struct {
	evaluation
	diagnostic Diagnostic
}

func listOf(a *Attached) []*Attached {
	if a == nil {
		return nil
	}
	return []*Attached{a}
}

func (x *explainer) levels(v *verdict, by Type, levels [][]*Attached, applies bool) {
	if !applies {
		return
	}
	v.missing = len(levels) == 0
	for i, level := range levels {
		v.allow = hit{}
		x.set(v, by, i, level, true)
		v.missing = v.missing || v.allow.statement == nil
	}
	v.applies = true
}

func (x *explainer) set(v *verdict, by Type, level int, policies []*Attached, applies bool) {
	if !applies {
		return
	}
	v.applies = true
	for _, a := range policies {
		r := PolicyResult{Type: by.String(), Level: level, Source: a.Source}
		for i := range a.Statements {
			s := &a.Statements[i]
			result, reached := x.statement(s)
			if s.End <= len(a.Text) {
				result.Text = a.Text[s.Start:s.End]
			}
			r.Statements = append(r.Statements, result)
			x.note(v, hit{a, s}, reached, result.Applies)
		}
		x.diagnostic.Policies = append(x.diagnostic.Policies, r)
	}
}

// note keeps the first Deny and the first of the most direct Allows.
func (x *explainer) note(v *verdict, h hit, reached reach, applies bool) {
	switch {
	case !applies:
	case h.statement.Deny && v.deny.statement == nil:
		v.deny = h
	case !h.statement.Deny && (v.allow.statement == nil || reached > v.reach):
		v.allow, v.reach = h, reached
	}
}

func (x *explainer) statement(s *Statement) (StatementResult, reach) {
	resource, reached := x.matchesResource(s), x.reaches(s)
	r := StatementResult{
		Label: s.Label(), Index: s.Index, Start: s.Start, End: s.End, Effect: "Allow",
		Action: x.matchesAction(s), Resource: matchNames[resource], Principal: reachNames[reached],
	}
	if s.Deny {
		r.Effect = "Deny"
	}
	r.Applies = r.Action && resource == yes && reached != unreached
	for i := range s.conditions {
		c := &s.conditions[i]
		v := x.lookup(c.key)
		met := x.holds(c, &v, s.Deny)
		r.Applies = r.Applies && met == yes
		r.Conditions = append(r.Conditions, ConditionResult{
			Operator: c.written, Key: c.name, Want: c.values, Got: v.strings(), Missing: !v.Present(), Met: matchNames[met],
		})
	}
	return r, reached
}
