package kms

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A grant is decided about by the one evaluator that there is: it becomes a
// resource policy that allows what the grant does. Three statements at most, since
// the constraint on the encryption context means something else for each: it is
// compared with the call's for cryptography, with the constraint of the new grant
// for CreateGrant, and is not asked otherwise. KMS Developer Guide, "Using grant
// constraints" and "Creating grants".
type statement struct {
	Effect    string
	Principal map[string]string
	Action    []string
	Resource  string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// document writes the policy. Whom it names must be the grantee.
func (g *grant) document() (string, error) {
	var all []statement
	add := func(conditions map[string]map[string][]string, actions ...string) {
		if len(actions) > 0 {
			all = append(all, statement{"Allow", principalOf(g.Grantee), actions, "*", conditions})
		}
	}
	var bound, free []string
	for _, op := range g.Operations {
		switch op {
		case "RetireGrant": // of this grant alone: grantend.go
		case "CreateGrant":
			add(g.forChildren(), "kms:CreateGrant")
		case "DescribeKey":
			free = append(free, "kms:"+op)
		default:
			bound = append(bound, "kms:"+op)
		}
	}
	add(g.forContext(), bound...)
	add(nil, free...)
	return policyText(all)
}

func policyText(all []statement) (string, error) {
	b, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", all})
	if err != nil {
		return "", fmt.Errorf("kms: write a grant as a policy: %w", err)
	}
	return string(b), nil
}

// principalOf is a grantee or retiring principal in a policy.
func principalOf(principal string) map[string]string {
	if strings.HasSuffix(principal, ".amazonaws.com") && !strings.HasPrefix(principal, "arn:") {
		return map[string]string{"Service": principal}
	}
	return map[string]string{"AWS": principal}
}

// forContext are the conditions on the encryption context of a call.
func (g *grant) forContext() map[string]map[string][]string {
	equal := map[string][]string{}
	for _, pairs := range []map[string]string{g.Subset, g.Equals} {
		for key, value := range pairs {
			equal["kms:EncryptionContext:"+key] = []string{value}
		}
	}
	conditions := map[string]map[string][]string{}
	if len(equal) > 0 {
		conditions["StringEquals"] = equal
	}
	switch {
	case len(g.Equals) > 0:
		conditions["ForAllValues:StringEquals"] = map[string][]string{"kms:EncryptionContextKeys": slices.Sorted(maps.Keys(g.Equals))}
	case g.Equals != nil:
		conditions["Null"] = map[string][]string{"kms:EncryptionContextKeys": {"true"}}
	}
	if len(conditions) == 0 {
		return nil
	}
	return conditions
}

// forChildren are the conditions on a grant that the grantee makes: it allows no
// more than this one, under a constraint that is as strict.
func (g *grant) forChildren() map[string]map[string][]string {
	conditions := g.forContext()
	if conditions == nil {
		conditions = map[string]map[string][]string{}
	}
	all := conditions["ForAllValues:StringEquals"]
	if all == nil {
		all = map[string][]string{}
		conditions["ForAllValues:StringEquals"] = all
	}
	all["kms:GrantOperations"] = g.Operations
	if g.Equals != nil {
		if conditions["ForAnyValue:StringEquals"] == nil {
			conditions["ForAnyValue:StringEquals"] = map[string][]string{}
		}
		conditions["ForAnyValue:StringEquals"][constraintType] = []string{equalsConstraint}
	}
	return conditions
}

// suits reports whether the grant's constraint holds for what a call's touch says
// of its encryption context. The evaluator asks the same, but ignores case in the
// names of condition keys, where an encryption context does not.
func (g *grant) suits(action string, values map[string][]string) bool {
	if action == "kms:CreateGrant" && !g.covers(values) {
		return false
	}
	if action == "kms:DescribeKey" || g.Equals == nil && g.Subset == nil {
		return true
	}
	for _, pairs := range []map[string]string{g.Subset, g.Equals} {
		for key, value := range pairs {
			if have := values["kms:EncryptionContext:"+key]; len(have) != 1 || have[0] != value {
				return false
			}
		}
	}
	return g.Equals == nil || len(values["kms:EncryptionContextKeys"]) == len(g.Equals)
}

// covers reports whether a new grant allows no more than this one.
func (g *grant) covers(values map[string][]string) bool {
	for _, op := range values["kms:GrantOperations"] {
		if !slices.Contains(g.Operations, op) {
			return false
		}
	}
	return g.Equals == nil || slices.Contains(values[constraintType], equalsConstraint)
}
