package resolver

import "sumun.dev/engine/dns"

// The actions of firewall rules.
const (
	Allow = "ALLOW"
	Alert = "ALERT"
	Block = "BLOCK"
)

// unavailable stands for a rule whose list cannot be had, in a VPC that fails closed.
var unavailable = &rule{action: Block}

// decide returns the first rule that matches: rule groups by the priority of
// their association, in them rules by their priority. Whatever its action, it
// ends the evaluation. nil means that none does, and the query passes.
// j judges the query for Advanced rules; it is nil when a CNAME led to name: rules
// that trust redirections look at the first name only.
// Route 53 Developer Guide, "DNS Firewall rule groups and rules".
func (v *vpc) decide(name dns.Name, qtype uint16, j *judgement) *rule {
	for _, r := range v.rules {
		if r.qtype != 0 && r.qtype != qtype || j == nil && r.trust {
			continue
		}
		if r.list == nil {
			if r.threat != "" {
				if j.meets(r) {
					return r
				}
				continue
			}
			if v.failOpen {
				continue
			}
			return unavailable
		}
		if r.list.Match(name) {
			return r
		}
	}
	return nil
}

// decideChain looks at the names that an answer's CNAMEs lead to. first is the
// rule that the name asked for met, which was let through. A rule that trusts
// redirections ends the inspection for this answer. What blocks is returned at
// once; otherwise the first alert on the way.
func (v *vpc) decideChain(first *rule, chain []dns.Name, qtype uint16) *rule {
	met := first
	if first != nil && first.trust {
		return met
	}
	for _, name := range chain {
		r := v.decide(name, qtype, nil)
		if r == nil {
			continue
		}
		if r.action == Block {
			return r
		}
		if met == nil || met.action == Allow && r.action == Alert {
			met = r
		}
	}
	return met
}
