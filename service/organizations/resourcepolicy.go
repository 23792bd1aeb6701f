package organizations

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// A resourcePolicy is the organisation's own: it delegates to member accounts.
// Organizations User Guide, "Delegated administrator for AWS Organizations".
type resourcePolicy struct {
	ID, Content string
	Tags        []tag `json:",omitempty"`
}

const refResourcePolicy = "rp-"

// delegable are the actions that the policy may delegate besides reading.
var delegable = [...]string{
	"attachpolicy", "createpolicy", "deletepolicy", "detachpolicy", "disablepolicytype", "enablepolicytype", "tagresource", "untagresource", "updatepolicy",
}

func (s *Service) putResourcePolicy(ctx context.Context, in *organizationsapi.PutResourcePolicyRequest) (*organizationsapi.PutResourcePolicyResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.allFeatures(); err != nil {
		return nil, err
	}
	if err := checkDelegation(in.Content); err != nil {
		return nil, err
	}
	switch {
	case o.Policy == nil:
		tags, err := tagged(nil, in.Tags)
		if err != nil {
			return nil, err
		}
		o.Policy = &resourcePolicy{ID: newID(refResourcePolicy, 8), Tags: tags}
	case len(in.Tags) > 0:
		return nil, invalid(organizationsapi.InvalidInputExceptionReasonInvalidSystemTagsParameter,
			"You can't add tags when you update a resource policy; use TagResource.")
	}
	o.Policy.Content = in.Content
	return &organizationsapi.PutResourcePolicyResponse{ResourcePolicy: o.shownResourcePolicy()}, s.put(ctx, o)
}

// checkDelegation holds a resource policy to the language, and to what can be delegated.
func checkDelegation(content string) error {
	// An older version's variables would come to life beside AWS's own leave.
	if d, err := policy.Parse([]byte(content), policy.Resource); err != nil || d.Version != "2012-10-17" {
		return invalid(organizationsapi.InvalidInputExceptionReasonInvalidResourcePolicyJson, "The resource policy JSON isn't valid.")
	}
	statements, err := statementsOf(content)
	if err != nil {
		return err
	}
	for _, st := range statements {
		if st.NotAction != nil {
			return undelegable()
		}
		for _, action := range st.Action {
			if !mayDelegate(strings.ToLower(action)) {
				return undelegable()
			}
		}
	}
	return nil
}

func undelegable() error {
	return invalid(organizationsapi.InvalidInputExceptionReasonUnsupportedActionInResourcePolicy,
		"The resource policy contains an action that is not supported.")
}

func mayDelegate(action string) bool {
	name, ours := strings.CutPrefix(action, "organizations:")
	if !ours {
		return false
	}
	if slices.Contains(delegable[:], name) {
		return true
	}
	return strings.HasPrefix(name, "describe") || strings.HasPrefix(name, "list")
}

// oneOrMany is a list that may be written as its only element.
type oneOrMany []string

// UnmarshalJSON reads a string or a list of them.
func (l *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

type delegating struct{ Action, NotAction oneOrMany }

// statementsOf reads what a valid document's statements are about.
func statementsOf(content string) ([]delegating, error) {
	var doc struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(content), &doc); err != nil {
		return nil, err
	}
	var many []delegating
	if json.Unmarshal(doc.Statement, &many) == nil {
		return many, nil
	}
	var one delegating
	err := json.Unmarshal(doc.Statement, &one)
	return []delegating{one}, err
}

func noResourcePolicy() error {
	return organizationsapi.ResourcePolicyNotFoundException.New("You specified a resource policy that doesn't exist.")
}

func (s *Service) describeResourcePolicy(ctx context.Context, _ *organizationsapi.DescribeResourcePolicyRequest) (*organizationsapi.DescribeResourcePolicyResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	if o.Policy == nil {
		return nil, noResourcePolicy()
	}
	return &organizationsapi.DescribeResourcePolicyResponse{ResourcePolicy: o.shownResourcePolicy()}, nil
}

func (s *Service) deleteResourcePolicy(ctx context.Context, _ *organizationsapi.DeleteResourcePolicyRequest) (*organizationsapi.DeleteResourcePolicyResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if o.Policy == nil {
		return nil, noResourcePolicy()
	}
	o.Policy = nil
	return &organizationsapi.DeleteResourcePolicyResponse{}, s.put(ctx, o)
}

func (o *organization) shownResourcePolicy() *organizationsapi.ResourcePolicy {
	return &organizationsapi.ResourcePolicy{Content: &o.Policy.Content, ResourcePolicySummary: &organizationsapi.ResourcePolicySummary{
		Id: &o.Policy.ID, Arn: new(o.arn("resourcepolicy", o.Policy.ID).String()),
	}}
}

func (s *Service) newResourcePolicy(ctx context.Context, in *organizationsapi.PutResourcePolicyRequest) ([]wire.Touch, error) {
	o, err := s.ownOrNowhere(ctx)
	if err != nil {
		return nil, err
	}
	id := refResourcePolicy + "*" // not known yet
	if o.Policy != nil {
		id = o.Policy.ID
	}
	touches, err := s.tagging(ctx, "organizations:PutResourcePolicy", nil, in.Tags)
	for i := range touches {
		touches[i].Resource = o.arn("resourcepolicy", id)
	}
	return touches, err
}
