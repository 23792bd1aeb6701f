package iam

import (
	"context"
	"fmt"
	"slices"

	"sumun.dev/api/iamapi"
	"sumun.dev/wire"
)

// versionsMost is IAM's limit for one policy. IAM User Guide, "Versioning IAM policies".
const versionsMost = 5

func (s *Service) versionRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreatePolicyVersion.To(s.createPolicyVersion, touchPolicy("iam:CreatePolicyVersion", s, func(in *iamapi.CreatePolicyVersionRequest) string { return in.PolicyArn })),
		iamapi.GetPolicyVersion.To(s.getPolicyVersion, touchPolicy("iam:GetPolicyVersion", s, func(in *iamapi.GetPolicyVersionRequest) string { return in.PolicyArn })),
		iamapi.ListPolicyVersions.To(s.listPolicyVersions, touchPolicy("iam:ListPolicyVersions", s, func(in *iamapi.ListPolicyVersionsRequest) string { return in.PolicyArn })),
		iamapi.SetDefaultPolicyVersion.To(s.setDefaultPolicyVersion, touchPolicy("iam:SetDefaultPolicyVersion", s, func(in *iamapi.SetDefaultPolicyVersionRequest) string { return in.PolicyArn })),
		iamapi.DeletePolicyVersion.To(s.deletePolicyVersion, touchPolicy("iam:DeletePolicyVersion", s, func(in *iamapi.DeletePolicyVersionRequest) string { return in.PolicyArn })),
	}
}

func (s *Service) createPolicyVersion(ctx context.Context, in *iamapi.CreatePolicyVersionRequest) (*iamapi.CreatePolicyVersionResponse, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if err := checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	if len(p.Versions) >= versionsMost {
		return nil, iamapi.LimitExceededException.New("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", versionsMost)
	}
	p.Last++
	v := version{Number: p.Last, Document: in.PolicyDocument, Created: now()}
	p.Versions = append(p.Versions, v)
	p.Updated = v.Created
	if in.SetAsDefault != nil && *in.SetAsDefault {
		p.Default = v.Number
	}
	if err := count(ctx, s.totals, versionsQuota, p.Name, 1); err != nil {
		return nil, err
	}
	shown := shownVersion(p, &v)
	shown.Document = nil // CreatePolicyVersion does not return it
	return &iamapi.CreatePolicyVersionResponse{PolicyVersion: shown}, s.putPolicy(ctx, p)
}

func noSuchVersion(arn, id string) error {
	return iamapi.NoSuchEntityException.New("Policy %s version %s does not exist or is not attachable.", arn, id)
}

func (s *Service) getPolicyVersion(ctx context.Context, in *iamapi.GetPolicyVersionRequest) (*iamapi.GetPolicyVersionResponse, error) {
	if p := s.aws.Find(in.PolicyArn); p != nil {
		if in.VersionId != p.Version {
			return nil, noSuchVersion(in.PolicyArn, in.VersionId)
		}
		document, err := s.aws.Document(p)
		if err != nil {
			return nil, err
		}
		return &iamapi.GetPolicyVersionResponse{PolicyVersion: &iamapi.PolicyVersion{
			Document: new(encoded(document)), VersionId: new(p.Version), IsDefaultVersion: new(true), CreateDate: new(p.Updated),
		}}, nil
	}
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v := p.version(in.VersionId)
	if v == nil {
		return nil, noSuchVersion(in.PolicyArn, in.VersionId)
	}
	return &iamapi.GetPolicyVersionResponse{PolicyVersion: shownVersion(p, v)}, nil
}

// listPolicyVersions shows the newest first, as AWS does.
func (s *Service) listPolicyVersions(ctx context.Context, in *iamapi.ListPolicyVersionsRequest) (*iamapi.ListPolicyVersionsResponse, error) {
	var all []iamapi.PolicyVersion
	if p := s.aws.Find(in.PolicyArn); p != nil {
		all = append(all, iamapi.PolicyVersion{VersionId: new(p.Version), IsDefaultVersion: new(true), CreateDate: new(p.Updated)})
	} else {
		p, err := s.policy(ctx, in.PolicyArn)
		if err != nil {
			return nil, err
		}
		all = shownVersions(p)
		for i := range all {
			all[i].Document = nil // ListPolicyVersions does not return it
		}
	}
	out := &iamapi.ListPolicyVersionsResponse{Versions: []iamapi.PolicyVersion{}}
	place := map[string]int{}
	for i := range all {
		place[*all[i].VersionId] = i
	}
	next, err := pages(ctx, s, []string{"ListPolicyVersions", in.PolicyArn}, in.Marker, in.MaxItems,
		sorted(all, func(v iamapi.PolicyVersion) string { return fmt.Sprintf("%03d", place[*v.VersionId]) }, func(v iamapi.PolicyVersion) bool {
			out.Versions = append(out.Versions, v)
			return true
		}))
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

func (s *Service) setDefaultPolicyVersion(ctx context.Context, in *iamapi.SetDefaultPolicyVersionRequest) (*iamapi.SetDefaultPolicyVersionResponse, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v := p.version(in.VersionId)
	if v == nil {
		return nil, noSuchVersion(in.PolicyArn, in.VersionId)
	}
	p.Default, p.Updated = v.Number, now()
	return &iamapi.SetDefaultPolicyVersionResponse{}, s.putPolicy(ctx, p)
}

func (s *Service) deletePolicyVersion(ctx context.Context, in *iamapi.DeletePolicyVersionRequest) (*iamapi.DeletePolicyVersionResponse, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v := p.version(in.VersionId)
	if v == nil {
		return nil, noSuchVersion(in.PolicyArn, in.VersionId)
	}
	if v.Number == p.Default {
		return nil, iamapi.DeleteConflictException.New("Cannot delete the default version of a policy.")
	}
	number := v.Number
	p.Versions = slices.DeleteFunc(p.Versions, func(v version) bool { return v.Number == number })
	if err := count(ctx, s.totals, versionsQuota, p.Name, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeletePolicyVersionResponse{}, s.putPolicy(ctx, p)
}

// shownVersions returns a policy's versions, the newest first.
func shownVersions(p *managedPolicy) []iamapi.PolicyVersion {
	var all []iamapi.PolicyVersion
	for i := range slices.Backward(p.Versions) {
		all = append(all, *shownVersion(p, &p.Versions[i]))
	}
	return all
}

func shownVersion(p *managedPolicy, v *version) *iamapi.PolicyVersion {
	return &iamapi.PolicyVersion{Document: new(encoded(v.Document)), VersionId: new(v.id()), IsDefaultVersion: new(v.Number == p.Default), CreateDate: new(v.Created)}
}
