package organizations

import (
	"context"
	"maps"
	"slices"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// trustable are the services that can be trusted with access to an organisation.
// Organizations User Guide, "AWS services that you can use with AWS Organizations".
var trustable = [...]string{
	"access-analyzer.amazonaws.com", "account.amazonaws.com", "artifact.amazonaws.com", "auditmanager.amazonaws.com", "aws-artifact-account-sync.amazonaws.com",
	"backup.amazonaws.com", "billing-cost-management.amazonaws.com", "chatbot.amazonaws.com", "cloudtrail.amazonaws.com", "compute-optimizer.amazonaws.com",
	"config-multiaccountsetup.amazonaws.com", "config.amazonaws.com", "controltower.amazonaws.com", "cost-optimization-hub.bcm.amazonaws.com", "detective.amazonaws.com",
	"devops-guru.amazonaws.com", "ds.amazonaws.com", "ec2.amazonaws.com", "fms.amazonaws.com", "guardduty.amazonaws.com", "health.amazonaws.com",
	"iam.amazonaws.com", "inspector2.amazonaws.com", "ipam.amazonaws.com", "license-manager.amazonaws.com", "license-manager.member-account.amazonaws.com",
	"license-manager-linux-subscriptions.amazonaws.com", "license-management.marketplace.amazonaws.com", "macie.amazonaws.com", "malware-protection.guardduty.amazonaws.com",
	"member.org.stacksets.cloudformation.amazonaws.com", "networkmanager.amazonaws.com", "notifications.amazonaws.com", "observabilityadmin.amazonaws.com", "ram.amazonaws.com",
	"reachabilityanalyzer.networkinsights.amazonaws.com", "reporting.trustedadvisor.amazonaws.com", "resource-explorer-2.amazonaws.com",
	"securityhub.amazonaws.com", "securitylake.amazonaws.com", "servicecatalog.amazonaws.com", "servicequotas.amazonaws.com",
	"ssm-quicksetup.amazonaws.com", "ssm.amazonaws.com", "opsdatasync.ssm.amazonaws.com", "sso.amazonaws.com", "stacksets.cloudformation.amazonaws.com",
	"storage-lens.s3.amazonaws.com", "tagpolicies.tag.amazonaws.com", "user-subscriptions.amazonaws.com", "wellarchitected.amazonaws.com",
}

// allFeatures refuses what needs them.
func (o *organization) allFeatures() error {
	if o.all() {
		return nil
	}
	return violates(organizationsapi.ConstraintViolationExceptionReasonOrganizationNotInAllFeaturesMode,
		"You must enable all features in your organization to perform this operation.")
}

func (s *Service) enableAWSServiceAccess(ctx context.Context, in *organizationsapi.EnableAWSServiceAccessRequest) (*organizationsapi.EnableAWSServiceAccessResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.allFeatures(); err != nil {
		return nil, err
	}
	if err := checkService(in.ServicePrincipal); err != nil {
		return nil, err
	}
	if _, ok := o.Services[in.ServicePrincipal]; ok {
		return &organizationsapi.EnableAWSServiceAccessResponse{}, nil
	}
	if o.Services == nil {
		o.Services = map[string]time.Time{}
	}
	o.Services[in.ServicePrincipal] = now()
	return &organizationsapi.EnableAWSServiceAccessResponse{}, s.put(ctx, o)
}

func (s *Service) disableAWSServiceAccess(ctx context.Context, in *organizationsapi.DisableAWSServiceAccessRequest) (*organizationsapi.DisableAWSServiceAccessResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkService(in.ServicePrincipal); err != nil {
		return nil, err
	}
	have, err := s.delegations.In(o.place()).PageBy(ctx, byService, in.ServicePrincipal, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(have) > 0 {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonDelegatedAdministratorExistsForThisService,
			"You must deregister all delegated administrators of the service before you disable its access.")
	}
	if _, ok := o.Services[in.ServicePrincipal]; !ok {
		return &organizationsapi.DisableAWSServiceAccessResponse{}, nil
	}
	delete(o.Services, in.ServicePrincipal)
	return &organizationsapi.DisableAWSServiceAccessResponse{}, s.put(ctx, o)
}

func (s *Service) listAWSServiceAccessForOrganization(ctx context.Context, in *organizationsapi.ListAWSServiceAccessForOrganizationRequest) (*organizationsapi.ListAWSServiceAccessForOrganizationResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	page, next, err := slice(ctx, s, query{operation: "ListAWSServiceAccessForOrganization", token: in.NextToken, most: in.MaxResults},
		slices.Sorted(maps.Keys(o.Services)), func(name string) string { return name })
	return &organizationsapi.ListAWSServiceAccessForOrganizationResponse{NextToken: next, EnabledServicePrincipals: shown(page, func(name string) organizationsapi.EnabledServicePrincipal {
		return organizationsapi.EnabledServicePrincipal{ServicePrincipal: &name, DateEnabled: new(o.Services[name])}
	})}, err
}

func (s *Service) serviceEnabled(ctx context.Context, in *organizationsapi.EnableAWSServiceAccessRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:EnableAWSServiceAccess", map[string][]string{servicePrincipalKey: {in.ServicePrincipal}})
}

func (s *Service) serviceDisabled(ctx context.Context, in *organizationsapi.DisableAWSServiceAccessRequest) ([]wire.Touch, error) {
	return s.touched(ctx, "organizations:DisableAWSServiceAccess", map[string][]string{servicePrincipalKey: {in.ServicePrincipal}})
}
