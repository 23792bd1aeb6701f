package iam

import (
	"context"

	"sumun.dev/api/iamapi"
	"sumun.dev/wire"
)

func (s *Service) attachmentRoutes() []wire.Route {
	return []wire.Route{
		iamapi.AttachUserPolicy.To(s.attachUserPolicy, touchAttached("iam:AttachUserPolicy", s.atUser, func(in *iamapi.AttachUserPolicyRequest) (string, string) { return in.UserName, in.PolicyArn })),
		iamapi.DetachUserPolicy.To(s.detachUserPolicy, touchAttached("iam:DetachUserPolicy", s.atUser, func(in *iamapi.DetachUserPolicyRequest) (string, string) { return in.UserName, in.PolicyArn })),
		iamapi.ListAttachedUserPolicies.To(s.listAttachedUserPolicies, touchUser("iam:ListAttachedUserPolicies", s, func(in *iamapi.ListAttachedUserPoliciesRequest) *string { return &in.UserName })),

		iamapi.AttachGroupPolicy.To(s.attachGroupPolicy, touchAttached("iam:AttachGroupPolicy", s.atGroup, func(in *iamapi.AttachGroupPolicyRequest) (string, string) { return in.GroupName, in.PolicyArn })),
		iamapi.DetachGroupPolicy.To(s.detachGroupPolicy, touchAttached("iam:DetachGroupPolicy", s.atGroup, func(in *iamapi.DetachGroupPolicyRequest) (string, string) { return in.GroupName, in.PolicyArn })),
		iamapi.ListAttachedGroupPolicies.To(s.listAttachedGroupPolicies, touchGroup("iam:ListAttachedGroupPolicies", s, func(in *iamapi.ListAttachedGroupPoliciesRequest) string { return in.GroupName })),

		iamapi.AttachRolePolicy.To(s.attachRolePolicy, touchAttached("iam:AttachRolePolicy", s.atRole, func(in *iamapi.AttachRolePolicyRequest) (string, string) { return in.RoleName, in.PolicyArn })),
		iamapi.DetachRolePolicy.To(s.detachRolePolicy, touchAttached("iam:DetachRolePolicy", s.atRole, func(in *iamapi.DetachRolePolicyRequest) (string, string) { return in.RoleName, in.PolicyArn })),
		iamapi.ListAttachedRolePolicies.To(s.listAttachedRolePolicies, touchRole("iam:ListAttachedRolePolicies", s, func(in *iamapi.ListAttachedRolePoliciesRequest) string { return in.RoleName })),
	}
}

func (s *Service) attachUserPolicy(ctx context.Context, in *iamapi.AttachUserPolicyRequest) (*iamapi.AttachUserPolicyResponse, error) {
	return &iamapi.AttachUserPolicyResponse{}, finder(s.userEntity).attach(ctx, s, in.UserName, in.PolicyArn)
}

func (s *Service) attachGroupPolicy(ctx context.Context, in *iamapi.AttachGroupPolicyRequest) (*iamapi.AttachGroupPolicyResponse, error) {
	return &iamapi.AttachGroupPolicyResponse{}, finder(s.groupEntity).attach(ctx, s, in.GroupName, in.PolicyArn)
}

func (s *Service) attachRolePolicy(ctx context.Context, in *iamapi.AttachRolePolicyRequest) (*iamapi.AttachRolePolicyResponse, error) {
	return &iamapi.AttachRolePolicyResponse{}, finder(s.roleEntity).attach(ctx, s, in.RoleName, in.PolicyArn)
}

func (s *Service) detachUserPolicy(ctx context.Context, in *iamapi.DetachUserPolicyRequest) (*iamapi.DetachUserPolicyResponse, error) {
	return &iamapi.DetachUserPolicyResponse{}, finder(s.userEntity).detach(ctx, in.UserName, in.PolicyArn)
}

func (s *Service) detachGroupPolicy(ctx context.Context, in *iamapi.DetachGroupPolicyRequest) (*iamapi.DetachGroupPolicyResponse, error) {
	return &iamapi.DetachGroupPolicyResponse{}, finder(s.groupEntity).detach(ctx, in.GroupName, in.PolicyArn)
}

func (s *Service) detachRolePolicy(ctx context.Context, in *iamapi.DetachRolePolicyRequest) (*iamapi.DetachRolePolicyResponse, error) {
	return &iamapi.DetachRolePolicyResponse{}, finder(s.roleEntity).detach(ctx, in.RoleName, in.PolicyArn)
}

func (s *Service) listAttachedUserPolicies(ctx context.Context, in *iamapi.ListAttachedUserPoliciesRequest) (*iamapi.ListAttachedUserPoliciesResponse, error) {
	all, next, err := finder(s.userEntity).attached(ctx, s, "ListAttachedUserPolicies", in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: all, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) listAttachedGroupPolicies(ctx context.Context, in *iamapi.ListAttachedGroupPoliciesRequest) (*iamapi.ListAttachedGroupPoliciesResponse, error) {
	all, next, err := finder(s.groupEntity).attached(ctx, s, "ListAttachedGroupPolicies", in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: all, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) listAttachedRolePolicies(ctx context.Context, in *iamapi.ListAttachedRolePoliciesRequest) (*iamapi.ListAttachedRolePoliciesResponse, error) {
	all, next, err := finder(s.roleEntity).attached(ctx, s, "ListAttachedRolePolicies", in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedRolePoliciesResponse{AttachedPolicies: all, Marker: next, IsTruncated: new(next != nil)}, err
}
