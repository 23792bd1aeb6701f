package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/service/iam/managed"
	"sumun.dev/store"
)

// getAccountAuthorizationDetails shows users, groups, roles and policies, in this
// order. Of AWS's policies it shows those in use, as AWS does.
func (s *Service) getAccountAuthorizationDetails(ctx context.Context, in *iamapi.GetAccountAuthorizationDetailsRequest) (*iamapi.GetAccountAuthorizationDetailsResponse, error) {
	d := &details{s: s, ctx: ctx, out: &iamapi.GetAccountAuthorizationDetailsResponse{
		UserDetailList: []iamapi.UserDetail{}, GroupDetailList: []iamapi.GroupDetail{}, RoleDetailList: []iamapi.RoleDetail{}, Policies: []iamapi.ManagedPolicyDetail{},
	}}
	var sections []section
	for _, kind := range []struct {
		filter iamapi.EntityType
		list   section
	}{
		{iamapi.EntityTypeUser, rows(s.users.Page, d.user)},
		{iamapi.EntityTypeGroup, rows(s.groups.Page, d.group)},
		{iamapi.EntityTypeRole, rows(s.roles.Page, d.role)},
		{iamapi.EntityTypeLocalManagedPolicy, rows(s.policies.Page, d.policy)},
		{iamapi.EntityTypeAWSManagedPolicy, s.awsPolicies(d.managed)},
	} {
		if len(in.Filter) == 0 || slices.Contains(in.Filter, kind.filter) {
			sections = append(sections, kind.list)
		}
	}
	list := []string{"GetAccountAuthorizationDetails"}
	for _, f := range in.Filter {
		list = append(list, string(f))
	}
	next, err := pages(ctx, s, list, in.Marker, in.MaxItems, sections...)
	if err == nil {
		err = d.failed
	}
	d.out.Marker, d.out.IsTruncated = next, new(next != nil)
	return d.out, err
}

// details gathers what GetAccountAuthorizationDetails answers.
type details struct {
	s      *Service
	ctx    context.Context
	out    *iamapi.GetAccountAuthorizationDetailsResponse
	failed error
}

// fail keeps the first error.
func (d *details) fail(err error) bool {
	if d.failed == nil {
		d.failed = err
	}
	return d.failed != nil
}

func (d *details) user(u *user) bool {
	names := []string{}
	for _, id := range u.Groups {
		g, err := groupByID(d.ctx, d.s.groups, id)
		if d.fail(err) {
			return false
		}
		if g != nil {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	shown := shownUser(d.ctx, u)
	d.out.UserDetailList = append(d.out.UserDetailList, iamapi.UserDetail{
		Path: &u.Path, UserName: &u.Name, UserId: &u.ID, Arn: &shown.Arn, CreateDate: &u.Created, UserPolicyList: shownInline(u.Inline), GroupList: names,
		AttachedManagedPolicies: shownAttached(u.Attached), PermissionsBoundary: shownBoundary(u.Boundary), Tags: shown.Tags,
	})
	return true
}

func (d *details) group(g *group) bool {
	shown := shownGroup(d.ctx, g)
	d.out.GroupDetailList = append(d.out.GroupDetailList, iamapi.GroupDetail{
		Path: &g.Path, GroupName: &g.Name, GroupId: &g.ID, Arn: &shown.Arn, CreateDate: &g.Created,
		GroupPolicyList: shownInline(g.Inline), AttachedManagedPolicies: shownAttached(g.Attached),
	})
	return true
}

func (d *details) role(r *role) bool {
	trust, err := service.WithARNs(d.ctx, d.s, r.Trust)
	if d.fail(err) {
		return false
	}
	call := aws.CallOf(d.ctx)
	profiles, err := d.profiles(r)
	if d.fail(err) {
		return false
	}
	d.out.RoleDetailList = append(d.out.RoleDetailList, iamapi.RoleDetail{
		Path: &r.Path, RoleName: &r.Name, RoleId: &r.ID, Arn: new(roleARN(call.Partition, call.Account, r).String()), CreateDate: &r.Created,
		AssumeRolePolicyDocument: new(encoded(trust)), InstanceProfileList: profiles, RolePolicyList: shownInline(r.Inline),
		AttachedManagedPolicies: shownAttached(r.Attached), PermissionsBoundary: shownBoundary(r.Boundary), Tags: tagsTo(r.Tags), RoleLastUsed: shownUse(r),
	})
	return true
}

func (d *details) profiles(r *role) ([]iamapi.InstanceProfile, error) {
	all, err := d.s.profiles.PageBy(d.ctx, "role", strings.ToLower(r.Name), store.Range{})
	if err != nil {
		return nil, err
	}
	var found []*profile
	for _, p := range all {
		found = append(found, p.Value)
	}
	return d.s.listedProfiles(d.ctx, found)
}

func (d *details) policy(p *managedPolicy) bool {
	arn := ownPolicyARN(d.ctx, p)
	attachments, boundaries, err := d.s.usesOf(d.ctx, arn)
	if d.fail(err) {
		return false
	}
	d.add(shownCustomer(d.ctx, p, attachments, boundaries), shownVersions(p))
	return true
}

func (d *details) managed(p *managed.Policy) bool {
	attachments, boundaries, err := d.s.usesOf(d.ctx, p.ARN)
	if d.fail(err) || attachments+boundaries == 0 {
		return false
	}
	document, err := d.s.aws.Document(p)
	if d.fail(err) {
		return false
	}
	d.add(shownManaged(p, attachments, boundaries), []iamapi.PolicyVersion{
		{Document: new(encoded(document)), VersionId: &p.Version, IsDefaultVersion: new(true), CreateDate: &p.Updated},
	})
	return true
}

func (d *details) add(p *iamapi.Policy, versions []iamapi.PolicyVersion) {
	d.out.Policies = append(d.out.Policies, iamapi.ManagedPolicyDetail{
		PolicyName: p.PolicyName, PolicyId: p.PolicyId, Arn: p.Arn, Path: p.Path, DefaultVersionId: p.DefaultVersionId,
		AttachmentCount: p.AttachmentCount, PermissionsBoundaryUsageCount: p.PermissionsBoundaryUsageCount, IsAttachable: p.IsAttachable,
		Description: p.Description, CreateDate: p.CreateDate, UpdateDate: p.UpdateDate, PolicyVersionList: versions,
	})
}

func shownInline(inline map[string]string) []iamapi.PolicyDetail {
	all := []iamapi.PolicyDetail{}
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		all = append(all, iamapi.PolicyDetail{PolicyName: new(name), PolicyDocument: new(encoded(inline[name]))})
	}
	return all
}
