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

// attached writes the grant as a resource policy, as policy.Policies has grants:
// the operations that it gives to a request with this encryption context. It is nil
// when there are none.
func (g *grant) attached(at string, pairs map[string]string, cache *policy.Cache) (*policy.Attached, error) {
	if g.Grantee == "" || len(g.Operations) == 0 {
		return nil, fmt.Errorf("%s: a grant has a grantee and operations", at)
	}
	kind := "AWS"
	if strings.HasSuffix(g.Grantee, ".amazonaws.com") {
		kind = "Service"
	}
	var actions []string
	for _, op := range g.Operations {
		if strings.ContainsAny(op, "*?:") || op == "" {
			return nil, fmt.Errorf("%s: %q is no operation of KMS", at, op)
		}
		if g.Constraints.hold(pairs) || slices.Contains(unconstrained, op) {
			actions = append(actions, "kms:"+op)
		}
	}
	if actions == nil {
		return nil, nil
	}
	text, err := json.Marshal(map[string]any{"Version": "2008-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]any{kind: g.Grantee}, "Action": actions, "Resource": "*",
	}}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	doc, err := cache.Parse(string(text), policy.Resource)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return &policy.Attached{Document: doc, Source: at}, nil
}

// hold reports whether a request's encryption context keeps to the constraints:
// Equals means these pairs and no others, Subset these pairs at least. Unlike
// condition keys, the keys of an encryption context are told apart by case.
// KMS API Reference, GrantConstraints.
func (c *constraints) hold(pairs map[string]string) bool {
	if c == nil {
		return true
	}
	if c.Equals != nil && !maps.Equal(c.Equals, pairs) {
		return false
	}
	for key, value := range c.Subset {
		if has, found := pairs[key]; !found || has != value {
			return false
		}
	}
	return true
}

const encryptionContextKeys = "kms:EncryptionContextKeys"

const encryptionContext = "kms:encryptioncontext:"

// encryptionPairs are the pairs of the encryption context in a case's context.
func (c *Case) encryptionPairs() map[string]string {
	pairs := map[string]string{}
	for key, v := range c.Context {
		if len(v) == 1 && len(key) > len(encryptionContext) && strings.EqualFold(key[:len(encryptionContext)], encryptionContext) {
			pairs[key[len(encryptionContext):]] = v[0]
		}
	}
	return pairs
}

// withEncryptionContextKeys adds kms:EncryptionContextKeys to a context that has
// pairs but not their list, as KMS does.
func withEncryptionContextKeys(context map[string][]string, pairs map[string]string) map[string][]string {
	for key := range context {
		if strings.EqualFold(key, encryptionContextKeys) {
			return context
		}
	}
	if len(pairs) > 0 {
		context[encryptionContextKeys] = slices.Sorted(maps.Keys(pairs))
	}
	return context
}
