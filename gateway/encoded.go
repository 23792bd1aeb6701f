package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"sumun.dev/policy"
)

// authorization is what the tokens of authorisation messages are bound to, so
// that no other token of the plane can be decoded by sts:DecodeAuthorizationMessage.
const authorization = "sts.authorization"

// maxEncoded bounds the text of a message, so that its token stays within the
// 10,240 characters that DecodeAuthorizationMessage takes. STS API Reference.
const maxEncoded = 7 << 10

// A list is how the message writes lists.
type list[T any] struct {
	Items []T `json:"items"`
}

type oneValue struct {
	Value string `json:"value"`
}

type keyValues struct {
	Key    string         `json:"key"`
	Values list[oneValue] `json:"values"`
}

// A matchedStatement is the one that denied.
type matchedStatement struct {
	StatementID string          `json:"statementId"`
	Effect      string          `json:"effect"`
	Principals  list[oneValue]  `json:"principals"`
	Groups      list[oneValue]  `json:"principalGroups"`
	Actions     list[oneValue]  `json:"actions"`
	Resources   list[oneValue]  `json:"resources"`
	Conditions  list[keyValues] `json:"conditions"`
}

// matched shows the statement as it stands in its policy.
func matched(d *policy.Decision) matchedStatement {
	m := matchedStatement{
		StatementID: d.Statement.Sid, Effect: "DENY", Principals: values(), Groups: values(), Actions: values(), Resources: values(), Conditions: list[keyValues]{Items: []keyValues{}},
	}
	var s struct {
		Action, NotAction, Resource, NotResource words
		Condition                                map[string]map[string]words
	}
	if json.Unmarshal([]byte(d.Policy.Text[d.Statement.Start:d.Statement.End]), &s) != nil {
		return m // the compiled statement counts; its text is for people
	}
	m.Actions, m.Resources = values(append(s.Action, s.NotAction...)...), values(append(s.Resource, s.NotResource...)...)
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			m.Conditions.Items = append(m.Conditions.Items, keyValues{key, values(s.Condition[operator][key]...)})
		}
	}
	return m
}

// words are the strings of a policy element: one, or a list.
type words []string

func (w *words) UnmarshalJSON(text []byte) error {
	var all []any
	if len(text) > 0 && text[0] != '[' {
		all = []any{nil}
		if err := json.Unmarshal(text, &all[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for _, v := range all {
		*w = append(*w, fmt.Sprint(v))
	}
	return nil
}

// A message is what DecodeAuthorizationMessage shows. STS API Reference,
// "DecodeAuthorizationMessage".
type message struct {
	Allowed      bool                   `json:"allowed"`
	ExplicitDeny bool                   `json:"explicitDeny"`
	Matched      list[matchedStatement] `json:"matchedStatements"`
	Failures     list[string]           `json:"failures"`
	Context      struct {
		Principal struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			ARN  string `json:"arn"`
		} `json:"principal"`
		Action     string          `json:"action"`
		Resource   string          `json:"resource"`
		Conditions list[keyValues] `json:"conditions"`
	} `json:"context"`
}

// encoded seals why a call was refused, for those who may decode it.
func (g *Gateway) encoded(d *deed, req *policy.Request) string {
	m := message{ExplicitDeny: d.decision.Outcome == policy.ExplicitDeny, Matched: list[matchedStatement]{Items: []matchedStatement{}}, Failures: list[string]{Items: []string{}}}
	if m.ExplicitDeny {
		m.Matched.Items = append(m.Matched.Items, matched(&d.decision))
	}
	p := d.call.Principal
	m.Context.Principal.ID, m.Context.Principal.Name, m.Context.Principal.ARN = p.ID, p.Name, p.ARN.String()
	m.Context.Action, m.Context.Resource = req.Action, req.Resource
	m.Context.Conditions.Items = conditionsOf(d, req)
	text, err := json.Marshal(m)
	for err == nil && len(text) > maxEncoded {
		switch {
		case len(m.Context.Conditions.Items) > 0:
			m.Context.Conditions.Items = m.Context.Conditions.Items[:len(m.Context.Conditions.Items)/2]
		case len(m.Matched.Items) > 0:
			m.Matched.Items = nil
		default:
			return ""
		}
		text, err = json.Marshal(m)
	}
	if err != nil {
		return ""
	}
	return g.Store.NextToken([]string{authorization}, string(text))
}

// shownKeys are the global condition keys that a message lists besides the touch's own.
var shownKeys = [...]string{
	"aws:PrincipalType", "aws:PrincipalOrgID", "aws:RequestedRegion", "aws:ResourceAccount", "aws:SourceIp",
	"aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:ViaAWSService", "aws:CurrentTime",
}

func conditionsOf(d *deed, req *policy.Request) []keyValues {
	t := &d.touches[d.at]
	items := make([]keyValues, 0, len(t.Conditions)+len(t.Tags)+len(shownKeys))
	for _, key := range slices.Sorted(maps.Keys(t.Conditions)) {
		if secret(key) {
			continue
		}
		items = append(items, keyValues{key, values(t.Conditions[key]...)})
	}
	for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
		items = append(items, keyValues{"aws:ResourceTag/" + key, values(t.Tags[key])})
	}
	for _, key := range shownKeys {
		if v := req.Values(key); len(v) > 0 {
			items = append(items, keyValues{key, values(v...)})
		}
	}
	return items
}

func values(all ...string) list[oneValue] {
	l := list[oneValue]{Items: make([]oneValue, len(all))}
	for i, v := range all {
		l.Items[i].Value = v
	}
	return l
}
