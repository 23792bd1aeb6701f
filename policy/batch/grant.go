package batch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"sumun.dev/policy"
)

// A grant is a KMS grant: who may do what with the key of the case.
// KMS API Reference, CreateGrant.
type grant struct {
	Grantee     string       `json:"grantee"`
	Operations  []string     `json:"operations"`
	Constraints *constraints `json:"constraints"`
}

type constraints struct {
	Equals map[string]string `json:"encryptionContextEquals"`
	Subset map[string]string `json:"encryptionContextSubset"`
}

// unconstrained are the operations that a grant's constraints do not concern.
var unconstrained = []string{"DescribeKey", "RetireGrant", "CreateGrant"}

// attached writes the grant as a resource policy, as policy.Policies has grants.
func (g *grant) attached(at string, cache *policy.Cache) (*policy.Attached, error) {
	if g.Grantee == "" || len(g.Operations) == 0 {
		return nil, fmt.Errorf("%s: a grant has a grantee and operations", at)
	}
	kind := "AWS"
	if strings.HasSuffix(g.Grantee, ".amazonaws.com") {
		kind = "Service"
	}
	var free, bound []string
	for _, op := range g.Operations {
		if strings.ContainsAny(op, "*?:") || op == "" {
			return nil, fmt.Errorf("%s: %q is no operation of KMS", at, op)
		}
		if g.Constraints == nil || slices.Contains(unconstrained, op) {
			free = append(free, "kms:"+op)
		} else {
			bound = append(bound, "kms:"+op)
		}
	}
	statement := func(actions []string, condition map[string]any) map[string]any {
		s := map[string]any{"Effect": "Allow", "Principal": map[string]any{kind: g.Grantee}, "Action": actions, "Resource": "*"}
		if len(condition) > 0 {
			s["Condition"] = condition
		}
		return s
	}
	var all []map[string]any
	if len(free) > 0 {
		all = append(all, statement(free, nil))
	}
	if len(bound) > 0 {
		all = append(all, statement(bound, g.Constraints.condition()))
	}
	text, err := json.Marshal(map[string]any{"Version": "2008-10-17", "Statement": all}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	doc, err := cache.Parse(string(text), policy.Resource)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return &policy.Attached{Document: doc, Source: at}, nil
}

// condition says in the policy language what the constraints say: Equals all
// pairs and no others, Subset these pairs at least. Version 2008-10-17 keeps
// "${" in a value from being a variable.
func (c *constraints) condition() map[string]any {
	equals := map[string]any{}
	for _, pairs := range []map[string]string{c.Subset, c.Equals} {
		for key, value := range pairs {
			equals["kms:EncryptionContext:"+key] = value
		}
	}
	condition := map[string]any{}
	if len(equals) > 0 {
		condition["StringEquals"] = equals
	}
	if c.Equals != nil {
		keys := slices.Sorted(maps.Keys(c.Equals))
		if len(keys) == 0 {
			condition["Null"] = map[string]any{encryptionContextKeys: "true"}
		} else {
			condition["ForAllValues:StringEquals"] = map[string]any{encryptionContextKeys: keys}
		}
	}
	return condition
}

const encryptionContextKeys = "kms:EncryptionContextKeys"

// withEncryptionContextKeys adds kms:EncryptionContextKeys to a context that has
// pairs but not their list, as KMS does.
func withEncryptionContextKeys(context map[string][]string) map[string][]string {
	const prefix = "kms:encryptioncontext:"
	var keys []string
	for key := range context {
		lower := strings.ToLower(key)
		switch {
		case strings.EqualFold(key, encryptionContextKeys):
			return context
		case strings.HasPrefix(lower, prefix):
			keys = append(keys, key[len(prefix):])
		}
	}
	if keys != nil {
		slices.Sort(keys)
		context[encryptionContextKeys] = keys
	}
	return context
}
