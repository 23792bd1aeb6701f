package iam

import (
	"context"
	"errors"
	"regexp"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// alias is the account that a name stands for; it is kept under the name.
type alias struct{ Account aws.Account }

func (s *Service) accountRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateAccountAlias.To(s.createAccountAlias, touchAll[iamapi.CreateAccountAliasRequest]("iam:CreateAccountAlias")),
		iamapi.ListAccountAliases.To(s.listAccountAliases, touchAll[iamapi.ListAccountAliasesRequest]("iam:ListAccountAliases")),
		iamapi.DeleteAccountAlias.To(s.deleteAccountAlias, touchAll[iamapi.DeleteAccountAliasRequest]("iam:DeleteAccountAlias")),
		iamapi.GetAccountSummary.To(s.getAccountSummary, touchAll[iamapi.GetAccountSummaryRequest]("iam:GetAccountSummary")),
		iamapi.GetAccountAuthorizationDetails.To(s.getAccountAuthorizationDetails, touchAll[iamapi.GetAccountAuthorizationDetailsRequest]("iam:GetAccountAuthorizationDetails")),
	}
}

// aliasOf returns the alias of the call's account, empty when it has none.
func (s *Service) aliasOf(ctx context.Context) (string, error) {
	found, err := s.aliases.PageBy(ctx, "account", string(aws.CallOf(ctx).Account), store.Range{Limit: 1})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}

var accountForm = regexp.MustCompile(`^[0-9]{12}$`)

// createAccountAlias takes the place of an alias that the account had: there is
// one at most. IAM User Guide, "Use an alias for your AWS account ID".
func (s *Service) createAccountAlias(ctx context.Context, in *iamapi.CreateAccountAliasRequest) (*iamapi.CreateAccountAliasResponse, error) {
	if accountForm.MatchString(in.AccountAlias) {
		return nil, iamapi.InvalidInputException.New("The account alias %s looks like an account ID.", in.AccountAlias)
	}
	had, err := s.aliasOf(ctx)
	if err != nil {
		return nil, err
	}
	if had == in.AccountAlias {
		return &iamapi.CreateAccountAliasResponse{}, nil
	}
	err = s.aliases.Insert(ctx, in.AccountAlias, &alias{Account: aws.CallOf(ctx).Account})
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("The account alias %s already exists.", in.AccountAlias)
	}
	if err == nil && had != "" {
		err = s.aliases.Delete(ctx, had)
	}
	return &iamapi.CreateAccountAliasResponse{}, err
}

func (s *Service) listAccountAliases(ctx context.Context, in *iamapi.ListAccountAliasesRequest) (*iamapi.ListAccountAliasesResponse, error) {
	has, err := s.aliasOf(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	if has != "" {
		all = append(all, has)
	}
	page, next, err := names(ctx, s, "ListAccountAliases", "", all, in.Marker, in.MaxItems)
	return &iamapi.ListAccountAliasesResponse{AccountAliases: page, Marker: next, IsTruncated: new(next != nil)}, err
}

func (s *Service) deleteAccountAlias(ctx context.Context, in *iamapi.DeleteAccountAliasRequest) (*iamapi.DeleteAccountAliasResponse, error) {
	has, err := s.aliasOf(ctx)
	if err != nil {
		return nil, err
	}
	if has != in.AccountAlias {
		return nil, iamapi.NoSuchEntityException.New("The account alias with name %s cannot be found.", in.AccountAlias)
	}
	return &iamapi.DeleteAccountAliasResponse{}, s.aliases.Delete(ctx, has)
}

func (s *Service) getAccountSummary(ctx context.Context, _ *iamapi.GetAccountSummaryRequest) (*iamapi.GetAccountSummaryResponse, error) {
	root, err := s.root(ctx)
	if err != nil {
		return nil, err
	}
	m := map[string]int32{
		"UserPolicySizeQuota": policy.MaxUserInline, "GroupPolicySizeQuota": policy.MaxGroupInline, "RolePolicySizeQuota": policy.MaxRoleInline,
		"AssumeRolePolicySizeQuota": policy.MaxTrust, "PolicySizeQuota": policy.MaxManaged, "VersionsPerPolicyQuota": versionsMost,
		"GroupsPerUserQuota": groupsPerUser, "AccessKeysPerUserQuota": keysPerUser,
		"AttachedPoliciesPerUserQuota": int32(attachedToUser.most), "AttachedPoliciesPerGroupQuota": int32(attachedToGroup.most), "AttachedPoliciesPerRoleQuota": int32(attachedToRole.most), //nolint:gosec // small
		"AccountAccessKeysPresent": oneIf(len(root.Keys) > 0), "SigningCertificatesPerUserQuota": signingPerUser,
	}
	if err := s.summariseCredentials(ctx, m); err != nil {
		return nil, err
	}
	for name, q := range map[string]quota{
		"Users": usersQuota, "Groups": groupsQuota, "Roles": rolesQuota, "Policies": policiesQuota, "InstanceProfiles": profilesQuota, "PolicyVersionsInUse": versionsQuota,
		"ServerCertificates": serverCertificatesQuota,
	} {
		n, err := others(ctx, s.totals, q, "")
		if err != nil {
			return nil, err
		}
		m[name], m[name+"Quota"] = int32(n), int32(q.most) //nolint:gosec // quotas are smaller
	}
	return &iamapi.GetAccountSummaryResponse{SummaryMap: m}, nil
}

func oneIf(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
