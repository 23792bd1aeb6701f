package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// profile is an instance profile, kept under its name in lower case.
type profile struct {
	Name, Path, ID string
	Created        time.Time
	Tags           []tag    `json:",omitempty"`
	Roles          []string `json:",omitempty"` // names in lower case; one at most
}

func (s *Service) profileRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateInstanceProfile.To(s.createInstanceProfile, s.newProfile),
		iamapi.GetInstanceProfile.To(s.getInstanceProfile, touchProfile("iam:GetInstanceProfile", s, func(in *iamapi.GetInstanceProfileRequest) string { return in.InstanceProfileName })),
		iamapi.ListInstanceProfiles.To(s.listInstanceProfiles, s.profilesBelow),
		iamapi.DeleteInstanceProfile.To(s.deleteInstanceProfile, touchProfile("iam:DeleteInstanceProfile", s, func(in *iamapi.DeleteInstanceProfileRequest) string { return in.InstanceProfileName })),
		iamapi.AddRoleToInstanceProfile.To(s.addRoleToInstanceProfile, s.profileAndRole),
		iamapi.RemoveRoleFromInstanceProfile.To(s.removeRoleFromInstanceProfile, touchProfile("iam:RemoveRoleFromInstanceProfile", s, func(in *iamapi.RemoveRoleFromInstanceProfileRequest) string { return in.InstanceProfileName })),
		iamapi.ListInstanceProfilesForRole.To(s.listInstanceProfilesForRole, touchRole("iam:ListInstanceProfilesForRole", s, func(in *iamapi.ListInstanceProfilesForRoleRequest) string { return in.RoleName })),
	}
}

// profile returns the instance profile with this name in any case.
func (s *Service) profile(ctx context.Context, name string) (*profile, error) {
	p, err := s.profiles.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, iamapi.NoSuchEntityException.New("Instance Profile %s cannot be found.", name)
	}
	return p, err
}

func (s *Service) putProfile(ctx context.Context, p *profile) error {
	return s.profiles.Put(ctx, strings.ToLower(p.Name), p)
}

func profileARN(partition string, account aws.Account, p *profile) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "instance-profile" + p.Path + p.Name}
}

func (s *Service) createInstanceProfile(ctx context.Context, in *iamapi.CreateInstanceProfileRequest) (*iamapi.CreateInstanceProfileResponse, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	p := &profile{Name: in.InstanceProfileName, Path: pathOr(in.Path), ID: aws.UniqueID("AIPA"), Created: now(), Tags: tagsOf(in.Tags)}
	err := s.profiles.Insert(ctx, strings.ToLower(p.Name), p)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("Instance Profile %s already exists.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.shownProfile(ctx, p)
	if err != nil {
		return nil, err
	}
	return &iamapi.CreateInstanceProfileResponse{InstanceProfile: shown}, count(ctx, s.totals, profilesQuota, p.Name, 1)
}

func (s *Service) getInstanceProfile(ctx context.Context, in *iamapi.GetInstanceProfileRequest) (*iamapi.GetInstanceProfileResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	shown, err := s.shownProfile(ctx, p)
	return &iamapi.GetInstanceProfileResponse{InstanceProfile: shown}, err
}

func (s *Service) listInstanceProfiles(ctx context.Context, in *iamapi.ListInstanceProfilesRequest) (*iamapi.ListInstanceProfilesResponse, error) {
	out := &iamapi.ListInstanceProfilesResponse{InstanceProfiles: []iamapi.InstanceProfile{}}
	var found []*profile
	next, err := pageOf(ctx, s, s.profiles, "ListInstanceProfiles", in.PathPrefix, in.Marker, in.MaxItems, func(p *profile) bool {
		if !strings.HasPrefix(p.Path, pathPrefix(in.PathPrefix)) {
			return false
		}
		found = append(found, p)
		return true
	})
	if err != nil {
		return nil, err
	}
	out.InstanceProfiles, err = s.listedProfiles(ctx, found)
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

func (s *Service) listInstanceProfilesForRole(ctx context.Context, in *iamapi.ListInstanceProfilesForRoleRequest) (*iamapi.ListInstanceProfilesForRoleResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	var found []*profile
	of := func(ctx context.Context, w store.Range) ([]store.Entry[profile], error) {
		return s.profiles.PageBy(ctx, "role", strings.ToLower(r.Name), w)
	}
	next, err := pages(ctx, s, []string{"ListInstanceProfilesForRole", r.ID}, in.Marker, in.MaxItems, rows(of, func(p *profile) bool {
		found = append(found, p)
		return true
	}))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListInstanceProfilesForRoleResponse{Marker: next, IsTruncated: new(next != nil)}
	out.InstanceProfiles, err = s.listedProfiles(ctx, found)
	return out, err
}

func (s *Service) listedProfiles(ctx context.Context, found []*profile) ([]iamapi.InstanceProfile, error) {
	all := []iamapi.InstanceProfile{}
	for _, p := range found {
		shown, err := s.shownProfile(ctx, p)
		if err != nil {
			return nil, err
		}
		shown.Tags = nil // not listed (IAM API Reference, ListInstanceProfiles)
		all = append(all, *shown)
	}
	return all, nil
}

func (s *Service) deleteInstanceProfile(ctx context.Context, in *iamapi.DeleteInstanceProfileRequest) (*iamapi.DeleteInstanceProfileResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if len(p.Roles) > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete entity, must remove roles from instance profile first.")
	}
	if err := count(ctx, s.totals, profilesQuota, p.Name, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteInstanceProfileResponse{}, s.profiles.Delete(ctx, strings.ToLower(p.Name))
}

func (s *Service) addRoleToInstanceProfile(ctx context.Context, in *iamapi.AddRoleToInstanceProfileRequest) (*iamapi.AddRoleToInstanceProfileResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	r, err := s.modifiableRole(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if len(p.Roles) > 0 {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	p.Roles = []string{strings.ToLower(r.Name)}
	return &iamapi.AddRoleToInstanceProfileResponse{}, s.putProfile(ctx, p)
}

func (s *Service) removeRoleFromInstanceProfile(ctx context.Context, in *iamapi.RemoveRoleFromInstanceProfileRequest) (*iamapi.RemoveRoleFromInstanceProfileResponse, error) {
	p, err := s.profile(ctx, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.Roles, strings.ToLower(in.RoleName)) {
		return nil, iamapi.NoSuchEntityException.New("The role with name %s cannot be found.", in.RoleName)
	}
	p.Roles = nil
	return &iamapi.RemoveRoleFromInstanceProfileResponse{}, s.putProfile(ctx, p)
}

func (s *Service) shownProfile(ctx context.Context, p *profile) (*iamapi.InstanceProfile, error) {
	call := aws.CallOf(ctx)
	shown := &iamapi.InstanceProfile{
		Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID, Arn: profileARN(call.Partition, call.Account, p).String(),
		CreateDate: p.Created, Roles: []iamapi.Role{}, Tags: tagsTo(p.Tags),
	}
	for _, name := range p.Roles {
		r, err := s.role(ctx, name)
		if err != nil {
			return nil, err
		}
		role, err := s.shownRole(ctx, r)
		if err != nil {
			return nil, err
		}
		// What else a role has is not shown here.
		shown.Roles = append(shown.Roles, iamapi.Role{
			Path: role.Path, RoleName: role.RoleName, RoleId: role.RoleId, Arn: role.Arn, CreateDate: role.CreateDate, AssumeRolePolicyDocument: role.AssumeRolePolicyDocument,
		})
	}
	return shown, nil
}

// An InstanceProfile is what EC2 is told of one that holds a role.
type InstanceProfile struct {
	ID       string // AIPA…
	ARN      aws.ARN
	RoleName string
	Role     aws.ARN
}

// ErrNoProfile means that there is no such instance profile, or no role in it.
var ErrNoProfile = errors.New("iam: no such instance profile, or no role in it")

// Profile returns an instance profile of the account in ctx.
func (s *Service) Profile(ctx context.Context, name string) (*InstanceProfile, error) {
	call := aws.CallOf(ctx)
	p, err := s.profiles.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) || err == nil && len(p.Roles) == 0 {
		return nil, ErrNoProfile
	}
	if err != nil {
		return nil, err
	}
	r, err := s.role(ctx, p.Roles[0])
	if err != nil {
		return nil, err
	}
	return &InstanceProfile{
		ID: p.ID, ARN: profileARN(call.Partition, call.Account, p), RoleName: r.Name, Role: call.GlobalARN("iam", "role"+r.Path+r.Name),
	}, nil
}
