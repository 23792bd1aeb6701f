package iam

import (
	"context"
	"errors"
	"slices"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Principal names IAM to other services.
const Principal = "iam.amazonaws.com"

// A rootAccess is what an organisation has enabled of centralised root access. It
// stands in the place of the management account. IAM User Guide, "Centralize root
// access for member accounts".
type rootAccess struct {
	Organization string // a later one of the same account has enabled nothing yet
	Features     []iamapi.FeatureType
}

const rootAccessID = "features"

// Administration says how an account stands to the administration of IAM in its
// organisation; nil when it is in none.
type Administration func(context.Context, aws.Account) (*service.Administration, error)

// UseAdministration tells IAM who administers it for organisations. The plane calls
// it before the first call.
func (s *Service) UseAdministration(of Administration) { s.administration = of }

func (s *Service) rootAccessRoutes() []wire.Route {
	return []wire.Route{
		iamapi.EnableOrganizationsRootCredentialsManagement.To(
			func(ctx context.Context, _ *iamapi.EnableOrganizationsRootCredentialsManagementRequest) (*iamapi.EnableOrganizationsRootCredentialsManagementResponse, error) {
				a, err := s.enable(ctx, iamapi.FeatureTypeRootCredentialsManagement)
				return (*iamapi.EnableOrganizationsRootCredentialsManagementResponse)(a), err
			}, touchAll[iamapi.EnableOrganizationsRootCredentialsManagementRequest]("iam:EnableOrganizationsRootCredentialsManagement")),
		iamapi.EnableOrganizationsRootSessions.To(
			func(ctx context.Context, _ *iamapi.EnableOrganizationsRootSessionsRequest) (*iamapi.EnableOrganizationsRootSessionsResponse, error) {
				a, err := s.enable(ctx, iamapi.FeatureTypeRootSessions)
				return (*iamapi.EnableOrganizationsRootSessionsResponse)(a), err
			}, touchAll[iamapi.EnableOrganizationsRootSessionsRequest]("iam:EnableOrganizationsRootSessions")),
		iamapi.DisableOrganizationsRootCredentialsManagement.To(
			func(ctx context.Context, _ *iamapi.DisableOrganizationsRootCredentialsManagementRequest) (*iamapi.DisableOrganizationsRootCredentialsManagementResponse, error) {
				a, err := s.disable(ctx, iamapi.FeatureTypeRootCredentialsManagement)
				return (*iamapi.DisableOrganizationsRootCredentialsManagementResponse)(a), err
			}, touchAll[iamapi.DisableOrganizationsRootCredentialsManagementRequest]("iam:DisableOrganizationsRootCredentialsManagement")),
		iamapi.DisableOrganizationsRootSessions.To(
			func(ctx context.Context, _ *iamapi.DisableOrganizationsRootSessionsRequest) (*iamapi.DisableOrganizationsRootSessionsResponse, error) {
				a, err := s.disable(ctx, iamapi.FeatureTypeRootSessions)
				return (*iamapi.DisableOrganizationsRootSessionsResponse)(a), err
			}, touchAll[iamapi.DisableOrganizationsRootSessionsRequest]("iam:DisableOrganizationsRootSessions")),
		iamapi.ListOrganizationsFeatures.To(s.listOrganizationsFeatures, touchAll[iamapi.ListOrganizationsFeaturesRequest]("iam:ListOrganizationsFeatures")),
	}
}

func (s *Service) listOrganizationsFeatures(ctx context.Context, _ *iamapi.ListOrganizationsFeaturesRequest) (*iamapi.ListOrganizationsFeaturesResponse, error) {
	a, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	access, err := s.rootAccess(ctx, a)
	if err != nil {
		return nil, err
	}
	return access.shown(), nil
}

func (s *Service) enable(ctx context.Context, f iamapi.FeatureType) (*iamapi.ListOrganizationsFeaturesResponse, error) {
	return s.change(ctx, true, func(all []iamapi.FeatureType) []iamapi.FeatureType {
		if slices.Contains(all, f) {
			return all
		}
		return append(all, f)
	})
}

func (s *Service) disable(ctx context.Context, f iamapi.FeatureType) (*iamapi.ListOrganizationsFeaturesResponse, error) {
	return s.change(ctx, false, func(all []iamapi.FeatureType) []iamapi.FeatureType {
		return slices.DeleteFunc(all, func(have iamapi.FeatureType) bool { return have == f })
	})
}

// change changes what is enabled. Enabling is for the management account alone.
func (s *Service) change(ctx context.Context, management bool, to func([]iamapi.FeatureType) []iamapi.FeatureType) (*iamapi.ListOrganizationsFeaturesResponse, error) {
	a, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	if management && a.Management != aws.CallOf(ctx).Account {
		return nil, iamapi.CallerIsNotManagementAccountException.New("The account making the request is not the management account of the organization.")
	}
	access, err := s.rootAccess(ctx, a)
	if err != nil {
		return nil, err
	}
	access.Features = to(access.Features)
	return access.shown(), s.rootAccesses.In(store.Place{Account: a.Management}).Put(ctx, rootAccessID, access)
}

// administered returns the organisation that the caller administers IAM for.
func (s *Service) administered(ctx context.Context) (*service.Administration, error) {
	account := aws.CallOf(ctx).Account
	a, err := s.administrationOf(ctx, account)
	switch {
	case err != nil:
		return nil, err
	case a == nil:
		return nil, iamapi.OrganizationNotFoundException.New("The request was rejected because no organization is associated with your account.")
	case a.Management != account && !a.Delegated:
		return nil, iamapi.AccountNotManagementOrDelegatedAdministratorException.New("The account making the request is not the management account or delegated administrator account for centralized root access.")
	case !a.AllFeatures:
		return nil, iamapi.OrganizationNotInAllFeaturesModeException.New("The request was rejected because your organization does not have All features enabled.")
	case !a.Trusted:
		return nil, iamapi.ServiceAccessNotEnabledException.New("The request was rejected because trusted access is not enabled for IAM in Organizations.")
	}
	return a, nil
}

func (s *Service) administrationOf(ctx context.Context, account aws.Account) (*service.Administration, error) {
	if s.administration == nil {
		return nil, nil
	}
	return s.administration(ctx, account)
}

func (s *Service) rootAccess(ctx context.Context, a *service.Administration) (*rootAccess, error) {
	have, err := s.rootAccesses.In(store.Place{Account: a.Management}).Get(ctx, rootAccessID)
	if errors.Is(err, store.ErrNotFound) || err == nil && have.Organization != a.Organization {
		return &rootAccess{Organization: a.Organization, Features: []iamapi.FeatureType{}}, nil
	}
	return have, err
}

func (r *rootAccess) shown() *iamapi.ListOrganizationsFeaturesResponse {
	return &iamapi.ListOrganizationsFeaturesResponse{OrganizationId: &r.Organization, EnabledFeatures: r.Features}
}

// RootAccess returns the organisation for whose members account may do root's tasks,
// and the features that are enabled there: "RootSessions". Empty when account
// administers IAM for none.
func (s *Service) RootAccess(ctx context.Context, account aws.Account) (organization string, features []string, err error) {
	a, err := s.administrationOf(ctx, account)
	if err != nil || !a.By(account) {
		return "", nil, err
	}
	access, err := s.rootAccess(ctx, a)
	if err != nil {
		return "", nil, err
	}
	for _, f := range access.Features {
		features = append(features, string(f))
	}
	return a.Organization, features, nil
}
