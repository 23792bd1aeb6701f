// Package batch decides cases that are written as JSON, one a line, for batch use and for other languages.
//
// Schema documents the form of a line and of its answer. What decides is
// policy.Explain, as everywhere else.
package batch

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

// Schema is the JSON schema of a line ("#/$defs/case") and of its answer
// ("#/$defs/answer").
//
//go:embed schema.json
var Schema string

// A Case is one line: who asks for what, and all policies that apply. A pointer
// or list that is nil is not there, which is not the same as being empty.
type Case struct {
	ID                jsontext.Value    `json:"id"`
	Principal         string            `json:"principal"`
	Issuer            string            `json:"issuer"`
	Action            string            `json:"action"`
	Resource          string            `json:"resource"`
	ResourceAccount   string            `json:"resourceAccount"`
	Context           map[string]values `json:"context"`
	IdentityPolicies  []document        `json:"identityPolicies"`
	Boundary          document          `json:"boundary"`
	SessionPolicies   []document        `json:"sessionPolicies"`
	ResourcePolicy    document          `json:"resourcePolicy"`
	ResourceKind      string            `json:"resourcePolicyKind"`
	SCPs              [][]document      `json:"scps"`
	RCPs              [][]document      `json:"rcps"`
	ManagementAccount bool              `json:"managementAccount"`
	EndpointPolicy    document          `json:"endpointPolicy"`
	Grants            []grant           `json:"grants"`
}

// An Answer is what becomes of a case.
type Answer struct {
	ID         jsontext.Value `json:"id,omitzero"`
	Decision   string         `json:"decision,omitempty"`  // allowed, explicitDeny, implicitDeny
	DecidedBy  string         `json:"decidedBy,omitempty"` // scp, rcp, endpoint, resource, identity, boundary, session, grant, default
	Statements []Statement    `json:"statements,omitzero"` // of the deciding type, those that decided
	Error      string         `json:"error,omitempty"`     // why there is no decision
}

// A Statement is one that decided.
type Statement struct {
	Source string `json:"source"` // where the policy stands in the case: "identityPolicies[0]"
	Sid    string `json:"sid,omitempty"`
	Index  int    `json:"index"` // in the policy, from 0
	Effect string `json:"effect"`
}

// A document is a policy as the case has it; empty when it has none.
type document = jsontext.Value

// values are those of one context key: a list, or one value without a list.
type values []string

// UnmarshalJSONFrom reads strings, numbers and booleans.
func (v *values) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	list := in.PeekKind() == '['
	if list {
		if _, err := in.ReadToken(); err != nil {
			return err
		}
	}
	*v = values{}
	for {
		t, err := in.ReadToken()
		if err != nil {
			return err
		}
		switch k := t.Kind(); {
		case k == ']' && list:
			return nil
		case k == '"', k == '0', k == 't', k == 'f':
			*v = append(*v, t.String())
		default:
			return errors.New("a context value is a string, a number or a boolean, or a list of them")
		}
		if !list {
			return nil
		}
	}
}

var strict = json.JoinOptions(json.RejectUnknownMembers(true))

// An Evaluator decides cases. It remembers compiled policies, within bounds, and
// is safe for concurrent use. The zero Evaluator is ready.
type Evaluator struct{ cache policy.Cache }

// Answer decides the case that a line holds.
func (e *Evaluator) Answer(line []byte) Answer {
	var c Case
	if err := json.Unmarshal(line, &c, strict); err != nil {
		return Answer{ID: idOf(line), Error: readable(err)}
	}
	if !scalar(c.ID) {
		return Answer{Error: "id is a string or a number"}
	}
	a, err := e.decide(&c)
	if err != nil {
		a = Answer{Error: err.Error()}
	}
	a.ID = c.ID
	return a
}

// readable says what is wrong with a line without the words of the decoder that
// are about Go.
func readable(err error) string {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return "not a JSON object: " + strings.TrimPrefix(err.Error(), "jsontext: ")
	}
	at := strings.TrimPrefix(string(semantic.JSONPointer), "/")
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return fmt.Sprintf("there is no field %q", at)
	case semantic.Err != nil:
		return at + ": " + semantic.Err.Error()
	case at == "":
		return "a line is a JSON object"
	}
	return fmt.Sprintf("%s: %s does not go here", at, kindWords[semantic.JSONKind])
}

var kindWords = map[jsontext.Kind]string{'{': "an object", '[': "a list", '"': "a string", '0': "a number", 't': "true", 'f': "false", 'n': "null"}

// idOf finds the id of a line that is otherwise not to be read.
func idOf(line []byte) jsontext.Value {
	var only struct {
		ID jsontext.Value `json:"id"`
	}
	if json.Unmarshal(line, &only, jsontext.AllowDuplicateNames(true)) != nil || !scalar(only.ID) {
		return nil
	}
	return only.ID
}

func scalar(v jsontext.Value) bool {
	k := v.Kind()
	return len(v) == 0 || (k == '"' || k == '0' || k == 'n') && len(v) <= 1<<10
}

func (e *Evaluator) decide(c *Case) (Answer, error) {
	req, err := c.request()
	if err != nil {
		return Answer{}, err
	}
	p, err := e.policies(c, req)
	if err != nil {
		return Answer{}, err
	}
	d, why := policy.Explain(req, p)
	a := Answer{Decision: d.Outcome.String(), DecidedBy: d.By.String(), Statements: []Statement{}}
	effect := ""
	switch d.Outcome {
	case policy.Allowed:
		effect = "Allow"
	case policy.ExplicitDeny:
		effect = "Deny"
	}
	for i := range why.Policies {
		r := &why.Policies[i]
		if r.Type != a.DecidedBy {
			continue
		}
		for j := range r.Statements {
			if s := &r.Statements[j]; s.Applies && s.Effect == effect {
				a.Statements = append(a.Statements, Statement{Source: r.Source, Sid: sid(s), Index: s.Index, Effect: s.Effect})
			}
		}
	}
	return a, nil
}

func sid(s *policy.StatementResult) string {
	if s.Label == "#"+strconv.Itoa(s.Index) { // it has none
		return ""
	}
	return s.Label
}

func (c *Case) request() (*policy.Request, error) {
	switch {
	case c.Principal == "":
		return nil, errors.New("principal is missing: an ARN, a service or *")
	case !strings.Contains(c.Action, ":") || strings.ContainsAny(c.Action, "*?"):
		return nil, fmt.Errorf("action %q is not a service and a name, such as s3:GetObject", c.Action)
	}
	p, err := policy.PrincipalOf(c.Principal, c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("principal: %w", err)
	}
	owner, err := owner(c.ResourceAccount, c.Resource)
	if err != nil {
		return nil, fmt.Errorf("resourceAccount: %w", err)
	}
	context := make(map[string][]string, len(c.Context))
	for key, v := range c.Context {
		context[key] = v
	}
	if c.Resource == "" {
		c.Resource = "*"
	}
	return &policy.Request{Principal: p, Action: c.Action, Resource: c.Resource, ResourceAccount: owner, Context: policy.MapOf(withEncryptionContextKeys(context, c.encryptionPairs()))}, nil
}

// owner is the account of the resource: the one that is given, else the one in
// its ARN, else the principal's own, which the evaluator takes when there is none.
func owner(given, resource string) (aws.Account, error) {
	if given != "" {
		return aws.ParseAccount(given)
	}
	arn, err := aws.ParseARN(resource)
	if err != nil {
		return "", nil // "*" and the like belong to nobody
	}
	if account, err := aws.ParseAccount(string(arn.Account)); err == nil {
		return account, nil
	}
	return "", nil
}
