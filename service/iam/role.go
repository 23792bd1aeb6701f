package iam

import (
	"context"
	"errors"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// defaultSession is a role's maximum session in seconds when none is set.
const defaultSession = 3600

func (s *Service) roleRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateRole.To(s.createRole, s.newRole),
		iamapi.GetRole.To(s.getRole, touchRole("iam:GetRole", s, func(in *iamapi.GetRoleRequest) string { return in.RoleName })),
		iamapi.ListRoles.To(s.listRoles, s.rolesBelow),
		iamapi.UpdateRole.To(s.updateRole, touchBounded("iam:UpdateRole", s.atRole, func(in *iamapi.UpdateRoleRequest) string { return in.RoleName })),
		iamapi.UpdateRoleDescription.To(s.updateRoleDescription, touchBounded("iam:UpdateRoleDescription", s.atRole, func(in *iamapi.UpdateRoleDescriptionRequest) string { return in.RoleName })),
		iamapi.UpdateAssumeRolePolicy.To(s.updateAssumeRolePolicy, touchRole("iam:UpdateAssumeRolePolicy", s, func(in *iamapi.UpdateAssumeRolePolicyRequest) string { return in.RoleName })),
		iamapi.DeleteRole.To(s.deleteRole, touchRole("iam:DeleteRole", s, func(in *iamapi.DeleteRoleRequest) string { return in.RoleName })),
	}
}

// modifiableRole returns the role with this name unless it is AWS's own.
func (s *Service) modifiableRole(ctx context.Context, name string) (*role, error) {
	r, err := s.role(ctx, name)
	if err == nil && r.protected(ctx) {
		return nil, protectedRole(r.Name)
	}
	return r, err
}

func (s *Service) createRole(ctx context.Context, in *iamapi.CreateRoleRequest) (*iamapi.CreateRoleResponse, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	boundary, err := s.checkBoundary(ctx, in.PermissionsBoundary)
	if err != nil {
		return nil, err
	}
	trust, err := s.keptTrust(ctx, in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, err
	}
	r := &role{
		Name: in.RoleName, Path: pathOr(in.Path), ID: aws.UniqueID("AROA"), Created: now(), Boundary: boundary,
		Description: in.Description, Trust: trust, MaxSession: valueOf(in.MaxSessionDuration, defaultSession), Tags: tagsOf(in.Tags),
	}
	if r.protected(ctx) {
		return nil, iamapi.InvalidInputException.New("The path %s is reserved for roles of AWS services.", r.Path)
	}
	err = s.insertRole(ctx, aws.CallOf(ctx).Account, r)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("Role with name %s already exists.", r.Name)
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.shownRole(ctx, r)
	if err != nil {
		return nil, err
	}
	shown.RoleLastUsed, shown.MaxSessionDuration = nil, in.MaxSessionDuration // CreateRole does not return what was not asked for
	return &iamapi.CreateRoleResponse{Role: shown}, nil
}

// insertRole makes a role under a name that none has, and counts it. Who calls it
// from outside IAM tells a taken name by store.ErrExists.
func (s *Service) insertRole(ctx context.Context, account aws.Account, r *role) error {
	place, name := store.Place{Account: account}, strings.ToLower(r.Name)
	if err := s.roles.In(place).Insert(ctx, name, r); err != nil {
		return err
	}
	if err := s.ids.Insert(ctx, r.ID, &identity{Account: account, Kind: roleKind, Name: name}); err != nil {
		return err
	}
	return count(ctx, s.totals.In(place), rolesQuota, r.Name, 1)
}

// keptTrust checks a trust policy and returns it as it is kept: with unique ids.
func (s *Service) keptTrust(ctx context.Context, document string) (string, error) {
	if _, err := policy.Parse([]byte(document), policy.Trust); err != nil {
		return "", err
	}
	if policy.Size([]byte(document)) > policy.MaxTrust {
		return "", iamapi.LimitExceededException.New("Cannot exceed quota for ACLSizePerRole: %d", policy.MaxTrust)
	}
	return service.WithIDs(ctx, s, document)
}

func (s *Service) getRole(ctx context.Context, in *iamapi.GetRoleRequest) (*iamapi.GetRoleResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	shown, err := s.shownRole(ctx, r)
	return &iamapi.GetRoleResponse{Role: shown}, err
}

func (s *Service) listRoles(ctx context.Context, in *iamapi.ListRolesRequest) (*iamapi.ListRolesResponse, error) {
	out := &iamapi.ListRolesResponse{Roles: []iamapi.Role{}}
	var failed error
	next, err := pageOf(ctx, s, s.roles, "ListRoles", in.PathPrefix, in.Marker, in.MaxItems, func(r *role) bool {
		if !strings.HasPrefix(r.Path, pathPrefix(in.PathPrefix)) {
			return false
		}
		shown, err := s.shownRole(ctx, r)
		if err != nil {
			failed = err
			return false
		}
		shown.Tags, shown.RoleLastUsed, shown.PermissionsBoundary = nil, nil, nil // none is listed (IAM API Reference, ListRoles)
		out.Roles = append(out.Roles, *shown)
		return true
	})
	if err == nil {
		err = failed
	}
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

// updateRole sets the maximum session back to an hour when none is given, as AWS's
// does. IAM API Reference, UpdateRole.
func (s *Service) updateRole(ctx context.Context, in *iamapi.UpdateRoleRequest) (*iamapi.UpdateRoleResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	protected := r.protected(ctx)
	if protected && (in.MaxSessionDuration != nil || !r.describable(ctx)) {
		return nil, protectedRole(r.Name)
	}
	if in.Description != nil {
		r.Description = in.Description
	}
	if !protected {
		r.MaxSession = valueOf(in.MaxSessionDuration, defaultSession)
	}
	return &iamapi.UpdateRoleResponse{}, s.putRole(ctx, r)
}

func (s *Service) updateRoleDescription(ctx context.Context, in *iamapi.UpdateRoleDescriptionRequest) (*iamapi.UpdateRoleDescriptionResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if !r.describable(ctx) {
		return nil, protectedRole(r.Name)
	}
	if r.protected(ctx) && !r.linked() {
		return nil, protectedRole(r.Name)
	}
	r.Description = &in.Description
	if err := s.putRole(ctx, r); err != nil {
		return nil, err
	}
	shown, err := s.shownRole(ctx, r)
	return &iamapi.UpdateRoleDescriptionResponse{Role: shown}, err
}

func (s *Service) updateAssumeRolePolicy(ctx context.Context, in *iamapi.UpdateAssumeRolePolicyRequest) (*iamapi.UpdateAssumeRolePolicyResponse, error) {
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Trust, err = s.keptTrust(ctx, in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iamapi.UpdateAssumeRolePolicyResponse{}, s.putRole(ctx, r)
}

func (s *Service) deleteRole(ctx context.Context, in *iamapi.DeleteRoleRequest) (*iamapi.DeleteRoleResponse, error) {
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := r.conflict(); err != nil {
		return nil, err
	}
	held, err := s.profiles.PageBy(ctx, "role", strings.ToLower(r.Name), store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(held) > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must remove roles from instance profile first.")
	}
	return &iamapi.DeleteRoleResponse{}, s.removeRole(ctx, r)
}

// removeRole takes a role of the call's account away.
func (s *Service) removeRole(ctx context.Context, r *role) error {
	if err := s.forgetID(ctx, r.ID); err != nil {
		return err
	}
	if err := count(ctx, s.totals, rolesQuota, r.Name, -1); err != nil {
		return err
	}
	return s.roles.Delete(ctx, strings.ToLower(r.Name))
}

func (s *Service) shownRole(ctx context.Context, r *role) (*iamapi.Role, error) {
	call := aws.CallOf(ctx)
	trust, err := service.WithARNs(ctx, s, r.Trust)
	if err != nil {
		return nil, err
	}
	shown := &iamapi.Role{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, CreateDate: r.Created, Arn: roleARN(call.Partition, call.Account, r).String(),
		AssumeRolePolicyDocument: new(encoded(trust)), Description: r.Description, MaxSessionDuration: new(r.MaxSession),
		PermissionsBoundary: shownBoundary(r.Boundary), Tags: tagsTo(r.Tags), RoleLastUsed: shownUse(r),
	}
	return shown, nil
}

func shownUse(r *role) *iamapi.RoleLastUsed {
	if r.Used == nil {
		return &iamapi.RoleLastUsed{}
	}
	return &iamapi.RoleLastUsed{LastUsedDate: &r.Used.At, Region: &r.Used.Region}
}
