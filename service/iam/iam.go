// Package iam is AWS Identity and Access Management.
//
// Routes is its table of contents. identity.go is what the gate asks on every
// call: whose key is this, and what may its holder do.
package iam

import (
	"slices"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves IAM.
type Service struct {
	env    service.Env
	users  *store.Table[user]
	roles  *store.Table[role]
	keys   *store.Table[accessKey] // of all accounts, in no place: a key is looked up before its account is known
	roots  *store.Table[rootUser]
	totals *store.Table[total] // of each account, by what is counted
	known  *cache

	credentials *store.Table[credentials] // by the unique ids of users
	devices     *store.Table[mfaDevice]
	guesses     guesses
	passwords   *store.Table[passwordPolicy]
	hashing     hashing

	wrongPasswords guesses
	certificates   *store.Table[serverCertificate]
	oidc           *store.Table[oidcProvider]
	saml           *store.Table[samlProvider]
}

// New returns an IAM.
func New(env service.Env) *Service {
	s := &Service{
		env:    env,
		users:  store.NewTable(env.Store, "iam.users", store.Global[user](), store.Index("id", func(u *user) []string { return []string{u.ID} })),
		roles:  store.NewTable(env.Store, "iam.roles", store.Global[role]()),
		keys:   store.NewTable(env.Store, "iam.keys", store.Global[accessKey]()).In(store.Place{}),
		roots:  store.NewTable(env.Store, "iam.roots", store.Global[rootUser]()),
		totals: store.NewTable(env.Store, "iam.totals", store.Global[total]()),

		credentials:  store.NewTable(env.Store, "iam.credentials", store.Global[credentials](), store.Index("certificate", (*credentials).prints)),
		passwords:    store.NewTable(env.Store, "iam.passwordpolicy", store.Global[passwordPolicy]()),
		hashing:      make(hashing, hashesMost),
		certificates: store.NewTable(env.Store, "iam.certificates", store.Global[serverCertificate]()),
		devices:      store.NewTable(env.Store, "iam.mfa", store.Global[mfaDevice]()),
		oidc:         store.NewTable(env.Store, "iam.oidc", store.Global[oidcProvider]()),
		saml:         store.NewTable(env.Store, "iam.saml", store.Global[samlProvider]()),
	}
	s.known = newCache(env.Store)
	return s
}

// Routes lists what IAM serves.
func (s *Service) Routes() []wire.Route {
	return slices.Concat(s.entityRoutes(), s.mfaRoutes(), s.oidcRoutes(), s.samlRoutes(), s.credentialRoutes(), s.serverCertificateRoutes())
}

// entityRoutes lists what is served for users, keys, roles and policies.
func (s *Service) entityRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateUser.To(s.createUser, s.newUser),
		iamapi.GetUser.To(s.getUser, touchUser("iam:GetUser", s, func(in *iamapi.GetUserRequest) *string { return in.UserName })),
		iamapi.ListUsers.To(s.listUsers, s.usersBelow),
		iamapi.DeleteUser.To(s.deleteUser, touchUser("iam:DeleteUser", s, func(in *iamapi.DeleteUserRequest) *string { return &in.UserName })),

		iamapi.CreateAccessKey.To(s.createAccessKey, touchUser("iam:CreateAccessKey", s, func(in *iamapi.CreateAccessKeyRequest) *string { return in.UserName })),
		iamapi.ListAccessKeys.To(s.listAccessKeys, touchUser("iam:ListAccessKeys", s, func(in *iamapi.ListAccessKeysRequest) *string { return in.UserName })),
		iamapi.UpdateAccessKey.To(s.updateAccessKey, touchUser("iam:UpdateAccessKey", s, func(in *iamapi.UpdateAccessKeyRequest) *string { return in.UserName })),
		iamapi.DeleteAccessKey.To(s.deleteAccessKey, touchUser("iam:DeleteAccessKey", s, func(in *iamapi.DeleteAccessKeyRequest) *string { return in.UserName })),
		iamapi.GetAccessKeyLastUsed.To(s.getAccessKeyLastUsed, s.holderOf),

		iamapi.PutUserPolicy.To(s.putUserPolicy, touchUser("iam:PutUserPolicy", s, func(in *iamapi.PutUserPolicyRequest) *string { return &in.UserName })),
		iamapi.GetUserPolicy.To(s.getUserPolicy, touchUser("iam:GetUserPolicy", s, func(in *iamapi.GetUserPolicyRequest) *string { return &in.UserName })),
		iamapi.ListUserPolicies.To(s.listUserPolicies, touchUser("iam:ListUserPolicies", s, func(in *iamapi.ListUserPoliciesRequest) *string { return &in.UserName })),
		iamapi.DeleteUserPolicy.To(s.deleteUserPolicy, touchUser("iam:DeleteUserPolicy", s, func(in *iamapi.DeleteUserPolicyRequest) *string { return &in.UserName })),
		iamapi.AttachUserPolicy.To(s.attachUserPolicy, s.userAndPolicy("iam:AttachUserPolicy")),
		iamapi.DetachUserPolicy.To(s.detachUserPolicy, s.userAndDetached),
		iamapi.ListAttachedUserPolicies.To(s.listAttachedUserPolicies, touchUser("iam:ListAttachedUserPolicies", s, func(in *iamapi.ListAttachedUserPoliciesRequest) *string { return &in.UserName })),

		iamapi.CreateRole.To(s.createRole, s.newRole),
		iamapi.GetRole.To(s.getRole, touchRole("iam:GetRole", s, func(in *iamapi.GetRoleRequest) string { return in.RoleName })),
		iamapi.ListRoles.To(s.listRoles, s.rolesBelow),
		iamapi.UpdateAssumeRolePolicy.To(s.updateAssumeRolePolicy, touchRole("iam:UpdateAssumeRolePolicy", s, func(in *iamapi.UpdateAssumeRolePolicyRequest) string { return in.RoleName })),
		iamapi.DeleteRole.To(s.deleteRole, touchRole("iam:DeleteRole", s, func(in *iamapi.DeleteRoleRequest) string { return in.RoleName })),
		iamapi.PutRolePolicy.To(s.putRolePolicy, touchRole("iam:PutRolePolicy", s, func(in *iamapi.PutRolePolicyRequest) string { return in.RoleName })),
		iamapi.GetRolePolicy.To(s.getRolePolicy, touchRole("iam:GetRolePolicy", s, func(in *iamapi.GetRolePolicyRequest) string { return in.RoleName })),
		iamapi.ListRolePolicies.To(s.listRolePolicies, touchRole("iam:ListRolePolicies", s, func(in *iamapi.ListRolePoliciesRequest) string { return in.RoleName })),
		iamapi.DeleteRolePolicy.To(s.deleteRolePolicy, touchRole("iam:DeleteRolePolicy", s, func(in *iamapi.DeleteRolePolicyRequest) string { return in.RoleName })),
	}
}

// Consumers keeps when each access key and role was last used, from the trail.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "iam-last-used", Stream: aws.TrailStream, Handle: s.noteUse, MaxBatch: 2048, Linger: 200 * time.Millisecond}}
}
