package iam

import (
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// evaluate asks the evaluator about one action on one resource. named says that the
// request names resources, so that there are results for each.
func (sim *simulation) evaluate(action, resource string, named bool) (*iamapi.EvaluationResult, error) {
	owner := sim.owner
	if arn, err := aws.ParseARN(resource); err == nil && arn.Account != "" {
		owner = arn.Account
	}
	policies := sim.policies
	if sim.resource != "" {
		d, err := policy.Parse([]byte(sim.resource), resourceKind(action, resource))
		if err != nil {
			return nil, invalid("Invalid ResourcePolicy: %s", sentence(err))
		}
		policies.Resource = &policy.Attached{Document: d, Source: resourcePolicy}
	}
	inOrganization, err := sim.bound(&policies, owner)
	if err != nil {
		return nil, err
	}
	req := policy.Request{Principal: sim.principal, Action: action, Resource: resource, ResourceAccount: owner, Context: sim.context}
	decision, diagnostic := policy.Explain(&req, &policies)
	r := &iamapi.EvaluationResult{
		EvalActionName: action, EvalResourceName: &resource, EvalDecision: iamapi.PolicyEvaluationDecisionType(decision.Outcome.String()),
		MatchedStatements: sim.matched(decision, &diagnostic), MissingContextValues: lacking(&req, &diagnostic),
	}
	if inOrganization {
		r.OrganizationsDecisionDetail = &iamapi.OrganizationsDecisionDetail{AllowedByOrganizations: new(diagnostic.Of(policy.BySCP).Passes() && diagnostic.Of(policy.ByRCP).Passes())}
	}
	if policies.Boundary != nil {
		r.PermissionsBoundaryDecisionDetail = &iamapi.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: new(diagnostic.Of(policy.ByBoundary).Passes())}
	}
	if owner != sim.principal.Account {
		r.EvalDecisionDetails = map[string]iamapi.PolicyEvaluationDecisionType{
			"IAM Policy": said(diagnostic.Of(policy.ByIdentity)), "Resource Policy": said(diagnostic.Of(policy.ByResource)),
		}
	}
	if named {
		r.ResourceSpecificResults = []iamapi.ResourceSpecificResult{{
			EvalResourceName: resource, EvalResourceDecision: r.EvalDecision, MatchedStatements: r.MatchedStatements, MissingContextValues: r.MissingContextValues,
			EvalDecisionDetails: r.EvalDecisionDetails, PermissionsBoundaryDecisionDetail: r.PermissionsBoundaryDecisionDetail,
		}}
	}
	if named && resource != "*" {
		r.MissingContextValues = []string{} // they stand with the resource
	}
	return r, nil
}

// resourcePolicy is the id of the resource policy in answers.
const resourcePolicy = "ResourcePolicy"

// resourceKind says what a resource's policy is: of a key and of a role that is to
// be assumed, it must allow.
func resourceKind(action, resource string) policy.Kind {
	arn, err := aws.ParseARN(resource)
	switch {
	case err == nil && arn.Service == "kms":
		return policy.Key
	case strings.HasPrefix(strings.ToLower(action), "sts:assumerole"):
		return policy.Trust
	}
	return policy.Resource
}

// bound adds what the organisation of the call's account says: service control
// policies if the simulated caller is of that account, resource control policies of
// the resource's account if it is in the same organisation. What binds anybody else
// is not told. It reports whether the caller is bound.
func (sim *simulation) bound(p *policy.Policies, owner aws.Account) (bool, error) {
	if !sim.member {
		return false, nil
	}
	home, err := sim.membership(sim.home)
	if err != nil || home == nil {
		return false, err
	}
	theirs := home
	if owner != sim.home {
		if theirs, err = sim.membership(owner); err != nil {
			return false, err
		}
	}
	if theirs != nil && theirs.Organization == home.Organization {
		p.RCPs, p.ResourceManagement = theirs.RCPs, theirs.Management
	}
	if sim.principal.Account != sim.home {
		return false, nil
	}
	p.SCPs, p.Management = home.SCPs, home.Management
	return true, nil
}

func said(r policy.TypeResult) iamapi.PolicyEvaluationDecisionType {
	switch {
	case r.Denies:
		return iamapi.PolicyEvaluationDecisionTypeExplicitDeny
	case r.Applies && r.Allows:
		return iamapi.PolicyEvaluationDecisionTypeAllowed
	}
	return iamapi.PolicyEvaluationDecisionTypeImplicitDeny
}

// matched lists the statements that determine the result: when it is an explicit
// deny, those that deny. Organizations' policies are not shown. IAM API
// Reference, EvaluationResult, MatchedStatements.
func (sim *simulation) matched(decision policy.Decision, d *policy.Diagnostic) []iamapi.Statement {
	list := []iamapi.Statement{}
	effect := "Allow"
	switch decision.Outcome {
	case policy.ExplicitDeny:
		effect = "Deny"
	case policy.ImplicitDeny:
		return list
	}
	shown := []string{policy.ByIdentity.String(), policy.ByResource.String(), policy.ByBoundary.String()}
	for i := range d.Policies {
		p := &d.Policies[i]
		if !slices.Contains(shown, p.Type) || effect == "Allow" && p.Type == policy.ByBoundary.String() {
			continue
		}
		id, of := sim.named(p.Source)
		for j := range p.Statements {
			st := &p.Statements[j]
			if !st.Applies || st.Effect != effect {
				continue
			}
			list = append(list, iamapi.Statement{SourcePolicyId: &id, SourcePolicyType: &of, StartPosition: position(st.From), EndPosition: position(st.To)})
		}
	}
	return list
}

func position(p policy.Position) *iamapi.Position {
	return &iamapi.Position{Line: new(int32(p.Line)), Column: new(int32(p.Column))}
}

// named is a policy's id in answers, and what it belongs to.
func (sim *simulation) named(source string) (string, iamapi.PolicySourceType) {
	if rest, ok := strings.CutPrefix(source, "inline:"); ok {
		holder, name, _ := strings.Cut(rest, "/")
		switch {
		case sim.principal.Kind == aws.AssumedRole:
			return name, iamapi.PolicySourceTypeRole
		case holder == sim.user:
			return name, iamapi.PolicySourceTypeUser
		}
		return name, iamapi.PolicySourceTypeGroup
	}
	if arn, err := aws.ParseARN(source); err == nil {
		name := arn.Resource[strings.LastIndexByte(arn.Resource, '/')+1:]
		if arn.Account == "aws" {
			return name, iamapi.PolicySourceTypeAwsManaged
		}
		return name, iamapi.PolicySourceTypeUserManaged
	}
	if source == resourcePolicy {
		return source, iamapi.PolicySourceTypeResource
	}
	return source, iamapi.PolicySourceTypeNone
}

// lacking lists the condition keys that statements about the action ask for and
// that the request does not have.
func lacking(req *policy.Request, d *policy.Diagnostic) []string {
	keys := []string{}
	add := func(key string) {
		if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
			keys = append(keys, key)
		}
	}
	for i := range d.Policies {
		for j := range d.Policies[i].Statements {
			st := &d.Policies[i].Statements[j]
			if !st.Action {
				continue
			}
			if st.Resource == "unresolved" {
				for _, name := range variables(st.Text) {
					if len(req.Values(name)) == 0 {
						add(name)
					}
				}
			}
			for k := range st.Conditions {
				c := &st.Conditions[k]
				if c.Missing {
					add(c.Key)
				}
				for name, values := range c.Variables {
					if len(values) == 0 {
						add(name)
					}
				}
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// variables lists the policy variables in a text.
func variables(text string) []string {
	var names []string
	for {
		_, after, found := strings.Cut(text, "${")
		if !found {
			return names
		}
		inside, rest, _ := strings.Cut(after, "}")
		name, _, _ := strings.Cut(inside, ",")
		if name = strings.TrimSpace(name); name != "*" && name != "?" && name != "$" {
			names = append(names, name)
		}
		text = rest
	}
}
