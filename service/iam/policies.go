package iam

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"sumun.dev/api/iamapi"
	"sumun.dev/policy"
)

// Totals of inline policies, in characters that are not white space.
// IAM User Guide, "IAM and AWS STS quotas", "IAM and STS character limits".
const (
	inlinePerUser = 2048
	inlinePerRole = 10_240
	trustLength   = 2048
	attachedMost  = 10
)

// putInline adds a document to the inline policies of a user or role.
func putInline(inline map[string]string, name, document, holder string, most int) (map[string]string, error) {
	if _, err := policy.Parse([]byte(document), policy.Identity); err != nil {
		return nil, err
	}
	next := maps.Clone(inline)
	if next == nil {
		next = map[string]string{}
	}
	next[name] = document
	size := 0
	for _, d := range next {
		size += visible(d)
	}
	if size > most {
		return nil, iamapi.LimitExceededException.New("Maximum policy size of %d bytes exceeded for %s", most, holder)
	}
	return next, nil
}

// visible counts the characters that IAM counts: all but white space.
func visible(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// encoded returns a document as IAM answers it: percent-encoded by RFC 3986.
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func (s *Service) putUserPolicy(ctx context.Context, in *iamapi.PutUserPolicyRequest) (*iamapi.PutUserPolicyResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if u.Inline, err = putInline(u.Inline, in.PolicyName, in.PolicyDocument, "user "+u.Name, inlinePerUser); err != nil {
		return nil, err
	}
	return &iamapi.PutUserPolicyResponse{}, s.putUser(ctx, u)
}

func (s *Service) getUserPolicy(ctx context.Context, in *iamapi.GetUserPolicyRequest) (*iamapi.GetUserPolicyResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	d, ok := u.Inline[in.PolicyName]
	if !ok {
		return nil, noPolicy("user", in.PolicyName)
	}
	return &iamapi.GetUserPolicyResponse{UserName: u.Name, PolicyName: in.PolicyName, PolicyDocument: encoded(d)}, nil
}

func (s *Service) listUserPolicies(ctx context.Context, in *iamapi.ListUserPoliciesRequest) (*iamapi.ListUserPoliciesResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := names(ctx, s, "ListUserPolicies", u.ID, slices.Sorted(maps.Keys(u.Inline)), in.Marker, in.MaxItems)
	return &iamapi.ListUserPoliciesResponse{PolicyNames: page, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) deleteUserPolicy(ctx context.Context, in *iamapi.DeleteUserPolicyRequest) (*iamapi.DeleteUserPolicyResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if _, ok := u.Inline[in.PolicyName]; !ok {
		return nil, noPolicy("user", in.PolicyName)
	}
	delete(u.Inline, in.PolicyName)
	return &iamapi.DeleteUserPolicyResponse{}, s.putUser(ctx, u)
}

func (s *Service) attachUserPolicy(ctx context.Context, in *iamapi.AttachUserPolicyRequest) (*iamapi.AttachUserPolicyResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if _, ok := managed[in.PolicyArn]; !ok {
		return nil, iamapi.NoSuchEntityException.New("Policy %s does not exist or is not attachable.", in.PolicyArn)
	}
	if slices.Contains(u.Attached, in.PolicyArn) {
		return &iamapi.AttachUserPolicyResponse{}, nil
	}
	if len(u.Attached) >= attachedMost {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for PoliciesPerUser: %d", attachedMost)
	}
	u.Attached = append(u.Attached, in.PolicyArn)
	return &iamapi.AttachUserPolicyResponse{}, s.putUser(ctx, u)
}

func (s *Service) detachUserPolicy(ctx context.Context, in *iamapi.DetachUserPolicyRequest) (*iamapi.DetachUserPolicyResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(u.Attached, in.PolicyArn) {
		return nil, iamapi.NoSuchEntityException.New("Policy %s was not found.", in.PolicyArn)
	}
	u.Attached = slices.DeleteFunc(u.Attached, func(a string) bool { return a == in.PolicyArn })
	return &iamapi.DetachUserPolicyResponse{}, s.putUser(ctx, u)
}

func (s *Service) listAttachedUserPolicies(ctx context.Context, in *iamapi.ListAttachedUserPoliciesRequest) (*iamapi.ListAttachedUserPoliciesResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	below := slices.DeleteFunc(slices.Sorted(slices.Values(u.Attached)), func(arn string) bool {
		path, _ := policyName(arn)
		return !strings.HasPrefix(path, pathPrefix(in.PathPrefix))
	})
	page, next, err := names(ctx, s, "ListAttachedUserPolicies", u.ID+pathPrefix(in.PathPrefix), below, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: []iamapi.AttachedPolicy{}, Marker: next, IsTruncated: new(next != nil)}
	for _, arn := range page {
		_, name := policyName(arn)
		out.AttachedPolicies = append(out.AttachedPolicies, iamapi.AttachedPolicy{PolicyArn: new(arn), PolicyName: new(name)})
	}
	return out, nil
}

// policyName returns the path and the name in the ARN of a managed policy.
func policyName(arn string) (path, name string) {
	_, rest, _ := strings.Cut(arn, ":policy")
	at := strings.LastIndexByte(rest, '/') + 1
	return rest[:at], rest[at:]
}

func noPolicy(of, name string) error {
	return iamapi.NoSuchEntityException.New("The %s policy with name %s cannot be found.", of, name)
}
