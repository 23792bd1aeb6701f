package identitycenter

import (
	"sumun.dev/api/iamapi"
	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/service"
	"sumun.dev/wire"
)

// A face serves one of the APIs by its routes.
type face func() []wire.Route

// Routes lists what the face serves.
func (f face) Routes() []wire.Route { return f() }

// Admin is the face with which instances, permission sets and assignments are
// managed. It brings the needs and the jobs of all faces.
func (s *Service) Admin() service.Service { return admin{s} }

type admin struct{ *Service }

// Routes lists what is served of sso-admin.
func (s admin) Routes() []wire.Route {
	return []wire.Route{
		api.CreateInstance.To(s.createInstance, s.newInstance),
		api.DescribeInstance.To(s.describeInstance, onInstance(s.Service, "DescribeInstance", func(in *api.DescribeInstanceRequest) string { return in.InstanceArn })),
		api.ListInstances.To(s.listInstances, anywhere[*api.ListInstancesRequest]("ListInstances")),
		api.UpdateInstance.To(s.updateInstance, onInstance(s.Service, "UpdateInstance", func(in *api.UpdateInstanceRequest) string { return in.InstanceArn })),
		api.DeleteInstance.To(s.deleteInstance, onInstance(s.Service, "DeleteInstance", func(in *api.DeleteInstanceRequest) string { return in.InstanceArn })),

		api.CreatePermissionSet.To(s.createPermissionSet, s.newSet),
		api.DescribePermissionSet.To(s.describePermissionSet, onSet(s.Service, "DescribePermissionSet", func(in *api.DescribePermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.ListPermissionSets.To(s.listPermissionSets, onInstance(s.Service, "ListPermissionSets", func(in *api.ListPermissionSetsRequest) string { return in.InstanceArn })),
		api.UpdatePermissionSet.To(s.updatePermissionSet, onSet(s.Service, "UpdatePermissionSet", func(in *api.UpdatePermissionSetRequest) (string, string) { return in.InstanceArn, in.PermissionSetArn })),
		api.DeletePermissionSet.To(s.deletePermissionSet, onSet(s.Service, "DeletePermissionSet", func(in *api.DeletePermissionSetRequest) (string, string) { return in.InstanceArn, in.PermissionSetArn })),

		api.PutInlinePolicyToPermissionSet.To(s.putInlinePolicy, onSet(s.Service, "PutInlinePolicyToPermissionSet", func(in *api.PutInlinePolicyToPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.GetInlinePolicyForPermissionSet.To(s.getInlinePolicy, onSet(s.Service, "GetInlinePolicyForPermissionSet", func(in *api.GetInlinePolicyForPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.DeleteInlinePolicyFromPermissionSet.To(s.deleteInlinePolicy, onSet(s.Service, "DeleteInlinePolicyFromPermissionSet", func(in *api.DeleteInlinePolicyFromPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.AttachManagedPolicyToPermissionSet.To(s.attachManagedPolicy, onSet(s.Service, "AttachManagedPolicyToPermissionSet", func(in *api.AttachManagedPolicyToPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.DetachManagedPolicyFromPermissionSet.To(s.detachManagedPolicy, onSet(s.Service, "DetachManagedPolicyFromPermissionSet", func(in *api.DetachManagedPolicyFromPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.ListManagedPoliciesInPermissionSet.To(s.listManagedPolicies, onSet(s.Service, "ListManagedPoliciesInPermissionSet", func(in *api.ListManagedPoliciesInPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.AttachCustomerManagedPolicyReferenceToPermissionSet.To(s.attachCustomerPolicy, onSet(s.Service, "AttachCustomerManagedPolicyReferenceToPermissionSet", func(in *api.AttachCustomerManagedPolicyReferenceToPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.DetachCustomerManagedPolicyReferenceFromPermissionSet.To(s.detachCustomerPolicy, onSet(s.Service, "DetachCustomerManagedPolicyReferenceFromPermissionSet", func(in *api.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.ListCustomerManagedPolicyReferencesInPermissionSet.To(s.listCustomerPolicies, onSet(s.Service, "ListCustomerManagedPolicyReferencesInPermissionSet", func(in *api.ListCustomerManagedPolicyReferencesInPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.PutPermissionsBoundaryToPermissionSet.To(s.putBoundary, onSet(s.Service, "PutPermissionsBoundaryToPermissionSet", func(in *api.PutPermissionsBoundaryToPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.GetPermissionsBoundaryForPermissionSet.To(s.getBoundary, onSet(s.Service, "GetPermissionsBoundaryForPermissionSet", func(in *api.GetPermissionsBoundaryForPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.DeletePermissionsBoundaryFromPermissionSet.To(s.deleteBoundary, onSet(s.Service, "DeletePermissionsBoundaryFromPermissionSet", func(in *api.DeletePermissionsBoundaryFromPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),

		api.CreateAccountAssignment.To(s.createAccountAssignment, onAccount(s.Service, "CreateAccountAssignment", func(in *api.CreateAccountAssignmentRequest) (string, string, string) {
			return in.InstanceArn, in.PermissionSetArn, in.TargetId
		})),
		api.DeleteAccountAssignment.To(s.deleteAccountAssignment, onAccount(s.Service, "DeleteAccountAssignment", func(in *api.DeleteAccountAssignmentRequest) (string, string, string) {
			return in.InstanceArn, in.PermissionSetArn, in.TargetId
		})),
		api.ListAccountAssignments.To(s.listAccountAssignments, onAccount(s.Service, "ListAccountAssignments", func(in *api.ListAccountAssignmentsRequest) (string, string, string) {
			return in.InstanceArn, in.PermissionSetArn, in.AccountId
		})),
		api.ListAccountAssignmentsForPrincipal.To(s.listAssignmentsForPrincipal, onInstance(s.Service, "ListAccountAssignmentsForPrincipal", func(in *api.ListAccountAssignmentsForPrincipalRequest) string { return in.InstanceArn })),
		api.DescribeAccountAssignmentCreationStatus.To(s.describeCreation, onInstance(s.Service, "DescribeAccountAssignmentCreationStatus", func(in *api.DescribeAccountAssignmentCreationStatusRequest) string { return in.InstanceArn })),
		api.DescribeAccountAssignmentDeletionStatus.To(s.describeDeletion, onInstance(s.Service, "DescribeAccountAssignmentDeletionStatus", func(in *api.DescribeAccountAssignmentDeletionStatusRequest) string { return in.InstanceArn })),
		api.ListAccountAssignmentCreationStatus.To(s.listCreations, onInstance(s.Service, "ListAccountAssignmentCreationStatus", func(in *api.ListAccountAssignmentCreationStatusRequest) string { return in.InstanceArn })),
		api.ListAccountAssignmentDeletionStatus.To(s.listDeletions, onInstance(s.Service, "ListAccountAssignmentDeletionStatus", func(in *api.ListAccountAssignmentDeletionStatusRequest) string { return in.InstanceArn })),

		api.ProvisionPermissionSet.To(s.provisionPermissionSet, onAccount(s.Service, "ProvisionPermissionSet", func(in *api.ProvisionPermissionSetRequest) (string, string, string) {
			if in.TargetId == nil {
				return in.InstanceArn, in.PermissionSetArn, "*"
			}
			return in.InstanceArn, in.PermissionSetArn, *in.TargetId
		})),
		api.DescribePermissionSetProvisioningStatus.To(s.describeProvisioning, onInstance(s.Service, "DescribePermissionSetProvisioningStatus", func(in *api.DescribePermissionSetProvisioningStatusRequest) string { return in.InstanceArn })),
		api.ListPermissionSetProvisioningStatus.To(s.listProvisionings, onInstance(s.Service, "ListPermissionSetProvisioningStatus", func(in *api.ListPermissionSetProvisioningStatusRequest) string { return in.InstanceArn })),
		api.ListAccountsForProvisionedPermissionSet.To(s.listAccountsForSet, onSet(s.Service, "ListAccountsForProvisionedPermissionSet", func(in *api.ListAccountsForProvisionedPermissionSetRequest) (string, string) {
			return in.InstanceArn, in.PermissionSetArn
		})),
		api.ListPermissionSetsProvisionedToAccount.To(s.listSetsInAccount, s.setsInAccount),

		api.CreateInstanceAccessControlAttributeConfiguration.To(s.createAccessControl, onInstance(s.Service, "CreateInstanceAccessControlAttributeConfiguration", func(in *api.CreateInstanceAccessControlAttributeConfigurationRequest) string { return in.InstanceArn })),
		api.DescribeInstanceAccessControlAttributeConfiguration.To(s.describeAccessControl, onInstance(s.Service, "DescribeInstanceAccessControlAttributeConfiguration", func(in *api.DescribeInstanceAccessControlAttributeConfigurationRequest) string { return in.InstanceArn })),
		api.UpdateInstanceAccessControlAttributeConfiguration.To(s.updateAccessControl, onInstance(s.Service, "UpdateInstanceAccessControlAttributeConfiguration", func(in *api.UpdateInstanceAccessControlAttributeConfigurationRequest) string { return in.InstanceArn })),
		api.DeleteInstanceAccessControlAttributeConfiguration.To(s.deleteAccessControl, onInstance(s.Service, "DeleteInstanceAccessControlAttributeConfiguration", func(in *api.DeleteInstanceAccessControlAttributeConfigurationRequest) string { return in.InstanceArn })),

		api.CreateTrustedTokenIssuer.To(s.createTrustedTokenIssuer, s.newIssuer),
		api.DescribeTrustedTokenIssuer.To(s.describeTrustedTokenIssuer, onIssuer(s.Service, "DescribeTrustedTokenIssuer", func(in *api.DescribeTrustedTokenIssuerRequest) string { return in.TrustedTokenIssuerArn })),
		api.ListTrustedTokenIssuers.To(s.listTrustedTokenIssuers, onInstance(s.Service, "ListTrustedTokenIssuers", func(in *api.ListTrustedTokenIssuersRequest) string { return in.InstanceArn })),
		api.UpdateTrustedTokenIssuer.To(s.updateTrustedTokenIssuer, onIssuer(s.Service, "UpdateTrustedTokenIssuer", func(in *api.UpdateTrustedTokenIssuerRequest) string { return in.TrustedTokenIssuerArn })),
		api.DeleteTrustedTokenIssuer.To(s.deleteTrustedTokenIssuer, onIssuer(s.Service, "DeleteTrustedTokenIssuer", func(in *api.DeleteTrustedTokenIssuerRequest) string { return in.TrustedTokenIssuerArn })),

		api.TagResource.To(s.tagResource, s.touchTagging),
		api.UntagResource.To(s.untagResource, s.touchUntagging),
		api.ListTagsForResource.To(s.listTagsForResource, s.touchTags),
	}
}

// Needs lists what makes roles in accounts.
func (s *Service) Needs() []wire.AnyOperation {
	return []wire.AnyOperation{
		&iamapi.CreateRole, &iamapi.UpdateRole, &iamapi.DeleteRole, &iamapi.PutRolePolicy, &iamapi.DeleteRolePolicy,
		&iamapi.AttachRolePolicy, &iamapi.DetachRolePolicy, &iamapi.ListAttachedRolePolicies,
		&iamapi.PutRolePermissionsBoundary, &iamapi.DeleteRolePermissionsBoundary, &iamapi.GetSAMLProvider, &iamapi.CreateSAMLProvider,
		&stsapi.AssumeRoleWithSAML,
	}
}

// Jobs lists what Identity Center does when it falls due.
func (s *Service) Jobs() []service.Job {
	return []service.Job{
		{Kind: asking, Run: s.answer}, {Kind: forgetting, Run: s.forget}, {Kind: clearing, Run: s.clear},
		{Kind: expiring, Run: s.expire}, {Kind: syncing, Run: s.sync},
	}
}
