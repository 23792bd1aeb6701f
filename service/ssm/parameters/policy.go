package parameters

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"sumun.dev/api/ssmapi"
)

// Policies: User Guide, "Assigning parameter policies".
const (
	expiration             = "Expiration"
	expirationNotification = "ExpirationNotification"
	noChangeNotification   = "NoChangeNotification"

	maxPolicies = 10
	policyForm  = "1.0"
	maxUnits    = 100_000 // days or hours: more than eleven years
)

// States of a policy, as ParameterInlinePolicy has them.
const (
	statusPending  = "Pending"
	statusFinished = "Finished"
)

// A policy is one of a parameter's, with when it is due.
type policy struct {
	Type   string
	Text   string // as the caller wrote it, without white space
	Status string
	At     time.Time
}

// policyText is a policy as callers write it.
type policyText struct {
	Type, Version string
	Attributes    map[string]string
}

// parsePolicies reads the JSON list of a PutParameter that changes the parameter
// at this time. A list of nothing takes the policies away. The length of the text
// is bounded by the model.
func parsePolicies(text string, changed time.Time) ([]policy, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, ssmapi.InvalidPolicyAttributeException.New("Invalid policies input: %s. The policies must be a JSON list of objects.", "the text is no JSON list")
	}
	var all []policy
	for _, one := range raw {
		if string(bytes.Join(bytes.Fields(one), nil)) == "{}" {
			continue
		}
		p, err := parsePolicy(one)
		if err != nil {
			return nil, err
		}
		all = append(all, *p)
	}
	if len(all) > maxPolicies {
		return nil, ssmapi.PoliciesLimitExceededException.New("You specified more than the maximum number of allowed policies for the parameter. The maximum is %d.", maxPolicies)
	}
	return all, relate(all, changed)
}

func parsePolicy(raw []byte) (*policy, error) {
	var in policyText
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, badAttribute("a policy has a Type, a Version and Attributes that are strings")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, badAttribute("a policy is no JSON")
	}
	p := &policy{Type: in.Type, Text: compact.String(), Status: statusPending}
	if in.Version != policyForm {
		return nil, badAttribute("the Version of a policy is " + policyForm)
	}
	switch in.Type {
	case expiration:
		at, err := time.Parse(time.RFC3339Nano, in.Attributes["Timestamp"])
		if err != nil || len(in.Attributes) != 1 {
			return nil, badAttribute("Expiration has a Timestamp such as 2018-12-02T21:34:33.000Z")
		}
		p.At = at.UTC()
		return p, nil
	case expirationNotification, noChangeNotification:
		if _, err := in.period(); err != nil {
			return nil, err
		}
		return p, nil
	}
	return nil, ssmapi.InvalidPolicyTypeException.New("The policy type isn't supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification.")
}

// period is how long before or after the moment that a notification is about.
func (t *policyText) period() (time.Duration, error) {
	name := "Before"
	if t.Type == noChangeNotification {
		name = "After"
	}
	n, err := strconv.Atoi(t.Attributes[name])
	unit := map[string]time.Duration{"Days": 24 * time.Hour, "Hours": time.Hour}[t.Attributes["Unit"]]
	if err != nil || n < 1 || n > maxUnits || unit == 0 || len(t.Attributes) != 2 {
		return 0, badAttribute(t.Type + " has " + name + ", a whole number, and Unit, Days or Hours")
	}
	return time.Duration(n) * unit, nil
}

// relate finds when the notifications are due, from the expiration and from the
// last change.
func relate(all []policy, changed time.Time) error {
	var end time.Time
	for i := range all {
		if all[i].Type != expiration {
			continue
		}
		if !end.IsZero() {
			return ssmapi.IncompatiblePolicyException.New("There is a conflict in the policies specified for this parameter. You can't, for example, specify two Expiration policies for a parameter.")
		}
		if end = all[i].At; !end.After(changed) {
			return badAttribute("the Timestamp of an Expiration is in the future")
		}
	}
	for i := range all {
		p := &all[i]
		if p.Type == expiration {
			continue
		}
		var t policyText
		if err := json.Unmarshal([]byte(p.Text), &t); err != nil {
			return err
		}
		period, err := t.period()
		if err != nil {
			return err
		}
		switch {
		case p.Type == noChangeNotification:
			p.At = changed.Add(period)
		case end.IsZero():
			return ssmapi.IncompatiblePolicyException.New("There is a conflict in the policies specified for this parameter. An ExpirationNotification policy needs an Expiration policy.")
		default:
			p.At = end.Add(-period)
		}
	}
	return nil
}

// pendingAgain are the policies that a new version takes over: what was told of
// the version before may have to be told again.
func pendingAgain(all []policy) []policy {
	again := append([]policy(nil), all...)
	for i := range again {
		if again[i].Type == noChangeNotification {
			again[i].Status = statusPending
		}
	}
	return again
}

func badAttribute(what string) error {
	return ssmapi.InvalidPolicyAttributeException.New("A policy attribute or its value is invalid: %s.", what)
}

// inline are policies as AWS shows them.
func inline(all []policy) []ssmapi.ParameterInlinePolicy {
	out := []ssmapi.ParameterInlinePolicy{}
	for _, p := range all {
		out = append(out, ssmapi.ParameterInlinePolicy{PolicyText: new(p.Text), PolicyType: new(p.Type), PolicyStatus: new(p.Status)})
	}
	return out
}
