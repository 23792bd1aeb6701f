package policy

// The evaluation writes down what it sees with the methods below. Each does
// nothing on nil: then nobody asked for an explanation.

// policy begins the record of one policy.
func (d *Diagnostic) policy(t Type, level int, a *Attached) *PolicyResult {
	if d == nil {
		return nil
	}
	d.Policies = append(d.Policies, PolicyResult{Type: t.String(), Level: level, Source: a.Source, Applies: true, Statements: []StatementResult{}, text: a.Text})
	return &d.Policies[len(d.Policies)-1]
}

// passOver records policies that do not concern the request.
func (d *Diagnostic) passOver(t Type, level int, policies []*Attached, reason string) {
	if d == nil {
		return
	}
	for _, a := range policies {
		d.Policies = append(d.Policies, PolicyResult{Type: t.String(), Level: level, Source: a.Source, Reason: reason, Statements: []StatementResult{}})
	}
}

// statement begins the record of one statement.
func (r *PolicyResult) statement(s *Statement, action bool, resource match, reached reach) *StatementResult {
	if r == nil {
		return nil
	}
	x := StatementResult{
		Label: s.Label(), Index: s.Index, Start: s.Start, End: s.End, From: s.From, To: s.To, Effect: "Allow",
		Action: action, Resource: matchNames[resource], Principal: reachNames[reached],
	}
	if s.Deny {
		x.Effect = "Deny"
	}
	x.failedIf(!action, "action")
	x.failedIf(resource != yes, "resource")
	x.failedIf(reached == unreached, "principal")
	if s.End <= len(r.text) { // an ACL has none
		x.Text = r.text[s.Start:s.End]
	}
	r.Statements = append(r.Statements, x)
	return &r.Statements[len(r.Statements)-1]
}

func (x *StatementResult) failedIf(failed bool, part string) {
	if failed && (len(x.Failed) == 0 || x.Failed[len(x.Failed)-1] != part) {
		x.Failed = append(x.Failed, part)
	}
}

func (x *StatementResult) condition(e *evaluation, c *condition, v *Value, met match) {
	if x == nil {
		return
	}
	x.Conditions = append(x.Conditions, ConditionResult{
		Operator: c.written, Key: c.name, Want: c.values, Got: v.strings(), Missing: !v.Present(),
		Variables: c.variables(e), Met: matchNames[met],
	})
	x.failedIf(met != yes, "condition")
}

func (x *StatementResult) applies() {
	if x != nil {
		x.Applies = true
	}
}

// variables says what the policy variables of c's values stand for.
func (c *condition) variables(e *evaluation) map[string][]string {
	var found map[string][]string
	c.eachVariable(func(p *part) {
		if found == nil {
			found = map[string][]string{}
		}
		v := e.lookup(p.key)
		found[p.key] = v.strings()
	})
	return found
}

// conclude records what each type of policy came to.
func (d *Diagnostic) conclude(e *evaluation, v *verdicts) {
	if d == nil {
		return
	}
	for t := BySCP; t <= BySession; t++ {
		r := TypeResult{
			Type: t.String(), Applies: v[t].applies, Reason: reasonNames[e.exempt[t]],
			Allows: v[t].allow.statement != nil && !v[t].missing, Denies: v[t].deny.statement != nil,
		}
		if r.Allows {
			r.Names = reachNames[v[t].reach]
		}
		d.Types = append(d.Types, r)
	}
}
