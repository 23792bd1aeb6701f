// Package guardduty is Amazon GuardDuty: detectors, threat lists, and findings about calls and DNS queries.
//
// Routes is its table of contents. CloudTrail records and DNS queries come by the
// spine: consume.go applies the rules of detect to them and keeps findings;
// publish.go tells others.
package guardduty

import (
	"crypto/sha256"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/detect/enrich"
	"sumun.dev/detect/intel"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves GuardDuty.
type Service struct {
	env       service.Env
	detectors *store.Table[detector]
	presences *store.Table[presence]
	findings  *store.Table[kept]
	groups    *store.Table[group]
	sets      *store.Table[set]
	pieces    *store.Table[piece]
	filters   *store.Table[filter]

	members        *store.Table[member]
	invitations    *store.Table[invitation]
	heads          *store.Table[head]
	delegates      *store.Table[delegate]
	configurations *store.Table[configuration]
	usage          *store.Table[usage]
	organizations  service.Organizations // nil: there are none

	remains *store.Table[remains]
	parts   *store.Table[part]
	packer  packer

	feeds  Feeds
	net    func() *enrich.Net // what is known of addresses; nil: nothing
	inUse  inUse
	book   *intel.Book
	loaded loaded
	counts counts
}

// New returns GuardDuty.
func New(env service.Env) *Service {
	s := &Service{
		env:       env,
		detectors: store.NewTable[detector](env.Store, "guardduty.detectors"),
		presences: store.NewTable(env.Store, "guardduty.presences", store.Global[presence]()),
		findings:  store.NewTable[kept](env.Store, "guardduty.findings"),
		groups:    store.NewTable[group](env.Store, "guardduty.groups"),
		sets:      store.NewTable[set](env.Store, "guardduty.sets"),
		pieces:    store.NewTable[piece](env.Store, "guardduty.pieces"),
		filters:   store.NewTable[filter](env.Store, "guardduty.filters"),

		members:        store.NewTable[member](env.Store, "guardduty.members"),
		invitations:    store.NewTable[invitation](env.Store, "guardduty.invitations"),
		heads:          store.NewTable[head](env.Store, "guardduty.heads"),
		delegates:      store.NewTable(env.Store, "guardduty.delegates", store.Global[delegate]()),
		configurations: store.NewTable[configuration](env.Store, "guardduty.configurations"),
		usage:          store.NewTable[usage](env.Store, "guardduty.usage"),

		remains: store.NewTable(env.Store, "guardduty.remembered", store.Global[remains]()),
		parts:   store.NewTable(env.Store, "guardduty.memory", store.Global[part]()),
		packer:  newPacker(),

		book:   intel.NewBook(intel.Builtin()...),
		inUse:  inUse{sums: map[string][sha256.Size]byte{}},
		loaded: loaded{places: map[store.Place]*compiling{}, compiled: map[store.Place]map[string]compiled{}},
	}
	env.Store.Watch("guardduty.sets", s.loaded.changed)
	env.Store.Watch("guardduty.heads", s.loaded.changed)
	return s
}

// Routes lists what GuardDuty serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		guarddutyapi.CreateDetector.To(s.createDetector, touchNewDetector),
		guarddutyapi.GetDetector.To(s.getDetector, touchDetector(s, "guardduty:GetDetector", func(in *guarddutyapi.GetDetectorRequest) string { return in.DetectorId })),
		guarddutyapi.ListDetectors.To(s.listDetectors, touchAll[*guarddutyapi.ListDetectorsRequest]("guardduty:ListDetectors")),
		guarddutyapi.UpdateDetector.To(s.updateDetector, touchDetector(s, "guardduty:UpdateDetector", func(in *guarddutyapi.UpdateDetectorRequest) string { return in.DetectorId })),
		guarddutyapi.DeleteDetector.To(s.deleteDetector, touchDetector(s, "guardduty:DeleteDetector", func(in *guarddutyapi.DeleteDetectorRequest) string { return in.DetectorId })),

		guarddutyapi.ListFindings.To(s.listFindings, touchDetector(s, "guardduty:ListFindings", func(in *guarddutyapi.ListFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.GetFindings.To(s.getFindings, touchDetector(s, "guardduty:GetFindings", func(in *guarddutyapi.GetFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.ArchiveFindings.To(s.archiveFindings, touchDetector(s, "guardduty:ArchiveFindings", func(in *guarddutyapi.ArchiveFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.UnarchiveFindings.To(s.unarchiveFindings, touchDetector(s, "guardduty:UnarchiveFindings", func(in *guarddutyapi.UnarchiveFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateFindingsFeedback.To(s.updateFindingsFeedback, touchDetector(s, "guardduty:UpdateFindingsFeedback", func(in *guarddutyapi.UpdateFindingsFeedbackRequest) string { return in.DetectorId })),
		guarddutyapi.CreateSampleFindings.To(s.createSampleFindings, touchDetector(s, "guardduty:CreateSampleFindings", func(in *guarddutyapi.CreateSampleFindingsRequest) string { return in.DetectorId })),
		guarddutyapi.GetFindingsStatistics.To(s.getFindingsStatistics, touchDetector(s, "guardduty:GetFindingsStatistics", func(in *guarddutyapi.GetFindingsStatisticsRequest) string { return in.DetectorId })),

		guarddutyapi.CreateFilter.To(s.createFilter, touchNewFilter),
		guarddutyapi.GetFilter.To(s.getFilter, touchFilter(s, "guardduty:GetFilter", func(in *guarddutyapi.GetFilterRequest) (string, string) { return in.DetectorId, in.FilterName })),
		guarddutyapi.ListFilters.To(s.listFilters, touchDetector(s, "guardduty:ListFilters", func(in *guarddutyapi.ListFiltersRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateFilter.To(s.updateFilter, touchFilter(s, "guardduty:UpdateFilter", func(in *guarddutyapi.UpdateFilterRequest) (string, string) { return in.DetectorId, in.FilterName })),
		guarddutyapi.DeleteFilter.To(s.deleteFilter, touchFilter(s, "guardduty:DeleteFilter", func(in *guarddutyapi.DeleteFilterRequest) (string, string) { return in.DetectorId, in.FilterName })),

		guarddutyapi.CreateIPSet.To(s.createIPSet, touchNew("guardduty:CreateIPSet", func(in *guarddutyapi.CreateIPSetRequest) (string, map[string]string) {
			return in.DetectorId, in.Tags
		})),
		guarddutyapi.GetIPSet.To(s.getIPSet, touchSet(s, "guardduty:GetIPSet", ipSet, func(in *guarddutyapi.GetIPSetRequest) (string, string) {
			return in.DetectorId, in.IpSetId
		})),
		guarddutyapi.ListIPSets.To(s.listIPSets, touchDetector(s, "guardduty:ListIPSets", func(in *guarddutyapi.ListIPSetsRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateIPSet.To(s.updateIPSet, touchSet(s, "guardduty:UpdateIPSet", ipSet, func(in *guarddutyapi.UpdateIPSetRequest) (string, string) {
			return in.DetectorId, in.IpSetId
		})),
		guarddutyapi.DeleteIPSet.To(s.deleteIPSet, touchSet(s, "guardduty:DeleteIPSet", ipSet, func(in *guarddutyapi.DeleteIPSetRequest) (string, string) {
			return in.DetectorId, in.IpSetId
		})),

		guarddutyapi.CreateThreatIntelSet.To(s.createThreatIntelSet, touchNew("guardduty:CreateThreatIntelSet", func(in *guarddutyapi.CreateThreatIntelSetRequest) (string, map[string]string) {
			return in.DetectorId, in.Tags
		})),
		guarddutyapi.GetThreatIntelSet.To(s.getThreatIntelSet, touchSet(s, "guardduty:GetThreatIntelSet", threatIntel, func(in *guarddutyapi.GetThreatIntelSetRequest) (string, string) {
			return in.DetectorId, in.ThreatIntelSetId
		})),
		guarddutyapi.ListThreatIntelSets.To(s.listThreatIntelSets, touchDetector(s, "guardduty:ListThreatIntelSets", func(in *guarddutyapi.ListThreatIntelSetsRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateThreatIntelSet.To(s.updateThreatIntelSet, touchSet(s, "guardduty:UpdateThreatIntelSet", threatIntel, func(in *guarddutyapi.UpdateThreatIntelSetRequest) (string, string) {
			return in.DetectorId, in.ThreatIntelSetId
		})),
		guarddutyapi.DeleteThreatIntelSet.To(s.deleteThreatIntelSet, touchSet(s, "guardduty:DeleteThreatIntelSet", threatIntel, func(in *guarddutyapi.DeleteThreatIntelSetRequest) (string, string) {
			return in.DetectorId, in.ThreatIntelSetId
		})),

		guarddutyapi.CreateThreatEntitySet.To(s.createThreatEntitySet, touchNew("guardduty:CreateThreatEntitySet", func(in *guarddutyapi.CreateThreatEntitySetRequest) (string, map[string]string) {
			return in.DetectorId, in.Tags
		})),
		guarddutyapi.GetThreatEntitySet.To(s.getThreatEntitySet, touchSet(s, "guardduty:GetThreatEntitySet", threatEntity, func(in *guarddutyapi.GetThreatEntitySetRequest) (string, string) {
			return in.DetectorId, in.ThreatEntitySetId
		})),
		guarddutyapi.ListThreatEntitySets.To(s.listThreatEntitySets, touchDetector(s, "guardduty:ListThreatEntitySets", func(in *guarddutyapi.ListThreatEntitySetsRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateThreatEntitySet.To(s.updateThreatEntitySet, touchSet(s, "guardduty:UpdateThreatEntitySet", threatEntity, func(in *guarddutyapi.UpdateThreatEntitySetRequest) (string, string) {
			return in.DetectorId, in.ThreatEntitySetId
		})),
		guarddutyapi.DeleteThreatEntitySet.To(s.deleteThreatEntitySet, touchSet(s, "guardduty:DeleteThreatEntitySet", threatEntity, func(in *guarddutyapi.DeleteThreatEntitySetRequest) (string, string) {
			return in.DetectorId, in.ThreatEntitySetId
		})),

		guarddutyapi.CreateTrustedEntitySet.To(s.createTrustedEntitySet, touchNew("guardduty:CreateTrustedEntitySet", func(in *guarddutyapi.CreateTrustedEntitySetRequest) (string, map[string]string) {
			return in.DetectorId, in.Tags
		})),
		guarddutyapi.GetTrustedEntitySet.To(s.getTrustedEntitySet, touchSet(s, "guardduty:GetTrustedEntitySet", trustedEntity, func(in *guarddutyapi.GetTrustedEntitySetRequest) (string, string) {
			return in.DetectorId, in.TrustedEntitySetId
		})),
		guarddutyapi.ListTrustedEntitySets.To(s.listTrustedEntitySets, touchDetector(s, "guardduty:ListTrustedEntitySets", func(in *guarddutyapi.ListTrustedEntitySetsRequest) string { return in.DetectorId })),
		guarddutyapi.UpdateTrustedEntitySet.To(s.updateTrustedEntitySet, touchSet(s, "guardduty:UpdateTrustedEntitySet", trustedEntity, func(in *guarddutyapi.UpdateTrustedEntitySetRequest) (string, string) {
			return in.DetectorId, in.TrustedEntitySetId
		})),
		guarddutyapi.DeleteTrustedEntitySet.To(s.deleteTrustedEntitySet, touchSet(s, "guardduty:DeleteTrustedEntitySet", trustedEntity, func(in *guarddutyapi.DeleteTrustedEntitySetRequest) (string, string) {
			return in.DetectorId, in.TrustedEntitySetId
		})),

		guarddutyapi.CreateMembers.To(s.createMembers, touchAll[*guarddutyapi.CreateMembersRequest]("guardduty:CreateMembers")),
		guarddutyapi.GetMembers.To(s.getMembers, touchAll[*guarddutyapi.GetMembersRequest]("guardduty:GetMembers")),
		guarddutyapi.ListMembers.To(s.listMembers, touchAll[*guarddutyapi.ListMembersRequest]("guardduty:ListMembers")),
		guarddutyapi.InviteMembers.To(s.inviteMembers, touchAll[*guarddutyapi.InviteMembersRequest]("guardduty:InviteMembers")),
		guarddutyapi.DisassociateMembers.To(s.disassociateMembers, touchAll[*guarddutyapi.DisassociateMembersRequest]("guardduty:DisassociateMembers")),
		guarddutyapi.DeleteMembers.To(s.deleteMembers, touchAll[*guarddutyapi.DeleteMembersRequest]("guardduty:DeleteMembers")),

		guarddutyapi.ListInvitations.To(s.listInvitations, touchAll[*guarddutyapi.ListInvitationsRequest]("guardduty:ListInvitations")),
		guarddutyapi.GetInvitationsCount.To(s.getInvitationsCount, touchAll[*guarddutyapi.GetInvitationsCountRequest]("guardduty:GetInvitationsCount")),
		guarddutyapi.DeclineInvitations.To(s.declineInvitations, touchAll[*guarddutyapi.DeclineInvitationsRequest]("guardduty:DeclineInvitations")),
		guarddutyapi.DeleteInvitations.To(s.deleteInvitations, touchAll[*guarddutyapi.DeleteInvitationsRequest]("guardduty:DeleteInvitations")),
		guarddutyapi.AcceptAdministratorInvitation.To(s.acceptAdministratorInvitation, touchAll[*guarddutyapi.AcceptAdministratorInvitationRequest]("guardduty:AcceptAdministratorInvitation")),
		guarddutyapi.AcceptInvitation.To(s.acceptInvitation, touchAll[*guarddutyapi.AcceptInvitationRequest]("guardduty:AcceptInvitation")),
		guarddutyapi.GetAdministratorAccount.To(s.getAdministratorAccount, touchAll[*guarddutyapi.GetAdministratorAccountRequest]("guardduty:GetAdministratorAccount")),
		guarddutyapi.GetMasterAccount.To(s.getMasterAccount, touchAll[*guarddutyapi.GetMasterAccountRequest]("guardduty:GetMasterAccount")),
		guarddutyapi.DisassociateFromAdministratorAccount.To(s.disassociateFromAdministratorAccount, touchAll[*guarddutyapi.DisassociateFromAdministratorAccountRequest]("guardduty:DisassociateFromAdministratorAccount")),
		guarddutyapi.DisassociateFromMasterAccount.To(s.disassociateFromMasterAccount, touchAll[*guarddutyapi.DisassociateFromMasterAccountRequest]("guardduty:DisassociateFromMasterAccount")),

		guarddutyapi.StartMonitoringMembers.To(s.startMonitoringMembers, touchAll[*guarddutyapi.StartMonitoringMembersRequest]("guardduty:StartMonitoringMembers")),
		guarddutyapi.StopMonitoringMembers.To(s.stopMonitoringMembers, touchAll[*guarddutyapi.StopMonitoringMembersRequest]("guardduty:StopMonitoringMembers")),
		guarddutyapi.GetMemberDetectors.To(s.getMemberDetectors, touchAll[*guarddutyapi.GetMemberDetectorsRequest]("guardduty:GetMemberDetectors")),
		guarddutyapi.UpdateMemberDetectors.To(s.updateMemberDetectors, touchAll[*guarddutyapi.UpdateMemberDetectorsRequest]("guardduty:UpdateMemberDetectors")),

		guarddutyapi.EnableOrganizationAdminAccount.To(s.enableOrganizationAdminAccount, touchAll[*guarddutyapi.EnableOrganizationAdminAccountRequest]("guardduty:EnableOrganizationAdminAccount")),
		guarddutyapi.DisableOrganizationAdminAccount.To(s.disableOrganizationAdminAccount, touchAll[*guarddutyapi.DisableOrganizationAdminAccountRequest]("guardduty:DisableOrganizationAdminAccount")),
		guarddutyapi.ListOrganizationAdminAccounts.To(s.listOrganizationAdminAccounts, touchAll[*guarddutyapi.ListOrganizationAdminAccountsRequest]("guardduty:ListOrganizationAdminAccounts")),
		guarddutyapi.DescribeOrganizationConfiguration.To(s.describeOrganizationConfiguration, touchAll[*guarddutyapi.DescribeOrganizationConfigurationRequest]("guardduty:DescribeOrganizationConfiguration")),
		guarddutyapi.GetOrganizationStatistics.To(s.getOrganizationStatistics, touchAll[*guarddutyapi.GetOrganizationStatisticsRequest]("guardduty:GetOrganizationStatistics")),
		guarddutyapi.UpdateOrganizationConfiguration.To(s.updateOrganizationConfiguration, touchAll[*guarddutyapi.UpdateOrganizationConfigurationRequest]("guardduty:UpdateOrganizationConfiguration")),

		guarddutyapi.GetUsageStatistics.To(s.getUsageStatistics, touchAll[*guarddutyapi.GetUsageStatisticsRequest]("guardduty:GetUsageStatistics")),
		guarddutyapi.GetRemainingFreeTrialDays.To(s.getRemainingFreeTrialDays, touchAll[*guarddutyapi.GetRemainingFreeTrialDaysRequest]("guardduty:GetRemainingFreeTrialDays")),
		guarddutyapi.ListCoverage.To(s.listCoverage, touchDetector(s, "guardduty:ListCoverage", func(in *guarddutyapi.ListCoverageRequest) string { return in.DetectorId })),
		guarddutyapi.GetCoverageStatistics.To(s.getCoverageStatistics, touchDetector(s, "guardduty:GetCoverageStatistics", func(in *guarddutyapi.GetCoverageStatisticsRequest) string { return in.DetectorId })),

		guarddutyapi.TagResource.To(s.tagResource, touchTagged(s, "guardduty:TagResource", func(in *guarddutyapi.TagResourceRequest) (string, map[string]string, []string) {
			return in.ResourceArn, in.Tags, nil
		})),
		guarddutyapi.UntagResource.To(s.untagResource, touchTagged(s, "guardduty:UntagResource", func(in *guarddutyapi.UntagResourceRequest) (string, map[string]string, []string) {
			return in.ResourceArn, nil, in.TagKeys
		})),
		guarddutyapi.ListTagsForResource.To(s.listTagsForResource, touchTagged(s, "guardduty:ListTagsForResource", func(in *guarddutyapi.ListTagsForResourceRequest) (string, map[string]string, []string) {
			return in.ResourceArn, nil, nil
		})),
	}
}

// Consumers lists what GuardDuty reads besides: what becomes of organizations,
// and how much there is, for the statistics of usage.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{
		{Name: "guardduty-organization", Stream: aws.TrailStream, Handle: s.organizationsChanged, MaxBatch: 1024},
		{Name: "guardduty-usage-trail", Stream: aws.TrailStream, Handle: s.recordsOfTrail, MaxBatch: 4096, Linger: time.Second},
		{Name: "guardduty-usage-dns", Stream: aws.DNSStream, Handle: s.recordsOfDNS, MaxBatch: 4096, Linger: time.Second},
	}
}

// Jobs lists what GuardDuty does later.
func (s *Service) Jobs() []service.Job {
	return []service.Job{
		{Kind: jobPublish, Run: s.publishDue},
		{Kind: jobExpire, Run: s.expireDue},
		{Kind: jobPurge, Run: s.purgeDue},
		{Kind: jobGroup, Run: s.groupDue},
		{Kind: jobFollow, Run: s.followDue},
		{Kind: jobFeed, Run: s.feedDue},
	}
}
