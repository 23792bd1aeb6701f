package guardduty

import (
	"context"
	"errors"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// What an account is to the administrator account that keeps it as a member:
// relationshipStatus. Those that hold are associated.
const (
	memberCreated  = "Created"  // known, not invited
	memberInvited  = "Invited"  // has not answered
	memberEnabled  = "Enabled"  // associated
	memberDisabled = "Disabled" // associated; the administrator has stopped watching it
	memberRemoved  = "Removed"  // the administrator has ended the association
	memberResigned = "Resigned" // the member has, or has declined
)

// A member is kept in the administrator's account, under the member's.
type member struct {
	Account      aws.Account
	Email        string
	Status       string
	Detector     string // the member's, once associated
	Invitation   string
	Organization bool // it is a member because of the organization that both are in
	Invited      time.Time
	Updated      time.Time
}

func (m *member) associated() bool {
	return m.Status == memberEnabled || m.Status == memberDisabled
}

// An invitation is kept in the account that it was sent to, under the
// administrator's. It stays when it has been answered, until it is deleted.
type invitation struct {
	Administrator aws.Account
	ID            string
	Status        string
	Sent          time.Time
}

// A head says by whom an account is administered. There is one at most, kept under
// headKey in the member's account.
type head struct {
	Administrator aws.Account
	Detector      string // the administrator's
	Invitation    string
	Status        string // memberEnabled or memberDisabled
	Organization  bool
	Since         time.Time
}

const headKey = "administrator"

// Limits: User Guide, "Quotas for Amazon GuardDuty", "Member accounts".
const (
	maxMembers     = 10_000
	maxInvitations = 100 // that an account has not deleted; ours: strangers send them
)

// here returns the place of the same region in another account.
func here(ctx context.Context, account aws.Account) store.Place {
	return store.Place{Account: account, Region: aws.CallOf(ctx).Region}
}

// head returns by whom the call's account is administered, nil when by nobody.
func (s *Service) head(ctx context.Context) (*head, error) {
	return s.headOf(ctx, aws.CallOf(ctx).Account)
}

func (s *Service) headOf(ctx context.Context, account aws.Account) (*head, error) {
	h, err := s.heads.In(here(ctx, account)).Get(ctx, headKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return h, err
}

// free refuses what only the administrator of an account may do. User Guide,
// "Understanding the relationship between GuardDuty administrator account and member accounts".
func (s *Service) free(ctx context.Context, what string) error {
	h, err := s.head(ctx)
	if err != nil || h == nil {
		return err
	}
	return bad("InvalidInputException", "The request is rejected because the current account cannot %s since it is an associated member of administrator account %s.", what, h.Administrator)
}

// frequency returns how often others hear of the account's findings that go on: an
// administrator says it for its members.
func (s *Service) frequency(ctx context.Context, d *detector) (guarddutyapi.FindingPublishingFrequency, error) {
	h, err := s.head(ctx)
	if err != nil || h == nil {
		return d.Frequency, err
	}
	of, err := s.detectors.In(here(ctx, h.Administrator)).Get(ctx, h.Detector)
	if errors.Is(err, store.ErrNotFound) {
		return d.Frequency, nil
	}
	if err != nil {
		return "", err
	}
	return of.Frequency, nil
}

// A scope is a detector whose findings a caller sees, and where they are.
type scope struct {
	detector string
	place    store.Place
	findings *store.Table[kept]
}

// scopes returns what the owner of a detector sees: its own findings and, when it
// is an administrator, those of its members.
func (s *Service) scopes(ctx context.Context, detectorID string) ([]scope, error) {
	own := here(ctx, aws.CallOf(ctx).Account)
	all := []scope{{detectorID, own, s.findings.In(own)}}
	for e, err := range s.members.All(ctx, "") {
		if err != nil {
			return nil, err
		}
		if m := e.Value; m.associated() {
			place := here(ctx, m.Account)
			all = append(all, scope{m.Detector, place, s.findings.In(place)})
		}
	}
	return all, nil
}

// find returns the finding with an id in any of the scopes, and where it is kept.
func find(ctx context.Context, scopes []scope, id string) (*kept, *store.Table[kept], error) {
	for _, in := range scopes {
		k, err := in.findings.Get(ctx, id)
		if err == nil && k.Detector == in.detector {
			return k, in.findings, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, nil, err
		}
	}
	return nil, nil, store.ErrNotFound
}

// Reasons why an account was not processed: GuardDuty User Guide of 2018, "Errors"
// of each operation.
const (
	notAssociated = "The request is rejected because the given account ID is not an associated member of account the current account."
	noneOfMyself  = "The request is rejected because an account cannot become a member of itself."
	alreadyMember = "The request is rejected because the given account ID is already a member or associated member of the current account."
	tooMany       = "The request is rejected because the current account cannot create anymore members since it cannot exceed the maximum number of allowed members."
	memberItself  = "The request is rejected because the current account cannot create members since it is already an associated member of another master account."
	memberOfOther = "The request is rejected because the given account ID is already an associated member of another master account."
	notItself     = "The request is rejected because the current account cannot invite itself."
	mayNotInvite  = "The request is rejected because the current account cannot invite other accounts since it is already an associated member of another master account."
	noEmail       = "The request is rejected because member account's email address is missing."
	inviteTwice   = "The request is rejected because the current account has already invited or is already the GuardDuty master of the given member account ID."
	inviteFull    = "The request is rejected because the given account ID has too many invitations that it has not deleted."
	stillThere    = "The request is rejected because the current account cannot delete the given member account ID since it is still associated to it."
	noInvitation  = "The request is rejected because the current account has no pending invitation from the given master account ID or is already an associated member of another master account."
	notDeclined   = "The request is rejected because the current account cannot delete the invitation from the given master account ID since it is still associated to it or has not declined their invitation yet."
	masterFirst   = "Operation failed because your organization master must first enable GuardDuty to be added as a member"
	allEnabled    = "The request is rejected because the given account ID is a member by the organization's configuration, which enables GuardDuty for all accounts."
)

// each tries accounts one after the other and returns those that could not be
// processed, with the reason that try gives.
func each(ids []string, try func(aws.Account) (why string, err error)) ([]guarddutyapi.UnprocessedAccount, error) {
	left := []guarddutyapi.UnprocessedAccount{}
	for _, id := range distinct(ids) {
		why, err := try(aws.Account(id))
		if err != nil {
			return nil, err
		}
		if why != "" {
			left = append(left, guarddutyapi.UnprocessedAccount{AccountId: id, Result: why})
		}
	}
	return left, nil
}

// member returns what the call's account keeps of another, nil when nothing.
func (s *Service) member(ctx context.Context, account aws.Account) (*member, error) {
	m, err := s.members.Get(ctx, string(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return m, err
}

// createMembers makes accounts known. To the delegated administrator of an
// organization, those of the organization belong at once.
func (s *Service) createMembers(ctx context.Context, in *guarddutyapi.CreateMembersRequest) (*guarddutyapi.CreateMembersResponse, error) {
	d, err := s.own(ctx, in.DetectorId)
	if err != nil {
		return nil, err
	}
	h, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	o, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	have, err := s.count(ctx)
	if err != nil {
		return nil, err
	}
	emails := map[string]string{}
	var ids []string
	for _, a := range in.AccountDetails {
		emails[a.AccountId] = a.Email
		ids = append(ids, a.AccountId)
	}
	left, err := each(ids, func(id aws.Account) (string, error) {
		m, err := s.member(ctx, id)
		switch {
		case err != nil:
			return "", err
		case h != nil:
			return memberItself, nil
		case id == aws.CallOf(ctx).Account:
			return noneOfMyself, nil
		case m != nil && (o == nil || m.associated()):
			return alreadyMember, nil
		case m == nil && have >= maxMembers:
			return tooMany, nil
		}
		if m == nil {
			have++
		}
		if o != nil {
			a, err := s.organizations.Account(ctx, o.management, id)
			if err != nil {
				return "", err
			}
			if a != nil {
				return s.enroll(ctx, o, d, *a)
			}
		}
		if m != nil {
			return alreadyMember, nil
		}
		return "", s.members.Insert(ctx, string(id), &member{Account: id, Email: emails[string(id)], Status: memberCreated, Updated: time.Now()})
	})
	return &guarddutyapi.CreateMembersResponse{UnprocessedAccounts: left}, err
}

func (s *Service) count(ctx context.Context) (int, error) {
	n := 0
	for _, err := range s.members.All(ctx, "") {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// shown is a member as its administrator sees it.
func (m *member) shown(administrator aws.Account) guarddutyapi.Member {
	out := guarddutyapi.Member{
		AccountId: string(m.Account), Email: m.Email, MasterId: string(administrator), AdministratorId: new(string(administrator)),
		RelationshipStatus: m.Status, DetectorId: optional(m.Detector), UpdatedAt: m.Updated.UTC().Format(finding.Millis),
	}
	if !m.Invited.IsZero() {
		out.InvitedAt = new(m.Invited.UTC().Format(finding.Millis))
	}
	return out
}

func (s *Service) getMembers(ctx context.Context, in *guarddutyapi.GetMembersRequest) (*guarddutyapi.GetMembersResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	out := &guarddutyapi.GetMembersResponse{Members: []guarddutyapi.Member{}}
	var err error
	out.UnprocessedAccounts, err = each(in.AccountIds, func(id aws.Account) (string, error) {
		m, err := s.member(ctx, id)
		if err != nil || m == nil {
			return notAssociated, err
		}
		out.Members = append(out.Members, m.shown(aws.CallOf(ctx).Account))
		return "", nil
	})
	return out, err
}

// listMembers lists those that are associated, or all. They are read until a page
// is full.
func (s *Service) listMembers(ctx context.Context, in *guarddutyapi.ListMembersRequest) (*guarddutyapi.ListMembersResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	only := true
	switch text(in.OnlyAssociated) {
	case "", "true", "TRUE", "True":
	case "false", "FALSE", "False":
		only = false
	default:
		return nil, invalid("onlyAssociated")
	}
	r, bind, err := s.page(ctx, in.MaxResults, in.NextToken, in.DetectorId, text(in.OnlyAssociated))
	if err != nil {
		return nil, err
	}
	var all []store.Entry[member]
	for at := r; len(all) < r.Limit; {
		page, err := s.members.Page(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if len(all) < r.Limit && (!only || e.Value.associated()) {
				all = append(all, e)
			}
		}
		if len(page) < at.Limit {
			break
		}
		at.After = page[len(page)-1].ID
	}
	all, token := next(s, bind, r, all)
	out := &guarddutyapi.ListMembersResponse{Members: []guarddutyapi.Member{}, NextToken: token}
	for _, e := range all {
		out.Members = append(out.Members, e.Value.shown(aws.CallOf(ctx).Account))
	}
	return out, nil
}

// disassociateMembers ends associations, and invitations that nobody has answered.
func (s *Service) disassociateMembers(ctx context.Context, in *guarddutyapi.DisassociateMembersRequest) (*guarddutyapi.DisassociateMembersResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	o, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	left, err := each(in.AccountIds, func(id aws.Account) (string, error) {
		m, err := s.member(ctx, id)
		switch {
		case err != nil:
			return "", err
		case m == nil || !m.associated() && m.Status != memberInvited:
			return notAssociated, nil
		case m.Organization && o.enrollsAll():
			return allEnabled, nil
		}
		return "", s.part(ctx, aws.CallOf(ctx).Account, id, memberRemoved)
	})
	return &guarddutyapi.DisassociateMembersResponse{UnprocessedAccounts: left}, err
}

// part ends what is between an administrator and a member; both keep a memory of
// it, with the status that says who ended it.
func (s *Service) part(ctx context.Context, administrator, account aws.Account, status string) error {
	members := s.members.In(here(ctx, administrator))
	m, err := members.Get(ctx, string(account))
	if err == nil {
		m.Status, m.Detector, m.Organization, m.Updated = status, "", false, time.Now()
		err = members.Put(ctx, string(account), m)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	invitations := s.invitations.In(here(ctx, account))
	i, err := invitations.Get(ctx, string(administrator))
	if err == nil {
		i.Status = status
		err = invitations.Put(ctx, string(administrator), i)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	h, err := s.headOf(ctx, account)
	if err != nil || h == nil || h.Administrator != administrator {
		return err
	}
	return s.heads.In(here(ctx, account)).Delete(ctx, headKey)
}

func (s *Service) deleteMembers(ctx context.Context, in *guarddutyapi.DeleteMembersRequest) (*guarddutyapi.DeleteMembersResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	left, err := each(in.AccountIds, func(id aws.Account) (string, error) {
		m, err := s.member(ctx, id)
		switch {
		case err != nil:
			return "", err
		case m == nil:
			return notAssociated, nil
		case m.associated():
			return stillThere, nil
		}
		return "", s.forgetMember(ctx, m)
	})
	return &guarddutyapi.DeleteMembersResponse{UnprocessedAccounts: left}, err
}

// forgetMember deletes a member that is not associated, and the invitation that it
// may still have.
func (s *Service) forgetMember(ctx context.Context, m *member) error {
	if m.Status == memberInvited {
		err := s.invitations.In(here(ctx, m.Account)).Delete(ctx, string(aws.CallOf(ctx).Account))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return s.members.Delete(ctx, string(m.Account))
}
