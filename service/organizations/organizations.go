// Package organizations is AWS Organizations: accounts, the tree they stand in,
// and the policies that bind them.
//
// Routes is its table of contents. membership.go is what the gate asks on every
// call; caller.go says whose organisation a call is about.
package organizations

import (
	"context"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// Service serves Organizations.
type Service struct {
	tables
	env       service.Env
	owners    Owners
	standings *cache
}

// Owners makes what accounts begin with, and what Organizations needs in them.
type Owners interface {
	// AddMember makes the account's root user and the role through which the
	// management account enters; store.ErrExists when there is such an account.
	AddMember(ctx context.Context, account aws.Account, role string, management aws.Account) error
	// AddLinkedRole makes a service's role in an account, unless it is there.
	AddLinkedRole(ctx context.Context, account aws.Account, service string) error
}

// New returns an Organizations whose accounts begin with what owners makes.
func New(env service.Env, owners Owners) *Service {
	return &Service{tables: newTables(env.Store), env: env, owners: owners, standings: newCache(env.Store)}
}

// Routes lists what Organizations serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		organizationsapi.CreateOrganization.To(s.createOrganization, s.newOrganization),
		organizationsapi.DescribeOrganization.To(s.describeOrganization, touchNothing[organizationsapi.DescribeOrganizationRequest](s, "organizations:DescribeOrganization")),
		organizationsapi.DeleteOrganization.To(s.deleteOrganization, touchNothing[organizationsapi.DeleteOrganizationRequest](s, "organizations:DeleteOrganization")),
		organizationsapi.ListRoots.To(s.listRoots, touchNothing[organizationsapi.ListRootsRequest](s, "organizations:ListRoots")),

		organizationsapi.CreateAccount.To(s.createAccount, s.newMember),
		organizationsapi.DescribeCreateAccountStatus.To(s.describeCreateAccountStatus, touchNothing[organizationsapi.DescribeCreateAccountStatusRequest](s, "organizations:DescribeCreateAccountStatus")),
		organizationsapi.ListCreateAccountStatus.To(s.listCreateAccountStatus, touchNothing[organizationsapi.ListCreateAccountStatusRequest](s, "organizations:ListCreateAccountStatus")),
		organizationsapi.DescribeAccount.To(s.describeAccount, touch(s, "organizations:DescribeAccount", func(in *organizationsapi.DescribeAccountRequest) []ref { return []ref{anAccount(in.AccountId)} })),
		organizationsapi.ListAccounts.To(s.listAccounts, touchNothing[organizationsapi.ListAccountsRequest](s, "organizations:ListAccounts")),
		organizationsapi.MoveAccount.To(s.moveAccount, touch(s, "organizations:MoveAccount", func(in *organizationsapi.MoveAccountRequest) []ref {
			return []ref{anAccount(in.AccountId), aParent(in.SourceParentId), aParent(in.DestinationParentId)}
		})),

		organizationsapi.CreateOrganizationalUnit.To(s.createOrganizationalUnit, s.newUnit),
		organizationsapi.DescribeOrganizationalUnit.To(s.describeOrganizationalUnit, touch(s, "organizations:DescribeOrganizationalUnit", func(in *organizationsapi.DescribeOrganizationalUnitRequest) []ref {
			return []ref{aUnit(in.OrganizationalUnitId)}
		})),
		organizationsapi.UpdateOrganizationalUnit.To(s.updateOrganizationalUnit, touch(s, "organizations:UpdateOrganizationalUnit", func(in *organizationsapi.UpdateOrganizationalUnitRequest) []ref {
			return []ref{aUnit(in.OrganizationalUnitId)}
		})),
		organizationsapi.DeleteOrganizationalUnit.To(s.deleteOrganizationalUnit, touch(s, "organizations:DeleteOrganizationalUnit", func(in *organizationsapi.DeleteOrganizationalUnitRequest) []ref {
			return []ref{aUnit(in.OrganizationalUnitId)}
		})),
		organizationsapi.ListOrganizationalUnitsForParent.To(s.listOrganizationalUnitsForParent, touch(s, "organizations:ListOrganizationalUnitsForParent", func(in *organizationsapi.ListOrganizationalUnitsForParentRequest) []ref {
			return []ref{aParent(in.ParentId)}
		})),
		organizationsapi.ListAccountsForParent.To(s.listAccountsForParent, touch(s, "organizations:ListAccountsForParent", func(in *organizationsapi.ListAccountsForParentRequest) []ref { return []ref{aParent(in.ParentId)} })),
		organizationsapi.ListChildren.To(s.listChildren, touch(s, "organizations:ListChildren", func(in *organizationsapi.ListChildrenRequest) []ref { return []ref{aParent(in.ParentId)} })),
		organizationsapi.ListParents.To(s.listParents, touch(s, "organizations:ListParents", func(in *organizationsapi.ListParentsRequest) []ref { return []ref{aTarget(in.ChildId)} })),

		organizationsapi.EnablePolicyType.To(s.enablePolicyType, s.typeInRoot("organizations:EnablePolicyType")),
		organizationsapi.DisablePolicyType.To(s.disablePolicyType, s.typeInRootDisabled),
		organizationsapi.CreatePolicy.To(s.createPolicy, s.newPolicy),
		organizationsapi.DescribePolicy.To(s.describePolicy, touch(s, "organizations:DescribePolicy", func(in *organizationsapi.DescribePolicyRequest) []ref { return []ref{aPolicy(in.PolicyId)} })),
		organizationsapi.UpdatePolicy.To(s.updatePolicy, touch(s, "organizations:UpdatePolicy", func(in *organizationsapi.UpdatePolicyRequest) []ref { return []ref{aPolicy(in.PolicyId)} })),
		organizationsapi.DeletePolicy.To(s.deletePolicy, touch(s, "organizations:DeletePolicy", func(in *organizationsapi.DeletePolicyRequest) []ref { return []ref{aPolicy(in.PolicyId)} })),
		organizationsapi.ListPolicies.To(s.listPolicies, s.policiesOfType),
		organizationsapi.AttachPolicy.To(s.attachPolicy, touch(s, "organizations:AttachPolicy", func(in *organizationsapi.AttachPolicyRequest) []ref {
			return []ref{aPolicy(in.PolicyId), aTarget(in.TargetId)}
		})),
		organizationsapi.DetachPolicy.To(s.detachPolicy, touch(s, "organizations:DetachPolicy", func(in *organizationsapi.DetachPolicyRequest) []ref {
			return []ref{aPolicy(in.PolicyId), aTarget(in.TargetId)}
		})),
		organizationsapi.ListPoliciesForTarget.To(s.listPoliciesForTarget, s.policiesOfTarget),
		organizationsapi.ListTargetsForPolicy.To(s.listTargetsForPolicy, touch(s, "organizations:ListTargetsForPolicy", func(in *organizationsapi.ListTargetsForPolicyRequest) []ref { return []ref{aPolicy(in.PolicyId)} })),

		organizationsapi.RemoveAccountFromOrganization.To(s.removeAccountFromOrganization, touch(s, "organizations:RemoveAccountFromOrganization", func(in *organizationsapi.RemoveAccountFromOrganizationRequest) []ref {
			return []ref{anAccount(in.AccountId)}
		})),
		organizationsapi.CloseAccount.To(s.closeAccount, touch(s, "organizations:CloseAccount", func(in *organizationsapi.CloseAccountRequest) []ref { return []ref{anAccount(in.AccountId)} })),
		organizationsapi.LeaveOrganization.To(s.leaveOrganization, touchNothing[organizationsapi.LeaveOrganizationRequest](s, "organizations:LeaveOrganization")),

		organizationsapi.InviteAccountToOrganization.To(s.inviteAccountToOrganization, s.newInvitation),
		organizationsapi.EnableAllFeatures.To(s.enableAllFeatures, touchNothing[organizationsapi.EnableAllFeaturesRequest](s, "organizations:EnableAllFeatures")),
		organizationsapi.AcceptHandshake.To(s.acceptHandshake, s.acceptance),
		organizationsapi.DeclineHandshake.To(s.declineHandshake, touchHandshake(s, "organizations:DeclineHandshake", func(in *organizationsapi.DeclineHandshakeRequest) string { return in.HandshakeId })),
		organizationsapi.CancelHandshake.To(s.cancelHandshake, touchHandshake(s, "organizations:CancelHandshake", func(in *organizationsapi.CancelHandshakeRequest) string { return in.HandshakeId })),
		organizationsapi.DescribeHandshake.To(s.describeHandshake, touchHandshake(s, "organizations:DescribeHandshake", func(in *organizationsapi.DescribeHandshakeRequest) string { return in.HandshakeId })),
		organizationsapi.ListHandshakesForAccount.To(s.listHandshakesForAccount, touchNothing[organizationsapi.ListHandshakesForAccountRequest](s, "organizations:ListHandshakesForAccount")),
		organizationsapi.ListHandshakesForOrganization.To(s.listHandshakesForOrganization, touchNothing[organizationsapi.ListHandshakesForOrganizationRequest](s, "organizations:ListHandshakesForOrganization")),

		organizationsapi.EnableAWSServiceAccess.To(s.enableAWSServiceAccess, s.serviceEnabled),
		organizationsapi.DisableAWSServiceAccess.To(s.disableAWSServiceAccess, s.serviceDisabled),
		organizationsapi.ListAWSServiceAccessForOrganization.To(s.listAWSServiceAccessForOrganization, touchNothing[organizationsapi.ListAWSServiceAccessForOrganizationRequest](s, "organizations:ListAWSServiceAccessForOrganization")),
		organizationsapi.RegisterDelegatedAdministrator.To(s.registerDelegatedAdministrator, s.newDelegate),
		organizationsapi.DeregisterDelegatedAdministrator.To(s.deregisterDelegatedAdministrator, s.oldDelegate),
		organizationsapi.ListDelegatedAdministrators.To(s.listDelegatedAdministrators, s.delegatesOf),
		organizationsapi.ListDelegatedServicesForAccount.To(s.listDelegatedServicesForAccount, touch(s, "organizations:ListDelegatedServicesForAccount", func(in *organizationsapi.ListDelegatedServicesForAccountRequest) []ref {
			return []ref{anAccount(in.AccountId)}
		})),
		organizationsapi.PutResourcePolicy.To(s.putResourcePolicy, s.newResourcePolicy),
		organizationsapi.DescribeResourcePolicy.To(s.describeResourcePolicy, touchNothing[organizationsapi.DescribeResourcePolicyRequest](s, "organizations:DescribeResourcePolicy")),
		organizationsapi.DeleteResourcePolicy.To(s.deleteResourcePolicy, touchNothing[organizationsapi.DeleteResourcePolicyRequest](s, "organizations:DeleteResourcePolicy")),

		organizationsapi.TagResource.To(s.tagResource, s.newTags),
		organizationsapi.UntagResource.To(s.untagResource, s.oldTags),
		organizationsapi.ListTagsForResource.To(s.listTagsForResource, touch(s, "organizations:ListTagsForResource", func(in *organizationsapi.ListTagsForResourceRequest) []ref { return []ref{aResource(in.ResourceId)} })),

		organizationsapi.DescribeEffectivePolicy.To(s.describeEffectivePolicy, s.effectiveTarget),
		organizationsapi.ListEffectivePolicyValidationErrors.To(s.listEffectivePolicyValidationErrors, s.faultsOf),
		organizationsapi.ListAccountsWithInvalidEffectivePolicy.To(s.listAccountsWithInvalidEffectivePolicy, s.invalidOfType),
	}
}

// Jobs does what falls due.
func (s *Service) Jobs() []service.Job {
	return []service.Job{
		{Kind: createKind, Run: s.create},
		{Kind: suspendKind, Run: s.suspend}, {Kind: endKind, Run: s.finishClosure},
		{Kind: expireKind, Run: s.expire}, {Kind: forgetKind, Run: s.forget},
	}
}
