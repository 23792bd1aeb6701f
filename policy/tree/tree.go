// Package tree prints a decision for people: what was consulted, what decided and what was missing.
package tree

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sumun.dev/policy"
)

// A Decision is the answer about one action on one resource, with all that was
// consulted for it.
type Decision struct {
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Owner     string `json:"resourceAccount,omitempty"`
	Open      string `json:"open,omitempty"` // why AWS asks for no permission; nothing was decided then
	Outcome   string `json:"decision,omitempty"`
	By        string `json:"decidedBy,omitempty"`
	Source    string `json:"source,omitempty"`    // the deciding policy
	Statement string `json:"statement,omitempty"` // the deciding statement in it

	Diagnostic policy.Diagnostic `json:"diagnostic"`
}

// Explain makes the decision about a request again, looking at everything.
func Explain(req *policy.Request, p *policy.Policies) Decision {
	d, diagnostic := policy.Explain(req, p)
	return Decision{
		Action: req.Action, Resource: req.Resource, Owner: string(req.ResourceAccount),
		Outcome: d.Outcome.String(), By: d.By.String(), Source: d.Source(), Statement: d.Label(), Diagnostic: diagnostic,
	}
}

// Write prints the decision: the answer, every policy that was
// consulted with the statements that are about the action, and what would have
// changed the answer.
func (t *Decision) Write(w io.Writer) {
	w = Plain(w)
	if t.Open != "" {
		fmt.Fprintf(w, "%s: allowed, AWS asks for no permission: %s\n", t.Action, t.Open)
		return
	}
	fmt.Fprintf(w, "%s on %s: %s by %s%s\n", t.Action, t.Resource, t.Outcome, TypeName(t.By), deciding(t))
	exempt := exemptions(&t.Diagnostic)
	for i, line := range exempt {
		branch := "├─ "
		if i == len(exempt)-1 && len(t.Diagnostic.Policies) == 0 {
			branch = "└─ "
		}
		fmt.Fprintln(w, branch+line)
	}
	for i := range t.Diagnostic.Policies {
		branch, below := "├─ ", "│  "
		if i == len(t.Diagnostic.Policies)-1 {
			branch, below = "└─ ", "   "
		}
		writePolicy(w, t, &t.Diagnostic.Policies[i], branch, below)
	}
	for _, line := range needed(t) {
		fmt.Fprintln(w, line)
	}
}

// exemptions say which types of policy do not concern the request although there
// may be some: of a management account, of a service-linked role, of a root user.
func exemptions(d *policy.Diagnostic) []string {
	var all []string
	for _, r := range d.Types {
		switch r.Reason {
		case "", "none", "not set", "not passed", "no organization", "no VPC endpoint", "no principal of an account", "action without resource control policies":
			continue
		}
		if !r.Applies && !slices.ContainsFunc(d.Policies, func(p policy.PolicyResult) bool { return p.Type == r.Type }) {
			all = append(all, TypeName(r.Type)+": does not concern it ("+r.Reason+")")
		}
	}
	return all
}

func deciding(t *Decision) string {
	if t.Source == "" {
		return ""
	}
	return ": " + t.Statement + " of " + t.Source
}

// kindNames are the types of policy in people's words.
var kindNames = [...][2]string{
	{"scp", "service control policy"}, {"rcp", "resource control policy"}, {"endpoint", "VPC endpoint policy"},
	{"resource", "resource-based policy"}, {"grant", "grant"}, {"identity", "identity-based policy"},
	{"boundary", "permissions boundary"}, {"session", "session policy"}, {"default", "default"},
}

// TypeName is a type of policy in people's words.
func TypeName(by string) string {
	for _, n := range kindNames {
		if n[0] == by {
			return n[1]
		}
	}
	return by
}

func writePolicy(w io.Writer, t *Decision, p *policy.PolicyResult, branch, below string) {
	about := slices.DeleteFunc(slices.Clone(p.Statements), func(s policy.StatementResult) bool { return !s.Action })
	name := TypeName(p.Type)
	if p.Type == "scp" || p.Type == "rcp" {
		name += fmt.Sprintf(", level %d", p.Level)
	}
	if p.Reason != "" && !p.Applies {
		fmt.Fprintf(w, "%s%s: %s does not concern it (%s)\n", branch, name, p.Source, p.Reason)
		return
	}
	fmt.Fprintf(w, "%s%s: %s%s\n", branch, name, p.Source, says(p, about))
	for i := range about {
		writeStatement(w, t, p, &about[i], below)
	}
}

// says is what a policy comes to.
func says(p *policy.PolicyResult, about []policy.StatementResult) string {
	applies := func(effect string) bool {
		return slices.ContainsFunc(p.Statements, func(s policy.StatementResult) bool { return s.Applies && s.Effect == effect })
	}
	switch {
	case applies("Deny"):
		return " denies"
	case applies("Allow"):
		return " allows"
	case len(about) == 0:
		return " says nothing of this action"
	}
	return " does not apply"
}

func writeStatement(w io.Writer, t *Decision, p *policy.PolicyResult, s *policy.StatementResult, below string) {
	mark := ""
	if p.Type == t.By && p.Source == t.Source && s.Label == t.Statement {
		mark = "  ← this decided"
	}
	line := ""
	if s.From.Line > 1 { // a document on one line has no lines to speak of
		line = fmt.Sprintf(" (line %d)", s.From.Line)
	}
	fmt.Fprintf(w, "%s%s %s%s: %s%s\n", below, s.Effect, s.Label, line, because(s), mark)
	if mark != "" && s.Text != "" {
		fmt.Fprintf(w, "%s    %s\n", below, oneLine(s.Text))
	}
	for i := range s.Conditions {
		fmt.Fprintf(w, "%s    %s\n", below, condition(&s.Conditions[i]))
	}
}

// because says whether a statement applies, and else the first part that does not match.
func because(s *policy.StatementResult) string {
	switch {
	case s.Applies:
		return "applies"
	case !s.Action:
		return "is about other actions"
	case s.Resource == "unresolved":
		return "has a variable in its Resource without a value"
	case s.Resource != "yes":
		return "is about other resources"
	case s.Principal == "no":
		return "names other principals"
	}
	return "has a condition that is not met"
}

func condition(c *policy.ConditionResult) string {
	got := strings.Join(c.Got, ", ")
	if c.Missing {
		got = "(not in the request)"
	}
	met := map[string]string{"yes": "met", "no": "not met", "unresolved": "not met: a variable has no value"}[c.Met]
	return fmt.Sprintf("%s %s: wants %s, got %s: %s", c.Operator, c.Key, strings.Join(c.Want, " or "), got, met)
}

// oneLine shortens a statement for the eye; --json has all of it.
func oneLine(text string) string {
	const most = 400
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}

// nearest is how many statements are shown that nearly allow.
const nearest = 5

// needed says what would have made a refused call allowed.
func needed(t *Decision) []string {
	switch t.Outcome {
	case "explicitDeny":
		return []string{"needed: that Deny no longer applies; no Allow outweighs it"}
	case "implicitDeny":
	default:
		return nil
	}
	where := "an " + TypeName(t.By)
	switch t.By {
	case "identity", "default":
		where = "an identity-based policy of the caller"
	case "scp", "rcp":
		where = "a " + TypeName(t.By) + levels(t)
	default:
		where = strings.Replace(where, "an ", "a ", 1)
	}
	lines := []string{fmt.Sprintf("needed: an Allow for %s on %s in %s", t.Action, t.Resource, where)}
	for i := range t.Diagnostic.Policies {
		p := &t.Diagnostic.Policies[i]
		if p.Type != t.By {
			continue
		}
		for j := range p.Statements {
			if s := &p.Statements[j]; s.Action && s.Effect == "Allow" && !s.Applies && len(lines) <= nearest {
				lines = append(lines, fmt.Sprintf("near: %s of %s would, but %s", s.Label, p.Source, but(s)))
			}
		}
	}
	return lines
}

// levels names the levels of an organisation at which nothing allows.
func levels(t *Decision) string {
	allows := map[int]bool{}
	for _, p := range t.Diagnostic.Policies {
		if p.Type == t.By {
			allows[p.Level] = allows[p.Level] || slices.ContainsFunc(p.Statements, func(s policy.StatementResult) bool { return s.Applies && s.Effect == "Allow" })
		}
	}
	var bare []string
	for level := range len(allows) {
		if !allows[level] {
			bare = append(bare, fmt.Sprint(level))
		}
	}
	if len(bare) == 0 {
		return " of every level"
	}
	return " of level " + strings.Join(bare, " and ") + " (0 is the root)"
}

func but(s *policy.StatementResult) string {
	if s.Resource != "yes" || s.Principal == "no" {
		return "it " + because(s)
	}
	var all []string
	for i := range s.Conditions {
		if s.Conditions[i].Met != "yes" {
			all = append(all, condition(&s.Conditions[i]))
		}
	}
	return strings.Join(all, "; ")
}
