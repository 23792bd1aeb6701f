package guardduty

import (
	"errors"
	"slices"
	"testing"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/detect/intel"
	"sumun.dev/engine/dns"
	"sumun.dev/wire"
)

const third = "777788889999"

// joined makes the other account a member of the first and returns the detectors of
// both.
func joined(w *world) (d, theirs string) {
	w.t.Helper()
	d, theirs = w.detector(), w.detectorOf(other)
	w.invite(d, other)
	w.accept(other, theirs)
	return d, theirs
}

func (w *world) detectorOf(who aws.Account) string {
	w.t.Helper()
	return *mustAs(w, who, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}).DetectorId
}

func (w *world) invite(d string, who aws.Account) {
	w.t.Helper()
	left := must(w, &guarddutyapi.CreateMembers, &guarddutyapi.CreateMembersRequest{DetectorId: d, AccountDetails: []guarddutyapi.AccountDetail{{AccountId: string(who), Email: "m@example.com"}}}).UnprocessedAccounts
	left = append(left, must(w, &guarddutyapi.InviteMembers, &guarddutyapi.InviteMembersRequest{DetectorId: d, AccountIds: []string{string(who)}}).UnprocessedAccounts...)
	if len(left) > 0 {
		w.t.Fatalf("%+v", left)
	}
}

func (w *world) accept(who aws.Account, d string) {
	w.t.Helper()
	i := mustAs(w, who, &guarddutyapi.ListInvitations, &guarddutyapi.ListInvitationsRequest{}).Invitations[0]
	mustAs(w, who, &guarddutyapi.AcceptAdministratorInvitation, &guarddutyapi.AcceptAdministratorInvitationRequest{DetectorId: d, AdministratorId: *i.AccountId, InvitationId: *i.InvitationId})
}

func mustAs[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In) Out {
	w.t.Helper()
	out, err := callAs(w, who, op, request)
	if err != nil {
		w.t.Fatalf("%s as %s: %v", op.Name, who, err)
	}
	return out
}

func refusedAs[In, Out any](w *world, who aws.Account, op *wire.Operation[In, Out], request In, message string) {
	w.t.Helper()
	_, err := callAs(w, who, op, request)
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != "BadRequestException" || e.Message != message {
		w.t.Errorf("%s as %s: got %v, want: %s", op.Name, who, err, message)
	}
}

func (w *world) standing(d string, who aws.Account) string {
	w.t.Helper()
	all := must(w, &guarddutyapi.GetMembers, &guarddutyapi.GetMembersRequest{DetectorId: d, AccountIds: []string{string(who)}}).Members
	if len(all) != 1 {
		return ""
	}
	return all[0].RelationshipStatus
}

func TestAnAdministratorSeesItsMembersFindings(t *testing.T) {
	inWorld(t, func(w *world) {
		d, theirs := joined(w)
		w.query("guarddutyc2activityb.com")
		w.queryAs(other, "i-0bbbbbbbbbbbbbbbb", "guarddutyc2activityb.com")
		all := w.findings(d)
		if len(all) != 2 || len(w.events(aws.BusStream)) != 3 {
			t.Fatalf("%d findings, %d events", len(all), len(w.events(aws.BusStream)))
		}
		to := map[aws.Account]int{}
		for _, e := range w.events(aws.BusStream) {
			to[e.Account]++
		}
		if to[account] != 2 || to[other] != 1 {
			t.Errorf("events %v", to)
		}
		n := slices.IndexFunc(all, func(f guarddutyapi.Finding) bool { return f.AccountId == other })
		if n < 0 || *all[n].Service.DetectorId != theirs {
			t.Fatalf("%+v", all)
		}
		id := []string{all[n].Id}
		stats := must(w, &guarddutyapi.GetFindingsStatistics, &guarddutyapi.GetFindingsStatisticsRequest{DetectorId: d, GroupBy: new(guarddutyapi.GroupByTypeAccount)}).FindingStatistics.GroupedByAccount
		if len(stats) != 2 {
			t.Errorf("%+v", stats)
		}
		// Who is administered sees its own only, and does not archive them.
		mine := mustAs(w, other, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: theirs}).FindingIds
		if !slices.Equal(mine, id) {
			t.Errorf("%q", mine)
		}
		refusedAs(w, other, &guarddutyapi.ArchiveFindings, &guarddutyapi.ArchiveFindingsRequest{DetectorId: theirs, FindingIds: id},
			"The request is rejected because the current account cannot archive findings since it is an associated member of administrator account 111122223333.")
		must(w, &guarddutyapi.ArchiveFindings, &guarddutyapi.ArchiveFindingsRequest{DetectorId: d, FindingIds: id})
		got := mustAs(w, other, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: theirs, FindingIds: id}).Findings
		if len(got) != 1 || !*got[0].Service.Archived {
			t.Errorf("%+v", got)
		}
		// Parted, each sees its own.
		must(w, &guarddutyapi.DisassociateMembers, &guarddutyapi.DisassociateMembersRequest{DetectorId: d, AccountIds: []string{other}})
		if all := w.findings(d); len(all) != 1 || w.standing(d, other) != memberRemoved {
			t.Errorf("%d findings, %s", len(all), w.standing(d, other))
		}
		if found := must(w, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: d, FindingIds: id}).Findings; len(found) != 0 {
			t.Error("a finding of a former member is shown")
		}
		mustAs(w, other, &guarddutyapi.UnarchiveFindings, &guarddutyapi.UnarchiveFindingsRequest{DetectorId: theirs, FindingIds: id})
	})
}

func TestWhatAnAdministratorSaysCountsForItsMembers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("mine.txt", "evil.example\n")
		w.file("theirs.txt", "own.example\n")
		d, theirs := w.detector(), w.detectorOf(other)
		mustAs(w, other, &guarddutyapi.CreateThreatEntitySet, entitySet(theirs, "theirs", "file://theirs.txt"))
		must(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, "mine", "file://mine.txt"))
		seen := func(name string) int {
			w.queryAs(other, "i-0bbbbbbbbbbbbbbbb", name)
			return len(mustAs(w, other, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: theirs}).FindingIds)
		}
		if seen("evil.example") != 0 || seen("own.example") != 1 {
			t.Fatal("lists of others count")
		}
		w.invite(d, other)
		w.accept(other, theirs)
		if seen("evil.example") != 2 {
			t.Error("the administrator's list does not count")
		}
		w.file("mine.txt", "more.example\nown2.example\n")
		id := must(w, &guarddutyapi.ListThreatEntitySets, &guarddutyapi.ListThreatEntitySetsRequest{DetectorId: d}).ThreatEntitySetIds[0]
		must(w, &guarddutyapi.UpdateThreatEntitySet, &guarddutyapi.UpdateThreatEntitySetRequest{DetectorId: d, ThreatEntitySetId: id, Activate: new(true)})
		if seen("more.example") != 3 {
			t.Error("the administrator's list, changed, does not count")
		}
		must(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: d, Name: "quiet", Action: new(guarddutyapi.FilterActionArchive), FindingCriteria: equals("accountId", other)})
		if seen("guarddutyc2activityb.com") != 4 {
			t.Fatal("not found")
		}
		if all := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: d, FindingCriteria: equals("service.archived", "true")}).FindingIds; len(all) != 1 {
			t.Errorf("%d findings are suppressed", len(all))
		}
		const since = " since it is an associated member of administrator account 111122223333."
		refusedAs(w, other, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: theirs, Name: "mine", FindingCriteria: equals("type", "x")}, "The request is rejected because the current account cannot create filters"+since)
		refusedAs(w, other, &guarddutyapi.CreateThreatEntitySet, entitySet(theirs, "x", "file://mine.txt"), "The request is rejected because the current account cannot create lists"+since)
		refusedAs(w, other, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: theirs, Enable: new(false)}, "The request is rejected because the current account cannot update its detector"+since)
		refusedAs(w, other, &guarddutyapi.DeleteDetector, &guarddutyapi.DeleteDetectorRequest{DetectorId: theirs}, "The request is rejected because the current account cannot delete its detector"+since)
		// The administrator's frequency is theirs.
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: d, FindingPublishingFrequency: new(guarddutyapi.FindingPublishingFrequencyFifteenMinutes)})
		if f := mustAs(w, other, &guarddutyapi.GetDetector, &guarddutyapi.GetDetectorRequest{DetectorId: theirs}).FindingPublishingFrequency; *f != guarddutyapi.FindingPublishingFrequencyFifteenMinutes {
			t.Errorf("%s", *f)
		}
		// Gone, its own lists count again.
		mustAs(w, other, &guarddutyapi.DisassociateFromAdministratorAccount, &guarddutyapi.DisassociateFromAdministratorAccountRequest{DetectorId: theirs})
		lists, err := w.service.listsOf(here(in(t.Context(), other, "x"), other))
		if err != nil {
			t.Fatal(err)
		}
		if n := countOf(lists, "own.example", "more.example"); n != 1 || w.standing(d, other) != memberResigned {
			t.Errorf("%d lists count, %s", n, w.standing(d, other))
		}
	})
}

func TestMonitoringOfMembers(t *testing.T) {
	inWorld(t, func(w *world) {
		d, theirs := joined(w)
		ids := []string{other, third}
		left := must(w, &guarddutyapi.StopMonitoringMembers, &guarddutyapi.StopMonitoringMembersRequest{DetectorId: d, AccountIds: ids}).UnprocessedAccounts
		if len(left) != 1 || left[0].AccountId != third || left[0].Result != notAssociated || w.standing(d, other) != memberDisabled {
			t.Errorf("%+v, %s", left, w.standing(d, other))
		}
		w.queryAs(other, host, "guarddutyc2activityb.com")
		if len(w.findings(d)) != 0 {
			t.Error("a member is watched that is not monitored")
		}
		if a := mustAs(w, other, &guarddutyapi.GetAdministratorAccount, &guarddutyapi.GetAdministratorAccountRequest{DetectorId: theirs}).Administrator; *a.AccountId != account || *a.RelationshipStatus != memberDisabled {
			t.Errorf("%+v", a)
		}
		must(w, &guarddutyapi.StartMonitoringMembers, &guarddutyapi.StartMonitoringMembersRequest{DetectorId: d, AccountIds: ids})
		w.queryAs(other, host, "guarddutyc2activityb.com")
		if len(w.findings(d)) != 1 {
			t.Error("a member is not watched that is monitored again")
		}
		left = must(w, &guarddutyapi.UpdateMemberDetectors, &guarddutyapi.UpdateMemberDetectorsRequest{DetectorId: d, AccountIds: ids, Features: []guarddutyapi.MemberFeaturesConfiguration{
			{Name: new(guarddutyapi.OrgFeatureRuntimeMonitoring), Status: new(guarddutyapi.FeatureStatusEnabled), AdditionalConfiguration: []guarddutyapi.MemberAdditionalConfiguration{
				{Name: new(guarddutyapi.OrgFeatureAdditionalConfiguration("EC2_AGENT_MANAGEMENT")), Status: new(guarddutyapi.FeatureStatusEnabled)},
			}},
		}}).UnprocessedAccounts
		out := must(w, &guarddutyapi.GetMemberDetectors, &guarddutyapi.GetMemberDetectorsRequest{DetectorId: d, AccountIds: ids})
		if len(left) != 1 || len(out.UnprocessedAccounts) != 1 || len(out.MemberDataSourceConfigurations) != 1 {
			t.Fatalf("%+v, %+v", left, out)
		}
		on := 0
		for _, f := range out.MemberDataSourceConfigurations[0].Features {
			if *f.Status == guarddutyapi.FeatureStatusEnabled {
				on++
			}
			for _, a := range f.AdditionalConfiguration {
				if *a.Status == guarddutyapi.FeatureStatusEnabled && *a.Name == "EC2_AGENT_MANAGEMENT" && *f.Name == guarddutyapi.OrgFeatureRuntimeMonitoring {
					on++
				}
			}
		}
		if on != 7 { // five that a new detector has
			t.Errorf("%+v", out.MemberDataSourceConfigurations[0].Features)
		}
	})
}

// An invitation's life: who may send, answer and delete it, and when.
func TestInvitations(t *testing.T) {
	inWorld(t, func(w *world) {
		d, theirs := w.detector(), w.detectorOf(other)
		reasons := func(left []guarddutyapi.UnprocessedAccount, want ...string) {
			t.Helper()
			var got []string
			for _, u := range left {
				got = append(got, u.Result)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		details := func(ids ...string) (all []guarddutyapi.AccountDetail) {
			for _, id := range ids {
				all = append(all, guarddutyapi.AccountDetail{AccountId: id, Email: "m@example.com"})
			}
			return all
		}
		reasons(must(w, &guarddutyapi.InviteMembers, &guarddutyapi.InviteMembersRequest{DetectorId: d, AccountIds: []string{other, account}}).UnprocessedAccounts, noEmail, notItself)
		reasons(must(w, &guarddutyapi.CreateMembers, &guarddutyapi.CreateMembersRequest{DetectorId: d, AccountDetails: details(other, account)}).UnprocessedAccounts, noneOfMyself)
		reasons(must(w, &guarddutyapi.CreateMembers, &guarddutyapi.CreateMembersRequest{DetectorId: d, AccountDetails: details(other)}).UnprocessedAccounts, alreadyMember)
		if list := must(w, &guarddutyapi.ListMembers, &guarddutyapi.ListMembersRequest{DetectorId: d}).Members; len(list) != 0 {
			t.Errorf("%+v is associated", list)
		}
		if list := must(w, &guarddutyapi.ListMembers, &guarddutyapi.ListMembersRequest{DetectorId: d, OnlyAssociated: new("false")}).Members; len(list) != 1 || list[0].RelationshipStatus != memberCreated || list[0].InvitedAt != nil {
			t.Errorf("%+v", list)
		}
		reasons(must(w, &guarddutyapi.InviteMembers, &guarddutyapi.InviteMembersRequest{DetectorId: d, AccountIds: []string{other}}).UnprocessedAccounts)
		reasons(must(w, &guarddutyapi.InviteMembers, &guarddutyapi.InviteMembersRequest{DetectorId: d, AccountIds: []string{other}}).UnprocessedAccounts, inviteTwice)
		refused(w, &guarddutyapi.DeleteDetector, &guarddutyapi.DeleteDetectorRequest{DetectorId: d}, "The request is rejected because the current account cannot delete detector while it has invited or associated members.")
		if n := *mustAs(w, other, &guarddutyapi.GetInvitationsCount, &guarddutyapi.GetInvitationsCountRequest{}).InvitationsCount; n != 1 {
			t.Errorf("%d invitations", n)
		}
		reasons(mustAs(w, other, &guarddutyapi.DeleteInvitations, &guarddutyapi.DeleteInvitationsRequest{AccountIds: []string{account, third}}).UnprocessedAccounts, notDeclined, noInvitation)
		refusedAs(w, other, &guarddutyapi.AcceptAdministratorInvitation, &guarddutyapi.AcceptAdministratorInvitationRequest{DetectorId: theirs, AdministratorId: account, InvitationId: "0123"}, noInvitation)
		refusedAs(w, other, &guarddutyapi.AcceptInvitation, &guarddutyapi.AcceptInvitationRequest{DetectorId: theirs, MasterId: third, InvitationId: "0123"}, noInvitation)
		reasons(mustAs(w, other, &guarddutyapi.DeclineInvitations, &guarddutyapi.DeclineInvitationsRequest{AccountIds: []string{account}}).UnprocessedAccounts)
		if w.standing(d, other) != memberResigned {
			t.Errorf("%s", w.standing(d, other))
		}
		reasons(mustAs(w, other, &guarddutyapi.DeclineInvitations, &guarddutyapi.DeclineInvitationsRequest{AccountIds: []string{account}}).UnprocessedAccounts, noInvitation)
		reasons(mustAs(w, other, &guarddutyapi.DeleteInvitations, &guarddutyapi.DeleteInvitationsRequest{AccountIds: []string{account}}).UnprocessedAccounts)

		// Invited again, it joins; nobody is administrator and member at once.
		reasons(must(w, &guarddutyapi.InviteMembers, &guarddutyapi.InviteMembersRequest{DetectorId: d, AccountIds: []string{other}}).UnprocessedAccounts)
		mustAs(w, other, &guarddutyapi.CreateMembers, &guarddutyapi.CreateMembersRequest{DetectorId: theirs, AccountDetails: details(third)})
		i := mustAs(w, other, &guarddutyapi.ListInvitations, &guarddutyapi.ListInvitationsRequest{}).Invitations[0]
		accept := &guarddutyapi.AcceptInvitationRequest{DetectorId: theirs, MasterId: account, InvitationId: *i.InvitationId}
		refusedAs(w, other, &guarddutyapi.AcceptInvitation, accept, "The request is rejected because the current account cannot accept invitations since it still has created, invited or associated members.")
		mustAs(w, other, &guarddutyapi.DeleteMembers, &guarddutyapi.DeleteMembersRequest{DetectorId: theirs, AccountIds: []string{third}})
		mustAs(w, other, &guarddutyapi.AcceptInvitation, accept)
		if m := mustAs(w, other, &guarddutyapi.GetMasterAccount, &guarddutyapi.GetMasterAccountRequest{DetectorId: theirs}).Master; *m.AccountId != account || *m.RelationshipStatus != memberEnabled || *m.InvitationId != *i.InvitationId {
			t.Errorf("%+v", m)
		}
		reasons(mustAs(w, other, &guarddutyapi.CreateMembers, &guarddutyapi.CreateMembersRequest{DetectorId: theirs, AccountDetails: details(third)}).UnprocessedAccounts, memberItself)
		reasons(mustAs(w, other, &guarddutyapi.InviteMembers, &guarddutyapi.InviteMembersRequest{DetectorId: theirs, AccountIds: []string{third}}).UnprocessedAccounts, mayNotInvite)
		refusedAs(w, other, &guarddutyapi.AcceptInvitation, accept, "The request is rejected because the current account cannot accept invitations since it is already an associated member of some master account.")
		reasons(must(w, &guarddutyapi.DeleteMembers, &guarddutyapi.DeleteMembersRequest{DetectorId: d, AccountIds: []string{other, third}}).UnprocessedAccounts, stillThere, notAssociated)
		mustAs(w, other, &guarddutyapi.DisassociateFromMasterAccount, &guarddutyapi.DisassociateFromMasterAccountRequest{DetectorId: theirs})
		refusedAs(w, other, &guarddutyapi.DisassociateFromMasterAccount, &guarddutyapi.DisassociateFromMasterAccountRequest{DetectorId: theirs}, "The request is rejected because the current account is not associated to any master account.")
		if m := mustAs(w, other, &guarddutyapi.GetMasterAccount, &guarddutyapi.GetMasterAccountRequest{DetectorId: theirs}).Master; m != nil {
			t.Errorf("%+v", m)
		}
		reasons(must(w, &guarddutyapi.DeleteMembers, &guarddutyapi.DeleteMembersRequest{DetectorId: d, AccountIds: []string{other}}).UnprocessedAccounts)
		must(w, &guarddutyapi.DeleteDetector, &guarddutyapi.DeleteDetectorRequest{DetectorId: d})
	})
}

// countOf is how many of the names the lists hold.
func countOf(l intel.Lists, names ...string) (n int) {
	for _, name := range names {
		if list, _ := l.Find(intel.Custom, dnsName(name)); list != nil {
			n++
		}
	}
	return n
}

func dnsName(s string) dns.Name {
	n, err := dns.ParseName(s)
	if err != nil {
		panic(err)
	}
	return n
}

func equals(field, value string) *guarddutyapi.FindingCriteria {
	return &guarddutyapi.FindingCriteria{Criterion: map[string]guarddutyapi.Condition{field: {Equals: []string{value}}}}
}
