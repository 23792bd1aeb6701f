package iam

import (
	"context"

	"sumun.dev/api/iamapi"
	"sumun.dev/wire"
)

func (s *Service) tagRoutes() []wire.Route {
	return []wire.Route{
		iamapi.TagUser.To(s.tagUser, touchTagging("iam:TagUser", s.atUser, func(in *iamapi.TagUserRequest) (string, []iamapi.Tag) { return in.UserName, in.Tags })),
		iamapi.UntagUser.To(s.untagUser, touchUntagging("iam:UntagUser", s.atUser, func(in *iamapi.UntagUserRequest) (string, []string) { return in.UserName, in.TagKeys })),
		iamapi.ListUserTags.To(s.listUserTags, touchUser("iam:ListUserTags", s, func(in *iamapi.ListUserTagsRequest) *string { return &in.UserName })),

		iamapi.TagRole.To(s.tagRole, touchTagging("iam:TagRole", s.atRole, func(in *iamapi.TagRoleRequest) (string, []iamapi.Tag) { return in.RoleName, in.Tags })),
		iamapi.UntagRole.To(s.untagRole, touchUntagging("iam:UntagRole", s.atRole, func(in *iamapi.UntagRoleRequest) (string, []string) { return in.RoleName, in.TagKeys })),
		iamapi.ListRoleTags.To(s.listRoleTags, touchRole("iam:ListRoleTags", s, func(in *iamapi.ListRoleTagsRequest) string { return in.RoleName })),

		iamapi.TagPolicy.To(s.tagPolicy, touchTagging("iam:TagPolicy", s.atPolicy, func(in *iamapi.TagPolicyRequest) (string, []iamapi.Tag) { return in.PolicyArn, in.Tags })),
		iamapi.UntagPolicy.To(s.untagPolicy, touchUntagging("iam:UntagPolicy", s.atPolicy, func(in *iamapi.UntagPolicyRequest) (string, []string) { return in.PolicyArn, in.TagKeys })),
		iamapi.ListPolicyTags.To(s.listPolicyTags, touchPolicy("iam:ListPolicyTags", s, func(in *iamapi.ListPolicyTagsRequest) string { return in.PolicyArn })),

		iamapi.TagInstanceProfile.To(s.tagInstanceProfile, touchTagging("iam:TagInstanceProfile", s.atProfile, func(in *iamapi.TagInstanceProfileRequest) (string, []iamapi.Tag) {
			return in.InstanceProfileName, in.Tags
		})),
		iamapi.UntagInstanceProfile.To(s.untagInstanceProfile, touchUntagging("iam:UntagInstanceProfile", s.atProfile, func(in *iamapi.UntagInstanceProfileRequest) (string, []string) {
			return in.InstanceProfileName, in.TagKeys
		})),
		iamapi.ListInstanceProfileTags.To(s.listInstanceProfileTags, touchProfile("iam:ListInstanceProfileTags", s, func(in *iamapi.ListInstanceProfileTagsRequest) string { return in.InstanceProfileName })),
	}
}

func (s *Service) tagUser(ctx context.Context, in *iamapi.TagUserRequest) (*iamapi.TagUserResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if u.Tags, err = retagged(u.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagUserResponse{}, s.putUser(ctx, u)
}

func (s *Service) untagUser(ctx context.Context, in *iamapi.UntagUserRequest) (*iamapi.UntagUserResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	u.Tags = untagged(u.Tags, in.TagKeys)
	return &iamapi.UntagUserResponse{}, s.putUser(ctx, u)
}

func (s *Service) listUserTags(ctx context.Context, in *iamapi.ListUserTagsRequest) (*iamapi.ListUserTagsResponse, error) {
	u, err := s.user(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListUserTags", u.ID, u.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListUserTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) tagRole(ctx context.Context, in *iamapi.TagRoleRequest) (*iamapi.TagRoleResponse, error) {
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Tags, err = retagged(r.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagRoleResponse{}, s.putRole(ctx, r)
}

func (s *Service) untagRole(ctx context.Context, in *iamapi.UntagRoleRequest) (*iamapi.UntagRoleResponse, error) {
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	r.Tags = untagged(r.Tags, in.TagKeys)
	return &iamapi.UntagRoleResponse{}, s.putRole(ctx, r)
}

func (s *Service) listRoleTags(ctx context.Context, in *iamapi.ListRoleTagsRequest) (*iamapi.ListRoleTagsResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListRoleTags", r.ID, r.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListRoleTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) tagPolicy(ctx context.Context, in *iamapi.TagPolicyRequest) (*iamapi.TagPolicyResponse, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = retagged(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagPolicyResponse{}, s.putPolicy(ctx, p)
}

func (s *Service) untagPolicy(ctx context.Context, in *iamapi.UntagPolicyRequest) (*iamapi.UntagPolicyResponse, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	p.Tags = untagged(p.Tags, in.TagKeys)
	return &iamapi.UntagPolicyResponse{}, s.putPolicy(ctx, p)
}

func (s *Service) listPolicyTags(ctx context.Context, in *iamapi.ListPolicyTagsRequest) (*iamapi.ListPolicyTagsResponse, error) {
	if s.aws.Find(in.PolicyArn) != nil {
		return &iamapi.ListPolicyTagsResponse{Tags: []iamapi.Tag{}, IsTruncated: new(false)}, nil
	}
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListPolicyTags", p.ID, p.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListPolicyTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) tagInstanceProfile(ctx context.Context, in *iamapi.TagInstanceProfileRequest) (*iamapi.TagInstanceProfileResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = retagged(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagInstanceProfileResponse{}, s.putProfile(ctx, p)
}

func (s *Service) untagInstanceProfile(ctx context.Context, in *iamapi.UntagInstanceProfileRequest) (*iamapi.UntagInstanceProfileResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	p.Tags = untagged(p.Tags, in.TagKeys)
	return &iamapi.UntagInstanceProfileResponse{}, s.putProfile(ctx, p)
}

func (s *Service) listInstanceProfileTags(ctx context.Context, in *iamapi.ListInstanceProfileTagsRequest) (*iamapi.ListInstanceProfileTagsResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListInstanceProfileTags", p.ID, p.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListInstanceProfileTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}
