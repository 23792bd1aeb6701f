package iam

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

// defaultSession is a role's maximum session in seconds when none is set.
const defaultSession = 3600

func (s *Service) createRole(ctx context.Context, in *iamapi.CreateRoleRequest) (*iamapi.CreateRoleResponse, error) {
	if in.PermissionsBoundary != nil {
		return nil, notYet("permissions boundaries")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkTrust(in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	r := &role{
		Name: in.RoleName, Path: pathOr(in.Path), ID: aws.UniqueID("AROA"), Created: now(),
		Description: in.Description, Trust: in.AssumeRolePolicyDocument, MaxSession: defaultSession, Tags: tagsOf(in.Tags),
	}
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	err := s.roles.Insert(ctx, strings.ToLower(r.Name), r)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("Role with name %s already exists.", in.RoleName)
	}
	if err != nil {
		return nil, err
	}
	shown := shownRole(ctx, r)
	shown.RoleLastUsed = nil // CreateRole does not return it
	return &iamapi.CreateRoleResponse{Role: shown}, count(ctx, s.totals, rolesQuota, r.Name, 1)
}

func checkTrust(document string) error {
	if _, err := policy.Parse([]byte(document), policy.Trust); err != nil {
		return err
	}
	if visible(document) > trustLength {
		return iamapi.LimitExceededException.New("Cannot exceed quota for ACLSizePerRole: %d", trustLength)
	}
	return nil
}

func (s *Service) getRole(ctx context.Context, in *iamapi.GetRoleRequest) (*iamapi.GetRoleResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetRoleResponse{Role: shownRole(ctx, r)}, nil
}

func (s *Service) listRoles(ctx context.Context, in *iamapi.ListRolesRequest) (*iamapi.ListRolesResponse, error) {
	out := &iamapi.ListRolesResponse{Roles: []iamapi.Role{}}
	next, err := pageOf(ctx, s, s.roles, "ListRoles", in.PathPrefix, in.Marker, in.MaxItems, func(r *role) bool {
		if !strings.HasPrefix(r.Path, pathPrefix(in.PathPrefix)) {
			return false
		}
		shown := shownRole(ctx, r)
		shown.Tags, shown.RoleLastUsed = nil, nil // neither is listed (IAM API Reference, ListRoles)
		out.Roles = append(out.Roles, *shown)
		return true
	})
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

func (s *Service) updateAssumeRolePolicy(ctx context.Context, in *iamapi.UpdateAssumeRolePolicyRequest) (*iamapi.UpdateAssumeRolePolicyResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := checkTrust(in.PolicyDocument); err != nil {
		return nil, err
	}
	r.Trust = in.PolicyDocument
	return &iamapi.UpdateAssumeRolePolicyResponse{}, s.putRole(ctx, r)
}

func (s *Service) deleteRole(ctx context.Context, in *iamapi.DeleteRoleRequest) (*iamapi.DeleteRoleResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if len(r.Inline) > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must delete policies first.")
	}
	if err := count(ctx, s.totals, rolesQuota, r.Name, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteRoleResponse{}, s.roles.Delete(ctx, strings.ToLower(r.Name))
}

func (s *Service) putRolePolicy(ctx context.Context, in *iamapi.PutRolePolicyRequest) (*iamapi.PutRolePolicyResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Inline, err = putInline(r.Inline, in.PolicyName, in.PolicyDocument, "role "+r.Name, inlinePerRole); err != nil {
		return nil, err
	}
	return &iamapi.PutRolePolicyResponse{}, s.putRole(ctx, r)
}

func (s *Service) getRolePolicy(ctx context.Context, in *iamapi.GetRolePolicyRequest) (*iamapi.GetRolePolicyResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	d, ok := r.Inline[in.PolicyName]
	if !ok {
		return nil, noPolicy("role", in.PolicyName)
	}
	return &iamapi.GetRolePolicyResponse{RoleName: r.Name, PolicyName: in.PolicyName, PolicyDocument: encoded(d)}, nil
}

func (s *Service) listRolePolicies(ctx context.Context, in *iamapi.ListRolePoliciesRequest) (*iamapi.ListRolePoliciesResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	page, next, err := names(ctx, s, "ListRolePolicies", r.ID, slices.Sorted(maps.Keys(r.Inline)), in.Marker, in.MaxItems)
	return &iamapi.ListRolePoliciesResponse{PolicyNames: page, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) deleteRolePolicy(ctx context.Context, in *iamapi.DeleteRolePolicyRequest) (*iamapi.DeleteRolePolicyResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if _, ok := r.Inline[in.PolicyName]; !ok {
		return nil, noPolicy("role", in.PolicyName)
	}
	delete(r.Inline, in.PolicyName)
	return &iamapi.DeleteRolePolicyResponse{}, s.putRole(ctx, r)
}

func shownRole(ctx context.Context, r *role) *iamapi.Role {
	call := aws.CallOf(ctx)
	shown := &iamapi.Role{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, CreateDate: r.Created, Arn: roleARN(call.Partition, call.Account, r).String(),
		AssumeRolePolicyDocument: new(encoded(r.Trust)), Description: r.Description, MaxSessionDuration: new(r.MaxSession),
		Tags: tagsTo(r.Tags), RoleLastUsed: &iamapi.RoleLastUsed{},
	}
	if r.Used != nil {
		shown.RoleLastUsed = &iamapi.RoleLastUsed{LastUsedDate: &r.Used.At, Region: &r.Used.Region}
	}
	return shown
}
