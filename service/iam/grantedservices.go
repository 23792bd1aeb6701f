package iam

import (
	"encoding/json"
	"strings"

	"sumun.dev/policy"
	"sumun.dev/policy/facts"
)

// grants reports whether a document's Allow statements grant any action of the
// service. As in AWS's last accessed information, conditions and Deny statements
// are not looked at: it is about what could be taken away.
func grantsService(d *policy.Document, service string) bool {
	var text struct{ Statement statements }
	if err := json.Unmarshal([]byte(d.Text), &text); err != nil {
		return false
	}
	for _, st := range text.Statement {
		if st.Effect != "Allow" {
			continue
		}
		if len(st.NotAction) > 0 && !covers(st.NotAction, service) {
			return true
		}
		for _, action := range st.Action {
			prefix, _, _ := strings.Cut(action, ":")
			if action == "*" || strings.EqualFold(prefix, service) {
				return true
			}
		}
	}
	return false
}

// covers reports whether the patterns leave nothing of the service.
func covers(patterns []string, service string) bool {
	for _, p := range patterns {
		if p == "*" || strings.EqualFold(p, service+":*") {
			return true
		}
	}
	return false
}

// A statement is what grantsService reads; the document is known to be well formed.
type statement struct {
	Effect            string
	Action, NotAction words
}

// statements are one, or a list.
type statements []statement

func (s *statements) UnmarshalJSON(b []byte) error {
	var list []statement
	if err := json.Unmarshal(b, &list); err == nil {
		*s = list
		return nil
	}
	var one statement
	err := json.Unmarshal(b, &one)
	*s = statements{one}
	return err
}

// words are one, or a list.
type words []string

func (w *words) UnmarshalJSON(b []byte) error {
	var list []string
	if err := json.Unmarshal(b, &list); err == nil {
		*w = list
		return nil
	}
	var one string
	err := json.Unmarshal(b, &one)
	*w = words{one}
	return err
}

// granted lists the services that any of the policies grants, in order.
func granted(policies []*policy.Attached) []*facts.ServiceFacts {
	var all []*facts.ServiceFacts
	for _, prefix := range facts.Services() {
		for _, p := range policies {
			if !grantsService(p.Document, prefix) {
				continue
			}
			if f, ok := facts.Service(prefix); ok {
				all = append(all, f)
			}
			break
		}
	}
	return all
}
