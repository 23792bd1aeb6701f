package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Principal is what GuardDuty is called where trust is given to it.
const Principal = "guardduty.amazonaws.com"

// A delegate is who administers GuardDuty for an organization in a region. It is kept
// in the management account, under the region.
type delegate struct {
	Administrator aws.Account
	Since         time.Time
}

// A configuration says what becomes of the organization's accounts. It is kept in the
// delegated administrator's account.
type configuration struct {
	Members    guarddutyapi.AutoEnableMembers
	Since      time.Time                                // when Members was set: who joined later is new
	Features   map[string]guarddutyapi.OrgFeatureStatus // by name
	Additional map[string]guarddutyapi.OrgFeatureStatus // by name of the feature and of what is configured
	Set        map[string]time.Time                     // when those of both were set, likewise
}

const configurationKey = "organization"

// An organization is what the call's account administers.
type organization struct {
	management    aws.Account
	id            string
	configuration *configuration
}

// enrollsAll reports whether all accounts of the organization are members, whether
// they want to or not.
func (o *organization) enrollsAll() bool {
	return o != nil && o.configuration.Members == guarddutyapi.AutoEnableMembersAll
}

// UseOrganizations tells the service how accounts belong together.
func (s *Service) UseOrganizations(o service.Organizations) { s.organizations = o }

// Needs lists what designating an administrator calls, for the caller.
func (s *Service) Needs() []wire.AnyOperation {
	return []wire.AnyOperation{&organizationsapi.EnableAWSServiceAccess, &organizationsapi.RegisterDelegatedAdministrator}
}

// administered returns the organization that the call's account administers in the
// region; nil when none.
func (s *Service) administered(ctx context.Context) (*organization, error) {
	call := aws.CallOf(ctx)
	a, err := s.administration(ctx, call.Account)
	if err != nil || !a.By(call.Account) {
		return nil, err
	}
	d, err := s.delegateOf(ctx, a.Management)
	if err != nil || d == nil || d.Administrator != call.Account {
		return nil, err
	}
	c, err := s.configurations.Get(ctx, configurationKey)
	if errors.Is(err, store.ErrNotFound) {
		c = &configuration{Members: guarddutyapi.AutoEnableMembersNone}
	} else if err != nil {
		return nil, err
	}
	return &organization{a.Management, a.Organization, c}, nil
}

func (s *Service) administration(ctx context.Context, account aws.Account) (*service.Administration, error) {
	if s.organizations == nil {
		return nil, nil
	}
	return s.organizations.Administration(ctx, account, Principal)
}

// maxKinship is how many accounts' organizations are remembered for a batch.
const maxKinship = 4096

// kinship returns what says whether two accounts are of one organization. It asks for
// each account once. Where that cannot be told, they are strangers: what is suspicious
// stays so.
func (s *Service) kinship(ctx context.Context) func(owner, other aws.Account) bool {
	of := map[aws.Account]string{}
	organization := func(account aws.Account) string {
		if id, ok := of[account]; ok {
			return id
		}
		if len(of) >= maxKinship {
			clear(of)
		}
		of[account] = ""
		a, err := s.administration(ctx, account)
		if err != nil {
			s.env.Log.Warn("it cannot be told to which organization an account belongs", "account", account, "error", err)
		} else if a != nil {
			of[account] = a.Organization
		}
		return of[account]
	}
	return func(owner, other aws.Account) bool {
		id := organization(owner)
		return id != "" && id == organization(other)
	}
}

// delegateOf returns who administers GuardDuty in the call's region for the
// organization of a management account, nil when nobody does.
func (s *Service) delegateOf(ctx context.Context, management aws.Account) (*delegate, error) {
	d, err := s.delegates.In(store.Place{Account: management}).Get(ctx, string(aws.CallOf(ctx).Region))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return d, err
}

// managed returns the organization that the call's account manages.
func (s *Service) managed(ctx context.Context) (*service.Administration, error) {
	a, err := s.administration(ctx, aws.CallOf(ctx).Account)
	if err == nil && (a == nil || a.Management != aws.CallOf(ctx).Account) {
		err = bad("InvalidInputException", "The request failed because the current account is not the management account of an organization.")
	}
	return a, err
}

// enableOrganizationAdminAccount designates who administers GuardDuty for the
// organization. GuardDuty is given trusted access to it, and starts in the
// administrator's account. User Guide, "Designating a delegated GuardDuty
// administrator account".
func (s *Service) enableOrganizationAdminAccount(ctx context.Context, in *guarddutyapi.EnableOrganizationAdminAccountRequest) (*guarddutyapi.EnableOrganizationAdminAccountResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	account := aws.Account(in.AdminAccountId)
	theirs, err := s.administration(ctx, account)
	if err != nil {
		return nil, err
	}
	if theirs == nil || theirs.Organization != o.Organization {
		return nil, bad("InvalidInputException", "The request failed because the account %s is not an account of the organization.", account)
	}
	for e, err := range s.delegates.In(store.Place{Account: o.Management}).All(ctx, "") {
		if err != nil {
			return nil, err
		}
		if e.Value.Administrator != account {
			return nil, bad("InvalidInputException", "The request failed because the organization already has the delegated administrator account %s; it is the same in all Regions.", e.Value.Administrator)
		}
	}
	h, err := s.headOf(ctx, account)
	if err != nil {
		return nil, err
	}
	if h != nil {
		return nil, bad("InvalidInputException", "The request failed because the account %s is an associated member of administrator account %s.", account, h.Administrator)
	}
	if !theirs.Trusted {
		if _, err := organizationsapi.EnableAWSServiceAccess.Call(ctx, s.env.AWS, &organizationsapi.EnableAWSServiceAccessRequest{ServicePrincipal: Principal}); err != nil {
			return nil, err
		}
	}
	if !theirs.Delegated && account != o.Management { // who manages needs no leave
		if _, err := organizationsapi.RegisterDelegatedAdministrator.Call(ctx, s.env.AWS, &organizationsapi.RegisterDelegatedAdministratorRequest{AccountId: string(account), ServicePrincipal: Principal}); err != nil {
			return nil, err
		}
	}
	if _, err := s.started(ctx, account, true); err != nil {
		return nil, err
	}
	// Members by invitation that are of the organization are so by it from now on.
	s.follow(ctx, account, aws.CallOf(ctx).Region)
	return &guarddutyapi.EnableOrganizationAdminAccountResponse{}, s.delegates.In(store.Place{Account: o.Management}).Put(ctx, string(aws.CallOf(ctx).Region), &delegate{account, time.Now()})
}

// started returns an account's detector, which it makes, with the plans of a new one or
// without, or starts when there is need.
func (s *Service) started(ctx context.Context, account aws.Account, plans bool) (*detector, error) {
	table := s.detectors.In(here(ctx, account))
	all, err := table.Page(ctx, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if len(all) == 0 {
		d := &detector{ID: newID(), Enabled: true, Frequency: guarddutyapi.FindingPublishingFrequencySixHours, Created: now, Updated: now}
		d.begin(plans, now)
		if err := s.present(ctx, here(ctx, account), true); err != nil {
			return nil, err
		}
		return d, table.Insert(ctx, d.ID, d)
	}
	d := all[0].Value
	if d.Enabled {
		return d, nil
	}
	d.Enabled, d.Updated = true, now
	return d, table.Put(ctx, d.ID, d)
}

// disableOrganizationAdminAccount ends the administration in the region; the members
// that came by the organization go their own ways, their detectors go on.
func (s *Service) disableOrganizationAdminAccount(ctx context.Context, in *guarddutyapi.DisableOrganizationAdminAccountRequest) (*guarddutyapi.DisableOrganizationAdminAccountResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.delegateOf(ctx, o.Management)
	if err != nil {
		return nil, err
	}
	if d == nil || string(d.Administrator) != in.AdminAccountId {
		return nil, bad("InvalidInputException", "The request failed because the account %s is not the delegated administrator account of the organization.", in.AdminAccountId)
	}
	if err := s.delegates.In(store.Place{Account: o.Management}).Delete(ctx, string(aws.CallOf(ctx).Region)); err != nil {
		return nil, err
	}
	s.follow(ctx, d.Administrator, aws.CallOf(ctx).Region)
	err = s.configurations.In(here(ctx, d.Administrator)).Delete(ctx, configurationKey)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return &guarddutyapi.DisableOrganizationAdminAccountResponse{}, err
}

func (s *Service) listOrganizationAdminAccounts(ctx context.Context, _ *guarddutyapi.ListOrganizationAdminAccountsRequest) (*guarddutyapi.ListOrganizationAdminAccountsResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.delegateOf(ctx, o.Management)
	if err != nil {
		return nil, err
	}
	out := &guarddutyapi.ListOrganizationAdminAccountsResponse{AdminAccounts: []guarddutyapi.AdminAccount{}}
	if d != nil {
		out.AdminAccounts = append(out.AdminAccounts, guarddutyapi.AdminAccount{AdminAccountId: new(string(d.Administrator)), AdminStatus: new(guarddutyapi.AdminStatusEnabled)})
	}
	return out, nil
}

// governed returns the organization that the owner of a detector administers.
func (s *Service) governed(ctx context.Context, detectorID string) (*organization, error) {
	if _, err := s.own(ctx, detectorID); err != nil {
		return nil, err
	}
	return s.governs(ctx)
}

func (s *Service) governs(ctx context.Context) (*organization, error) {
	o, err := s.administered(ctx)
	if err == nil && o == nil {
		err = bad("InvalidInputException", "The request is rejected because the current account is not the delegated administrator account of an organization.")
	}
	return o, err
}

func (s *Service) describeOrganizationConfiguration(ctx context.Context, in *guarddutyapi.DescribeOrganizationConfigurationRequest) (*guarddutyapi.DescribeOrganizationConfigurationResponse, error) {
	o, err := s.governed(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	n, err := s.count(ctx)
	if err != nil {
		return nil, err
	}
	c := o.configuration
	on := func(name string) bool { return c.feature(name) != guarddutyapi.OrgFeatureStatusNone }
	out := &guarddutyapi.DescribeOrganizationConfigurationResponse{
		AutoEnable: new(c.Members != guarddutyapi.AutoEnableMembersNone), AutoEnableOrganizationMembers: &c.Members, MemberAccountLimitReached: n >= maxMembers,
		DataSources: &guarddutyapi.OrganizationDataSourceConfigurationsResult{
			S3Logs:     &guarddutyapi.OrganizationS3LogsConfigurationResult{AutoEnable: on("S3_DATA_EVENTS")},
			Kubernetes: &guarddutyapi.OrganizationKubernetesConfigurationResult{AuditLogs: &guarddutyapi.OrganizationKubernetesAuditLogsConfigurationResult{AutoEnable: on("EKS_AUDIT_LOGS")}},
			MalwareProtection: &guarddutyapi.OrganizationMalwareProtectionConfigurationResult{ScanEc2InstanceWithFindings: &guarddutyapi.OrganizationScanEc2InstanceWithFindingsResult{
				EbsVolumes: &guarddutyapi.OrganizationEbsVolumesResult{AutoEnable: new(on("EBS_MALWARE_PROTECTION"))},
			}},
		},
	}
	for _, name := range guarddutyapi.OrgFeature("").Values() {
		f := guarddutyapi.OrganizationFeatureConfigurationResult{Name: new(guarddutyapi.OrgFeature(name)), AutoEnable: new(c.feature(name))}
		for _, key := range additional(name) {
			f.AdditionalConfiguration = append(f.AdditionalConfiguration, guarddutyapi.OrganizationAdditionalConfigurationResult{Name: new(guarddutyapi.OrgFeatureAdditionalConfiguration(key)), AutoEnable: new(c.more(name, key))})
		}
		out.Features = append(out.Features, f)
	}
	return out, nil
}

func (c *configuration) feature(name string) guarddutyapi.OrgFeatureStatus {
	if f, ok := c.Features[name]; ok {
		return f
	}
	return guarddutyapi.OrgFeatureStatusNone
}

func (c *configuration) more(name, key string) guarddutyapi.OrgFeatureStatus {
	if f, ok := c.Additional[name+"/"+key]; ok {
		return f
	}
	return guarddutyapi.OrgFeatureStatusNone
}

// updateOrganizationConfiguration says what becomes of accounts. Both spellings mean
// the same, but only one may be used.
func (s *Service) updateOrganizationConfiguration(ctx context.Context, in *guarddutyapi.UpdateOrganizationConfigurationRequest) (*guarddutyapi.UpdateOrganizationConfigurationResponse, error) {
	o, err := s.governed(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	if in.AutoEnable != nil && in.AutoEnableOrganizationMembers != nil {
		return nil, bad("InvalidInputException", "The request is rejected because both autoEnable and autoEnableOrganizationMembers are specified.")
	}
	if in.DataSources != nil && len(in.Features) > 0 {
		return nil, bad("InvalidInputException", "The request is rejected because both dataSources and features are specified.")
	}
	c, now := o.configuration, time.Now()
	members := in.AutoEnableOrganizationMembers
	if in.AutoEnable != nil {
		members = new(guarddutyapi.AutoEnableMembersNone)
		if *in.AutoEnable {
			members = new(guarddutyapi.AutoEnableMembersNew)
		}
	}
	if members != nil && *members != c.Members {
		c.Members, c.Since = *members, now
	}
	c.sources(in.DataSources, now)
	for _, f := range in.Features {
		if f.Name == nil {
			return nil, invalid("features")
		}
		name := string(*f.Name)
		if f.AutoEnable != nil {
			c.set(&c.Features, name, *f.AutoEnable, now)
		}
		for _, a := range f.AdditionalConfiguration {
			if !has(additional(name), text(a.Name)) || a.AutoEnable == nil {
				return nil, invalid("features")
			}
			c.set(&c.Additional, name+"/"+text(a.Name), *a.AutoEnable, now)
		}
	}
	if c.feature("EKS_RUNTIME_MONITORING") != guarddutyapi.OrgFeatureStatusNone && c.feature("RUNTIME_MONITORING") != guarddutyapi.OrgFeatureStatusNone {
		return nil, bad("InvalidInputException", "The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot both be enabled.")
	}
	s.follow(ctx, aws.CallOf(ctx).Account, aws.CallOf(ctx).Region)
	return &guarddutyapi.UpdateOrganizationConfigurationResponse{}, s.configurations.Put(ctx, configurationKey, c)
}

func (c *configuration) set(in *map[string]guarddutyapi.OrgFeatureStatus, key string, to guarddutyapi.OrgFeatureStatus, now time.Time) {
	if *in == nil {
		*in = map[string]guarddutyapi.OrgFeatureStatus{}
	}
	if c.Set == nil {
		c.Set = map[string]time.Time{}
	}
	if (*in)[key] != to {
		(*in)[key], c.Set[key] = to, now
	}
}

// sources keeps the older spelling, which knows new accounts only.
func (c *configuration) sources(in *guarddutyapi.OrganizationDataSourceConfigurations, now time.Time) {
	if in == nil {
		return
	}
	set := func(name string, on bool) {
		to := guarddutyapi.OrgFeatureStatusNone
		if on {
			to = guarddutyapi.OrgFeatureStatusNew
		}
		c.set(&c.Features, name, to, now)
	}
	if x := in.S3Logs; x != nil {
		set("S3_DATA_EVENTS", x.AutoEnable)
	}
	if x := in.Kubernetes; x != nil && x.AuditLogs != nil {
		set("EKS_AUDIT_LOGS", x.AuditLogs.AutoEnable)
	}
	if x := in.MalwareProtection; x != nil && x.ScanEc2InstanceWithFindings != nil && x.ScanEc2InstanceWithFindings.EbsVolumes != nil && x.ScanEc2InstanceWithFindings.EbsVolumes.AutoEnable != nil {
		set("EBS_MALWARE_PROTECTION", *x.ScanEc2InstanceWithFindings.EbsVolumes.AutoEnable)
	}
}

// getOrganizationStatistics counts the organization's accounts: all, members, those
// that are watched, and those with each protection plan.
func (s *Service) getOrganizationStatistics(ctx context.Context, _ *guarddutyapi.GetOrganizationStatisticsRequest) (*guarddutyapi.GetOrganizationStatisticsResponse, error) {
	o, err := s.governs(ctx)
	if err != nil {
		return nil, err
	}
	var all, members, active, enabled int32
	plans, more := map[string]int32{}, map[string]int32{}
	for after := aws.Account(""); ; {
		page, err := s.organizations.Accounts(ctx, o.management, after, followed)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			all++
			m, d, _, err := s.detectorOf(ctx, a.ID)
			if err != nil {
				return nil, err
			}
			if a.ID == aws.CallOf(ctx).Account { // it administers; its detector counts as its members' do
				if d, err = s.detector(ctx); err != nil {
					return nil, err
				}
			}
			if m != nil {
				members++
				if m.Status == memberEnabled {
					active++
				}
			}
			if d == nil || !d.Enabled {
				continue
			}
			enabled++
			for name, f := range d.Features {
				if f.Enabled {
					plans[name]++
				}
				for key, on := range f.More {
					if on {
						more[name+"/"+key]++
					}
				}
			}
		}
		if len(page) < followed {
			break
		}
		after = page[len(page)-1].ID
	}
	out := &guarddutyapi.OrganizationStatistics{TotalAccountsCount: &all, MemberAccountsCount: &members, ActiveAccountsCount: &active, EnabledAccountsCount: &enabled}
	for _, name := range guarddutyapi.OrgFeature("").Values() {
		f := guarddutyapi.OrganizationFeatureStatistics{Name: new(guarddutyapi.OrgFeature(name)), EnabledAccountsCount: new(plans[name])}
		for _, key := range additional(name) {
			f.AdditionalConfiguration = append(f.AdditionalConfiguration, guarddutyapi.OrganizationFeatureStatisticsAdditionalConfiguration{
				Name: new(guarddutyapi.OrgFeatureAdditionalConfiguration(key)), EnabledAccountsCount: new(more[name+"/"+key]),
			})
		}
		out.CountByFeature = append(out.CountByFeature, f)
	}
	return &guarddutyapi.GetOrganizationStatisticsResponse{OrganizationDetails: &guarddutyapi.OrganizationDetails{UpdatedAt: new(time.Now()), OrganizationStatistics: out}}, nil
}
