package iam

import (
	"context"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service/iam/managed"
	"sumun.dev/store"
)

// listPolicies lists the account's own policies first, then AWS's.
func (s *Service) listPolicies(ctx context.Context, in *iamapi.ListPoliciesRequest) (*iamapi.ListPoliciesResponse, error) {
	scope, usage := valueOf(in.Scope, iamapi.PolicyScopeTypeAll), valueOf(in.PolicyUsageFilter, "")
	out := &iamapi.ListPoliciesResponse{Policies: []iamapi.Policy{}}
	var failed error
	take := func(arn, path string, show func(attachments, boundaries int) *iamapi.Policy) bool {
		if failed != nil || !strings.HasPrefix(path, pathPrefix(in.PathPrefix)) {
			return false
		}
		attachments, boundaries, err := s.usesOf(ctx, arn)
		if err != nil {
			failed = err
			return false
		}
		// A policy that bounds somebody is in use, but attached to nobody.
		if in.OnlyAttached != nil && *in.OnlyAttached && attachments == 0 && (usage != iamapi.PolicyUsageTypePermissionsBoundary || boundaries == 0) {
			return false
		}
		if usage == iamapi.PolicyUsageTypePermissionsBoundary && boundaries == 0 || usage == iamapi.PolicyUsageTypePermissionsPolicy && attachments == 0 {
			return false
		}
		shown := show(attachments, boundaries)
		shown.Tags, shown.Description = nil, nil // neither is listed (IAM API Reference, ListPolicies)
		out.Policies = append(out.Policies, *shown)
		return true
	}
	var sections []section
	if scope != iamapi.PolicyScopeTypeAws {
		sections = append(sections, rows(s.policies.Page, func(p *managedPolicy) bool {
			return take(ownPolicyARN(ctx, p), p.Path, func(a, b int) *iamapi.Policy { return shownCustomer(ctx, p, a, b) })
		}))
	}
	if scope != iamapi.PolicyScopeTypeLocal {
		sections = append(sections, s.awsPolicies(func(p *managed.Policy) bool {
			return take(p.ARN, p.Path, func(a, b int) *iamapi.Policy { return shownManaged(p, a, b) })
		}))
	}
	list := []string{"ListPolicies", string(scope), string(usage), pathPrefix(in.PathPrefix)}
	next, err := pages(ctx, s, list, in.Marker, in.MaxItems, sections...)
	if err == nil {
		err = failed
	}
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

// awsPolicies is the section of AWS's policies.
func (s *Service) awsPolicies(show func(*managed.Policy) bool) section {
	return func(ctx context.Context, after string, most int) (int, string, bool, error) {
		all := s.aws.All()
		every := make([]*managed.Policy, len(all))
		for i := range all {
			every[i] = &all[i]
		}
		return sorted(every, func(p *managed.Policy) string { return p.ARN }, show)(ctx, after, most)
	}
}

func ownPolicyARN(ctx context.Context, p *managedPolicy) string {
	call := aws.CallOf(ctx)
	return policyARN(call.Partition, call.Account, p).String()
}

func valueOf[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}

func (s *Service) listEntitiesForPolicy(ctx context.Context, in *iamapi.ListEntitiesForPolicyRequest) (*iamapi.ListEntitiesForPolicyResponse, error) {
	if s.aws.Find(in.PolicyArn) == nil {
		if _, err := s.policy(ctx, in.PolicyArn); err != nil {
			return nil, err
		}
	}
	kind, usage, prefix := valueOf(in.EntityFilter, ""), valueOf(in.PolicyUsageFilter, ""), pathPrefix(in.PathPrefix)
	use := useAny
	switch usage {
	case iamapi.PolicyUsageTypePermissionsPolicy:
		use = useAttached
	case iamapi.PolicyUsageTypePermissionsBoundary:
		use = useBoundary
	}
	use += in.PolicyArn
	out := &iamapi.ListEntitiesForPolicyResponse{PolicyGroups: []iamapi.PolicyGroup{}, PolicyUsers: []iamapi.PolicyUser{}, PolicyRoles: []iamapi.PolicyRole{}}
	groups := rows(using(s.groups, use), func(g *group) bool {
		if !strings.HasPrefix(g.Path, prefix) {
			return false
		}
		out.PolicyGroups = append(out.PolicyGroups, iamapi.PolicyGroup{GroupName: &g.Name, GroupId: &g.ID})
		return true
	})
	users := rows(using(s.users, use), func(u *user) bool {
		if !strings.HasPrefix(u.Path, prefix) {
			return false
		}
		out.PolicyUsers = append(out.PolicyUsers, iamapi.PolicyUser{UserName: &u.Name, UserId: &u.ID})
		return true
	})
	roles := rows(using(s.roles, use), func(r *role) bool {
		if !strings.HasPrefix(r.Path, prefix) {
			return false
		}
		out.PolicyRoles = append(out.PolicyRoles, iamapi.PolicyRole{RoleName: &r.Name, RoleId: &r.ID})
		return true
	})
	sections := []section{groups, users, roles}
	switch kind {
	case iamapi.EntityTypeGroup:
		sections = sections[:1]
	case iamapi.EntityTypeUser:
		sections = sections[1:2]
	case iamapi.EntityTypeRole:
		sections = sections[2:]
	case iamapi.EntityTypeLocalManagedPolicy, iamapi.EntityTypeAWSManagedPolicy:
		sections = nil // no policy is attached to a policy
	}
	list := []string{"ListEntitiesForPolicy", string(kind), string(usage), prefix, in.PolicyArn}
	next, err := pages(ctx, s, list, in.Marker, in.MaxItems, sections...)
	out.Marker, out.IsTruncated = next, new(next != nil)
	return out, err
}

// using returns the pages of the rows that have use in their index.
func using[T any](table *store.Table[T], use string) func(context.Context, store.Range) ([]store.Entry[T], error) {
	return func(ctx context.Context, r store.Range) ([]store.Entry[T], error) {
		return table.PageBy(ctx, "uses", use, r)
	}
}
