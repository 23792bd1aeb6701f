package iam

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

func (s *Service) simulatorRoutes() []wire.Route {
	return []wire.Route{
		iamapi.SimulatePrincipalPolicy.To(s.simulatePrincipalPolicy, touchSource("iam:SimulatePrincipalPolicy", s, func(in *iamapi.SimulatePrincipalPolicyRequest) string { return in.PolicySourceArn })),
		iamapi.SimulateCustomPolicy.To(s.simulateCustomPolicy, touchAll[iamapi.SimulateCustomPolicyRequest]("iam:SimulateCustomPolicy")),
		iamapi.GetContextKeysForPrincipalPolicy.To(s.getContextKeysForPrincipalPolicy, touchSource("iam:GetContextKeysForPrincipalPolicy", s, func(in *iamapi.GetContextKeysForPrincipalPolicyRequest) string { return in.PolicySourceArn })),
		iamapi.GetContextKeysForCustomPolicy.To(s.getContextKeysForCustomPolicy, touchAll[iamapi.GetContextKeysForCustomPolicyRequest]("iam:GetContextKeysForCustomPolicy")),
	}
}

// A simulation is what is asked of the evaluator, again for each action and
// resource. It has no rules of its own: policy.Explain decides, as for the gate.
type simulation struct {
	principal *aws.Principal
	home      aws.Account // that asks
	owner     aws.Account // of resources whose ARN names no account
	context   policy.Map
	policies  policy.Policies
	user      string // whose inline policies are a user's own
	resource  string // the resource policy's text; empty for none
	member    bool   // what the organisation says is part of the answer

	membership func(aws.Account) (*policy.Membership, error)
}

// asked is what both operations are asked.
type asked struct {
	policies, boundaries, actions, resources []string
	resourcePolicy, owner, caller, option    *string
	entries                                  []iamapi.ContextEntry
	marker                                   *string
	most                                     *int32
}

func invalid(format string, args ...any) error {
	return iamapi.InvalidInputException.New(format, args...)
}

func (s *Service) simulateCustomPolicy(ctx context.Context, in *iamapi.SimulateCustomPolicyRequest) (*iamapi.SimulatePolicyResponse, error) {
	a := &asked{
		policies: in.PolicyInputList, boundaries: in.PermissionsBoundaryPolicyInputList, actions: in.ActionNames, resources: in.ResourceArns,
		resourcePolicy: in.ResourcePolicy, owner: in.ResourceOwner, caller: in.CallerArn, option: in.ResourceHandlingOption, entries: in.ContextEntries, marker: in.Marker, most: in.MaxItems,
	}
	if a.resourcePolicy != nil && a.caller == nil {
		return nil, invalid("CallerArn must be specified with ResourcePolicy.")
	}
	// Somebody of the account of whom nothing else is known.
	sim := &simulation{principal: &aws.Principal{Kind: aws.User, Account: aws.CallOf(ctx).Account}}
	return s.simulate(ctx, sim, a)
}

func (s *Service) simulatePrincipalPolicy(ctx context.Context, in *iamapi.SimulatePrincipalPolicyRequest) (*iamapi.SimulatePolicyResponse, error) {
	a := &asked{
		policies: in.PolicyInputList, boundaries: in.PermissionsBoundaryPolicyInputList, actions: in.ActionNames, resources: in.ResourceArns,
		resourcePolicy: in.ResourcePolicy, owner: in.ResourceOwner, caller: in.CallerArn, option: in.ResourceHandlingOption, entries: in.ContextEntries, marker: in.Marker, most: in.MaxItems,
	}
	src, err := s.source(ctx, in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	if a.resourcePolicy != nil && a.caller == nil && src.kind != "user" {
		return nil, invalid("CallerArn must be specified with ResourcePolicy unless PolicySourceArn is the ARN of a user.")
	}
	sim := &simulation{principal: src.principal, policies: *src.policies, user: src.user, member: true}
	return s.simulate(ctx, sim, a)
}

// simulate puts together what is the same for both, and evaluates the page that
// is asked for.
func (s *Service) simulate(ctx context.Context, sim *simulation, a *asked) (*iamapi.SimulatePolicyResponse, error) {
	if err := sim.take(ctx, a); err != nil {
		return nil, err
	}
	sim.home = aws.CallOf(ctx).Account
	sim.membership = func(account aws.Account) (*policy.Membership, error) { return s.standing(ctx, account) }
	resources := a.resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	bind, err := a.bind(ctx)
	if err != nil {
		return nil, err
	}
	at := 0
	if a.marker != nil {
		text, err := s.env.Store.OpenToken(bind, *a.marker)
		if err != nil {
			return nil, errMarker.New("Invalid Marker.")
		}
		if at, err = strconv.Atoi(text); err != nil {
			return nil, err
		}
	}
	all := len(a.actions) * len(resources)
	end := min(all, at+int(or(a.most, defaultPage)))
	out := &iamapi.SimulatePolicyResponse{EvaluationResults: []iamapi.EvaluationResult{}, IsTruncated: new(end < all)}
	for ; at < end; at++ {
		r, err := sim.evaluate(a.actions[at/len(resources)], resources[at%len(resources)], len(a.resources) > 0)
		if err != nil {
			return nil, err
		}
		out.EvaluationResults = append(out.EvaluationResults, *r)
	}
	if end < all {
		out.Marker = new(s.env.Store.NextToken(bind, strconv.Itoa(end)))
	}
	return out, nil
}

// bind holds a marker to the account and to what was asked.
func (a *asked) bind(ctx context.Context) ([]string, error) {
	text, err := json.Marshal([]any{a.policies, a.boundaries, a.actions, a.resources, a.resourcePolicy, a.owner, a.caller, a.option, a.entries})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return []string{"iam:Simulate", string(aws.CallOf(ctx).Account), hex.EncodeToString(sum[:])}, nil
}

// take checks what is asked and adds it to the simulation.
func (sim *simulation) take(ctx context.Context, a *asked) error {
	for _, action := range a.actions {
		service, name, ok := strings.Cut(action, ":")
		if !ok || service == "" || name == "" || strings.ContainsAny(action, "*? ") {
			return invalid("Invalid action: %s", action)
		}
	}
	for _, r := range a.resources {
		if _, err := aws.ParseARN(r); err != nil && r != "*" {
			return invalid("Invalid resource ARN: %s", r)
		}
	}
	if err := sim.addPolicies(a); err != nil {
		return err
	}
	if a.caller != nil {
		if err := sim.as(*a.caller); err != nil {
			return err
		}
	}
	sim.owner = sim.principal.Account
	if a.owner != nil {
		owner, err := accountOf(*a.owner)
		if err != nil {
			return err
		}
		sim.owner = owner
	}
	if err := checkOption(a); err != nil {
		return err
	}
	var err error
	sim.context, err = entries(a.entries)
	return err
}

func (sim *simulation) addPolicies(a *asked) error {
	for i, text := range a.policies {
		p, err := given(text, "PolicyInputList", i)
		if err != nil {
			return err
		}
		// The list that the gate shares is not to be written into.
		sim.policies.Identity = append(sim.policies.Identity[:len(sim.policies.Identity):len(sim.policies.Identity)], p)
	}
	if len(a.boundaries) > 1 {
		return invalid("Only one policy can be specified in PermissionsBoundaryPolicyInputList.")
	}
	for i, text := range a.boundaries {
		p, err := given(text, "PermissionsBoundaryPolicyInputList", i)
		if err != nil {
			return err
		}
		sim.policies.Boundary = p
	}
	if a.resourcePolicy != nil {
		sim.resource = *a.resourcePolicy
		if _, err := policy.Parse([]byte(sim.resource), policy.Resource); err != nil {
			return invalid("Invalid ResourcePolicy: %s", sentence(err))
		}
	}
	return nil
}

// given reads a policy of the request; it is known as "PolicyInputList.1".
func given(text, list string, i int) (*policy.Attached, error) {
	name := list + "." + strconv.Itoa(i+1)
	d, err := policy.Parse([]byte(text), policy.Identity)
	if err != nil {
		return nil, invalid("Invalid policy in %s: %s", name, sentence(err))
	}
	return &policy.Attached{Document: d, Source: name}, nil
}

// sentence is an error's message without its code.
func sentence(err error) string {
	_, after, ok := strings.Cut(err.Error(), ": ")
	if !ok {
		return err.Error()
	}
	return after
}

// as makes the simulated caller the user with this ARN.
func (sim *simulation) as(caller string) error {
	p, err := policy.PrincipalOf(caller, "")
	if err != nil || p.Kind != aws.User {
		return invalid("Invalid CallerArn: %s is not the ARN of a user.", caller)
	}
	if p.ARN == sim.principal.ARN {
		return nil // its tags and unique id are known
	}
	sim.principal = p
	return nil
}

// accountOf reads the owner of resources: an account's id, or its ARN.
func accountOf(owner string) (aws.Account, error) {
	if arn, err := aws.ParseARN(owner); err == nil {
		owner = string(arn.Account)
	}
	if len(owner) != 12 || strings.Trim(owner, "0123456789") != "" {
		return "", invalid("Invalid ResourceOwner: it must be an account.")
	}
	return aws.Account(owner), nil
}
