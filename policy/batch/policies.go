package batch

import (
	"errors"
	"fmt"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
)

// policies compiles what a case holds. In the answer a policy is named by where
// it stands in the case.
func (e *Evaluator) policies(c *Case, req *policy.Request) (*policy.Policies, error) {
	p := &policy.Policies{}
	r := &compiler{cache: &e.cache}
	p.Identity = r.list("identityPolicies", c.IdentityPolicies, policy.Identity)
	// As with the PolicyArns of AssumeRole, an empty list passes nothing.
	if len(c.SessionPolicies) > 0 {
		p.Session = r.list("sessionPolicies", c.SessionPolicies, policy.Identity)
	}
	p.Boundary = r.one("boundary", c.Boundary, policy.Identity)
	p.Endpoint = r.one("endpointPolicy", c.EndpointPolicy, policy.Endpoint)
	kind, err := resourceKind(c.ResourceKind, c.Action)
	if err != nil {
		return nil, err
	}
	p.Resource = r.one("resourcePolicy", c.ResourcePolicy, kind)
	if arn, err := aws.ParseARN(req.Resource); err == nil && p.Resource == nil && kind == policy.Key && strings.HasPrefix(arn.Resource, "key/") {
		// Every key has a policy, and what it does not delegate nobody else can allow.
		// Aliases and key stores have none. KMS Developer Guide, "Key policies in AWS
		// KMS" and "Controlling access to aliases".
		p.Resource = &policy.Attached{Document: &policy.Document{Kind: policy.Key}, Source: "resourcePolicy"}
	}
	own := req.ResourceAccount == "" || req.ResourceAccount == req.Principal.Account
	// SCPs spare the principals of the management account, RCPs its resources.
	if scps := r.levels("scps", c.SCPs, policy.SCP); !c.ManagementAccount {
		p.SCPs = scps
	}
	if rcps := r.levels("rcps", c.RCPs, policy.RCP); !c.ManagementAccount || !own {
		p.RCPs = rcps
	}
	for i := range c.Grants {
		a, err := c.Grants[i].attached(fmt.Sprintf("grants[%d]", i), c.encryptionPairs(), &e.cache)
		if err != nil {
			return nil, err
		}
		if a != nil {
			p.Grants = append(p.Grants, a)
		}
	}
	return p, r.err
}

// resourceKind says what a resource's policy is: what the case says, else what
// follows from the action.
func resourceKind(given, action string) (policy.Kind, error) {
	switch given {
	case "resource":
		return policy.Resource, nil
	case "key":
		return policy.Key, nil
	case "trust":
		return policy.Trust, nil
	case "":
		return KindOf(action), nil
	}
	return 0, fmt.Errorf("resourcePolicyKind %q is none of resource, key, trust", given)
}

// KindOf says what the policy of an action's resource is: a key policy, a
// role's trust policy, or any other resource's policy.
func KindOf(action string) policy.Kind {
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	switch {
	case service == "kms":
		return policy.Key
	case service == "sts" && (strings.HasPrefix(name, "assumerole") || name == "tagsession" || name == "setsourceidentity" || name == "setcontext"):
		return policy.Trust
	}
	return policy.Resource
}

// A compiler keeps the first error.
type compiler struct {
	cache *policy.Cache
	err   error
}

func (r *compiler) one(at string, d document, kind policy.Kind) *policy.Attached {
	if len(d) == 0 || d.Kind() == 'n' || r.err != nil {
		return nil
	}
	doc, err := r.cache.Parse(string(d), kind)
	if err != nil && kind == policy.RCP && FullAccess(d) {
		doc, err = r.cache.Parse(string(d), policy.Resource)
	}
	if err != nil {
		r.err = fmt.Errorf("%s: %w", at, err)
		return nil
	}
	return &policy.Attached{Document: doc, Source: at}
}

// list keeps apart what is missing, nil, and what is there but empty.
func (r *compiler) list(at string, documents []document, kind policy.Kind) []*policy.Attached {
	if documents == nil {
		return nil
	}
	all := make([]*policy.Attached, 0, len(documents))
	for i, d := range documents {
		place := fmt.Sprintf("%s[%d]", at, i)
		a := r.one(place, d, kind)
		if a == nil && r.err == nil {
			r.err = errors.New(place + ": null is no policy")
		}
		all = append(all, a)
	}
	return all
}

func (r *compiler) levels(at string, levels [][]document, kind policy.Kind) [][]*policy.Attached {
	if levels == nil {
		return nil
	}
	all := make([][]*policy.Attached, 0, len(levels))
	for i, level := range levels {
		all = append(all, r.list(fmt.Sprintf("%s[%d]", at, i), level, kind))
	}
	return all
}
