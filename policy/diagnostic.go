package policy

// A Diagnostic is everything that was consulted for a decision.
type Diagnostic struct {
	Types    []TypeResult   `json:"types"`    // one for each type, in the order of the chain
	Policies []PolicyResult `json:"policies"` // in the order of the chain
}

// A TypeResult is what all policies of one type came to.
type TypeResult struct {
	Type    string `json:"type"`             // "scp", "identity", …
	Applies bool   `json:"applies"`          // there are such policies and they concern the request
	Reason  string `json:"reason,omitempty"` // why they do not apply, or their Allow does not count
	Allows  bool   `json:"allows"`           // an Allow applies; of SCPs and RCPs at every level
	Denies  bool   `json:"denies"`           // a Deny applies
	Names   string `json:"names,omitempty"`  // how the Allow names the principal: "account", "role", "direct"
}

// Passes reports whether this type of policy leaves room for the request: it does
// not apply, or allows and does not deny. The policy simulator says it of
// Organizations and permissions boundaries.
func (t TypeResult) Passes() bool { return !t.Applies || t.Allows && !t.Denies }

// Of returns what the policies of type t came to.
func (d *Diagnostic) Of(t Type) TypeResult {
	for _, r := range d.Types {
		if r.Type == t.String() {
			return r
		}
	}
	return TypeResult{Type: t.String()}
}

// A PolicyResult is what became of one policy.
type PolicyResult struct {
	Type       string            `json:"type"`             // "scp", "identity", …
	Level      int               `json:"level,omitempty"`  // SCPs and RCPs: 0 is the root's
	Source     string            `json:"source"`           // ARN, or "inline:alice/NAME"
	Applies    bool              `json:"applies"`          // it concerns the request
	Reason     string            `json:"reason,omitempty"` // why it does not: "management account", "service-linked role", …
	Statements []StatementResult `json:"statements"`       // none when it does not apply

	text string // of the document
}

// A StatementResult is what became of one statement. Every part is looked at,
// also behind one that already failed.
type StatementResult struct {
	Label      string            `json:"label"` // Sid, or "#" and the place
	Index      int               `json:"index"`
	Start      int               `json:"start"` // where it stands in the document, in bytes
	End        int               `json:"end"`
	From       Position          `json:"from"` // the same as lines and columns
	To         Position          `json:"to"`
	Text       string            `json:"text,omitempty"` // the statement itself
	Effect     string            `json:"effect"`
	Applies    bool              `json:"applies"`
	Failed     []string          `json:"failed,omitempty"` // why not: "action", "resource", "principal", "condition"
	Action     bool              `json:"action"`           // the action is among those meant
	Resource   string            `json:"resource"`         // "yes", "no", or "unresolved": a variable has no value
	Principal  string            `json:"principal"`        // how the principal is named: "no", "account", "role", "direct"
	Conditions []ConditionResult `json:"conditions,omitempty"`
}

// A ConditionResult is what became of one key under one operator.
type ConditionResult struct {
	Operator  string              `json:"operator"`
	Key       string              `json:"key"`
	Want      []string            `json:"want"`                // the policy's values
	Got       []string            `json:"got,omitempty"`       // the request's values
	Missing   bool                `json:"missing"`             // the request has no such key
	Variables map[string][]string `json:"variables,omitempty"` // what the request says for policy variables among the wanted
	Met       string              `json:"met"`                 // "yes", "no", or "unresolved": a variable has no value
}

var (
	matchNames = [...]string{no: "no", yes: "yes", unresolved: "unresolved"}
	reachNames = [...]string{unreached: "no", delegated: "account", limited: "role", direct: "direct"}
)
