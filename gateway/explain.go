package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sumun.dev/policy"
	"sumun.dev/policy/tree"
)

// explained is the attribute of a trail event that holds why a call was refused:
// an Explanation in JSON. It is no part of CloudTrail's record.
const explained = "explanation"

// maxDiagnosis bounds what stands beside a refusal's record, in bytes.
const maxDiagnosis = 32 << 10

// An Explanation is why a call was allowed or refused: every policy that was
// consulted, for everything that the call touches.
type Explanation struct {
	RequestID string          `json:"requestId"`
	Time      time.Time       `json:"time"`
	Operation string          `json:"operation"` // "iam:CreateUser"
	Principal string          `json:"principal"`
	Account   string          `json:"account"`
	Region    string          `json:"region"`
	Via       []string        `json:"via,omitempty"` // services that passed the call on
	Allowed   bool            `json:"allowed"`
	Code      string          `json:"code,omitempty"`    // what the caller was told
	Message   string          `json:"message,omitempty"` // what the caller was told
	Shortened bool            `json:"shortened,omitempty"`
	Touches   []tree.Decision `json:"touches"`
}

// Explain says why the call with this request id was decided as it was; with an
// empty id, the newest refusal. It reports false when the gate remembers no such
// call. The decision is made again from what went into it.
func (g *Gateway) Explain(id string) (*Explanation, bool) {
	r, ok := g.memory.find(id)
	if !ok {
		return nil, false
	}
	return g.explain(&deed{call: r.call, about: r.about, touches: r.touches, own: r.own, mine: r.mine, theirs: r.theirs, err: r.err}), true
}

func (g *Gateway) explain(d *deed) *Explanation {
	x := &Explanation{
		RequestID: d.call.RequestID, Time: d.call.Time, Operation: d.about.String(), Principal: d.call.Principal.ARN.String(),
		Account: string(d.call.Account), Region: string(d.call.Region), Via: d.call.Via, Allowed: true,
	}
	if d.call.Principal.ARN.IsZero() {
		x.Principal = d.call.Principal.Name
	}
	if d.err != nil {
		x.Code, x.Message = d.err.Code, d.err.Message
	}
	for i := range d.touches {
		t := &d.touches[i]
		e := tree.Decision{Action: t.Action, Resource: resourceOf(t), Owner: string(t.Owner()), Open: t.Open}
		if t.Open == "" && d.own != nil && g.pose(d, i) == nil {
			e = tree.Explain(&d.question.Request, &d.question.Policies)
			x.Allowed = x.Allowed && e.Outcome == policy.Allowed.String()
			hideSecrets(&e.Diagnostic)
		}
		x.Touches = append(x.Touches, e)
	}
	return x
}

// Write prints the explanation for people: the call, and the decision about each
// thing that it touches.
func (x *Explanation) Write(w io.Writer) {
	w = tree.Plain(w)
	what := "refused"
	if x.Allowed {
		what = "allowed"
	}
	fmt.Fprintf(w, "%s  %s by %s\n", what, x.Operation, x.Principal)
	fmt.Fprintf(w, "%s in %s of account %s, request %s\n", x.Time.UTC().Format("2006-01-02 15:04:05Z"), x.Region, x.Account, x.RequestID)
	if len(x.Via) > 0 {
		fmt.Fprintf(w, "passed on by %s\n", strings.Join(x.Via, ", "))
	}
	if x.Message != "" {
		fmt.Fprintf(w, "%s: %s\n", x.Code, x.Message)
	}
	if x.Shortened {
		fmt.Fprintln(w, "(the trail keeps a part of it only)")
	}
	for i := range x.Touches {
		fmt.Fprintln(w)
		x.Touches[i].Write(w)
	}
}

// hidden are condition keys whose values in requests are not shown: who knows a
// role's external id may be taken for somebody else.
var hidden = [...]string{"sts:ExternalId"}

func hideSecrets(d *policy.Diagnostic) {
	for i := range d.Policies {
		for j := range d.Policies[i].Statements {
			conditions := d.Policies[i].Statements[j].Conditions
			for k := range conditions {
				c := &conditions[k]
				if secret(c.Key) && len(c.Got) > 0 {
					c.Got = []string{"(hidden)"}
				}
				for key := range c.Variables {
					if secret(key) {
						c.Variables[key] = []string{"(hidden)"}
					}
				}
			}
		}
	}
}

func secret(key string) bool {
	return slices.ContainsFunc(hidden[:], func(h string) bool { return strings.EqualFold(h, key) })
}

// diagnosis is the explanation of a refusal as it is kept beside its record: with
// the statements that are about the action, since AWS's policies have many others
// and refusals must stay cheap. What does not fit is left out, the least telling
// first.
func (g *Gateway) diagnosis(d *deed) string {
	x := g.explain(d)
	for _, shorten := range [...]func(*Explanation){
		keep(func(_ *tree.Decision, s *policy.StatementResult) bool { return s.Action }),
		keep(func(_ *tree.Decision, s *policy.StatementResult) bool { return s.Applies }),
		func(x *Explanation) {
			x.Touches = slices.DeleteFunc(x.Touches, func(t tree.Decision) bool { return t.Outcome == "allowed" })
		},
		func(x *Explanation) {
			x.Touches = slices.Clip(x.Touches[:min(1, len(x.Touches))])
			for i := range x.Touches {
				x.Touches[i].Diagnostic = policy.Diagnostic{}
			}
		},
	} {
		shorten(x)
		text, err := json.Marshal(x)
		if err != nil {
			return ""
		}
		if len(text) <= maxDiagnosis {
			return string(text)
		}
		x.Shortened = true
	}
	return ""
}

// keep leaves only the statements that say yes.
func keep(yes func(*tree.Decision, *policy.StatementResult) bool) func(*Explanation) {
	return func(x *Explanation) {
		for i := range x.Touches {
			t := &x.Touches[i]
			for j := range t.Diagnostic.Policies {
				p := &t.Diagnostic.Policies[j]
				p.Statements = slices.DeleteFunc(p.Statements, func(s policy.StatementResult) bool { return !yes(t, &s) })
			}
		}
	}
}

// Recorded reads the explanation that stands beside a refusal's record in the
// trail; nil when there is none.
func Recorded(attrs map[string]string) *Explanation {
	text := attrs[explained]
	if text == "" {
		return nil
	}
	var x Explanation
	if json.Unmarshal([]byte(text), &x) != nil {
		return nil
	}
	return &x
}
