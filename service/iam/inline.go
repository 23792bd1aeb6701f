package iam

import (
	"context"
	"net/url"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/wire"
)

func (s *Service) inlineRoutes() []wire.Route {
	return []wire.Route{
		iamapi.PutUserPolicy.To(s.putUserPolicy, touchBounded("iam:PutUserPolicy", s.atUser, func(in *iamapi.PutUserPolicyRequest) string { return in.UserName })),
		iamapi.GetUserPolicy.To(s.getUserPolicy, touchUser("iam:GetUserPolicy", s, func(in *iamapi.GetUserPolicyRequest) *string { return &in.UserName })),
		iamapi.ListUserPolicies.To(s.listUserPolicies, touchUser("iam:ListUserPolicies", s, func(in *iamapi.ListUserPoliciesRequest) *string { return &in.UserName })),
		iamapi.DeleteUserPolicy.To(s.deleteUserPolicy, touchBounded("iam:DeleteUserPolicy", s.atUser, func(in *iamapi.DeleteUserPolicyRequest) string { return in.UserName })),

		iamapi.PutGroupPolicy.To(s.putGroupPolicy, touchGroup("iam:PutGroupPolicy", s, func(in *iamapi.PutGroupPolicyRequest) string { return in.GroupName })),
		iamapi.GetGroupPolicy.To(s.getGroupPolicy, touchGroup("iam:GetGroupPolicy", s, func(in *iamapi.GetGroupPolicyRequest) string { return in.GroupName })),
		iamapi.ListGroupPolicies.To(s.listGroupPolicies, touchGroup("iam:ListGroupPolicies", s, func(in *iamapi.ListGroupPoliciesRequest) string { return in.GroupName })),
		iamapi.DeleteGroupPolicy.To(s.deleteGroupPolicy, touchGroup("iam:DeleteGroupPolicy", s, func(in *iamapi.DeleteGroupPolicyRequest) string { return in.GroupName })),

		iamapi.PutRolePolicy.To(s.putRolePolicy, touchBounded("iam:PutRolePolicy", s.atRole, func(in *iamapi.PutRolePolicyRequest) string { return in.RoleName })),
		iamapi.GetRolePolicy.To(s.getRolePolicy, touchRole("iam:GetRolePolicy", s, func(in *iamapi.GetRolePolicyRequest) string { return in.RoleName })),
		iamapi.ListRolePolicies.To(s.listRolePolicies, touchRole("iam:ListRolePolicies", s, func(in *iamapi.ListRolePoliciesRequest) string { return in.RoleName })),
		iamapi.DeleteRolePolicy.To(s.deleteRolePolicy, touchBounded("iam:DeleteRolePolicy", s.atRole, func(in *iamapi.DeleteRolePolicyRequest) string { return in.RoleName })),
	}
}

// encoded returns a document as IAM answers it: percent-encoded by RFC 3986.
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func (s *Service) putUserPolicy(ctx context.Context, in *iamapi.PutUserPolicyRequest) (*iamapi.PutUserPolicyResponse, error) {
	return &iamapi.PutUserPolicyResponse{}, finder(s.userEntity).put(ctx, in.UserName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) putGroupPolicy(ctx context.Context, in *iamapi.PutGroupPolicyRequest) (*iamapi.PutGroupPolicyResponse, error) {
	return &iamapi.PutGroupPolicyResponse{}, finder(s.groupEntity).put(ctx, in.GroupName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) putRolePolicy(ctx context.Context, in *iamapi.PutRolePolicyRequest) (*iamapi.PutRolePolicyResponse, error) {
	return &iamapi.PutRolePolicyResponse{}, finder(s.roleEntity).put(ctx, in.RoleName, in.PolicyName, in.PolicyDocument)
}

func (s *Service) getUserPolicy(ctx context.Context, in *iamapi.GetUserPolicyRequest) (*iamapi.GetUserPolicyResponse, error) {
	e, document, err := finder(s.userEntity).inline(ctx, in.UserName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetUserPolicyResponse{UserName: e.name, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
}

func (s *Service) getGroupPolicy(ctx context.Context, in *iamapi.GetGroupPolicyRequest) (*iamapi.GetGroupPolicyResponse, error) {
	e, document, err := finder(s.groupEntity).inline(ctx, in.GroupName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetGroupPolicyResponse{GroupName: e.name, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
}

func (s *Service) getRolePolicy(ctx context.Context, in *iamapi.GetRolePolicyRequest) (*iamapi.GetRolePolicyResponse, error) {
	e, document, err := finder(s.roleEntity).inline(ctx, in.RoleName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetRolePolicyResponse{RoleName: e.name, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
}

func (s *Service) listUserPolicies(ctx context.Context, in *iamapi.ListUserPoliciesRequest) (*iamapi.ListUserPoliciesResponse, error) {
	page, next, err := finder(s.userEntity).inlineNames(ctx, s, "ListUserPolicies", in.UserName, in.Marker, in.MaxItems)
	return &iamapi.ListUserPoliciesResponse{PolicyNames: page, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) listGroupPolicies(ctx context.Context, in *iamapi.ListGroupPoliciesRequest) (*iamapi.ListGroupPoliciesResponse, error) {
	page, next, err := finder(s.groupEntity).inlineNames(ctx, s, "ListGroupPolicies", in.GroupName, in.Marker, in.MaxItems)
	return &iamapi.ListGroupPoliciesResponse{PolicyNames: page, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) listRolePolicies(ctx context.Context, in *iamapi.ListRolePoliciesRequest) (*iamapi.ListRolePoliciesResponse, error) {
	page, next, err := finder(s.roleEntity).inlineNames(ctx, s, "ListRolePolicies", in.RoleName, in.Marker, in.MaxItems)
	return &iamapi.ListRolePoliciesResponse{PolicyNames: page, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) deleteUserPolicy(ctx context.Context, in *iamapi.DeleteUserPolicyRequest) (*iamapi.DeleteUserPolicyResponse, error) {
	return &iamapi.DeleteUserPolicyResponse{}, finder(s.userEntity).remove(ctx, in.UserName, in.PolicyName)
}

func (s *Service) deleteGroupPolicy(ctx context.Context, in *iamapi.DeleteGroupPolicyRequest) (*iamapi.DeleteGroupPolicyResponse, error) {
	return &iamapi.DeleteGroupPolicyResponse{}, finder(s.groupEntity).remove(ctx, in.GroupName, in.PolicyName)
}

func (s *Service) deleteRolePolicy(ctx context.Context, in *iamapi.DeleteRolePolicyRequest) (*iamapi.DeleteRolePolicyResponse, error) {
	return &iamapi.DeleteRolePolicyResponse{}, finder(s.roleEntity).remove(ctx, in.RoleName, in.PolicyName)
}
