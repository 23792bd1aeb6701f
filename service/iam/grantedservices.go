package iam

import (
	"encoding/json"
	"slices"
	"strings"

	"sumun.dev/policy"
	"sumun.dev/policy/facts"
)

// grantsService reports whether a document's Allow statements grant any action of the
// service. As in AWS's last accessed information, conditions and Deny statements
// are not looked at: it is about what could be taken away.
func grantsService(d *policy.Document, service string) bool {
	for _, st := range statementsOf(d) {
		if st.Effect != "Allow" {
			continue
		}
		if len(st.NotAction) > 0 && !covers(st.NotAction, service) {
			return true
		}
		if mentions(st.Action, service) {
			return true
		}
	}
	return false
}

// mentions reports whether any of the patterns is about the service.
func mentions(patterns []string, service string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, _, _ := strings.Cut(p, ":")
		return p == "*" || strings.EqualFold(prefix, service)
	})
}

// forbidsService reports whether a document denies all of the service, on every
// resource and without a condition.
func forbidsService(d *policy.Document, service string) bool {
	for _, st := range statementsOf(d) {
		if st.Effect != "Deny" || len(st.Condition) > 0 || !slices.Contains(st.Resource, "*") {
			continue
		}
		if covers(st.Action, service) || len(st.NotAction) > 0 && !mentions(st.NotAction, service) {
			return true
		}
	}
	return false
}

// letThrough reports whether policies leave anything of the service: on each level
// one must allow some of it, and none forbid it all.
func letThrough(levels [][]*policy.Attached, service string) bool {
	for _, level := range levels {
		allowed := false
		for _, p := range level {
			if forbidsService(p.Document, service) {
				return false
			}
			allowed = allowed || grantsService(p.Document, service)
		}
		if !allowed {
			return false
		}
	}
	return true
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

// A statement is what is read of one; the document is known to be well formed.
type statement struct {
	Effect                      string
	Action, NotAction, Resource words
	Condition                   map[string]json.RawMessage
}

func statementsOf(d *policy.Document) statements {
	var text struct{ Statement statements }
	if err := json.Unmarshal([]byte(d.Text), &text); err != nil {
		return nil
	}
	return text.Statement
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
