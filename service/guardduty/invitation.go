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

func (s *Service) inviteMembers(ctx context.Context, in *guarddutyapi.InviteMembersRequest) (*guarddutyapi.InviteMembersResponse, error) {
	if _, err := s.own(ctx, in.DetectorId); err != nil {
		return nil, err
	}
	h, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	left, err := each(in.AccountIds, func(id aws.Account) (string, error) {
		m, err := s.member(ctx, id)
		switch {
		case err != nil:
			return "", err
		case h != nil:
			return mayNotInvite, nil
		case id == aws.CallOf(ctx).Account:
			return notItself, nil
		case m == nil:
			return noEmail, nil
		case m.associated() || m.Status == memberInvited:
			return inviteTwice, nil
		}
		return s.invite(ctx, m)
	})
	return &guarddutyapi.InviteMembersResponse{UnprocessedAccounts: left}, err
}

func (s *Service) invite(ctx context.Context, m *member) (string, error) {
	theirs := s.invitations.In(here(ctx, m.Account))
	page, err := theirs.Page(ctx, store.Range{Limit: maxInvitations})
	if err != nil {
		return "", err
	}
	me := aws.CallOf(ctx).Account
	if len(page) >= maxInvitations {
		if _, err := theirs.Get(ctx, string(me)); errors.Is(err, store.ErrNotFound) {
			return inviteFull, nil
		} else if err != nil {
			return "", err
		}
	}
	now := time.Now()
	i := &invitation{Administrator: me, ID: newID(), Status: memberInvited, Sent: now}
	if err := theirs.Put(ctx, string(me), i); err != nil {
		return "", err
	}
	m.Status, m.Invitation, m.Invited, m.Updated = memberInvited, i.ID, now, now
	return "", s.members.Put(ctx, string(m.Account), m)
}

func (s *Service) listInvitations(ctx context.Context, in *guarddutyapi.ListInvitationsRequest) (*guarddutyapi.ListInvitationsResponse, error) {
	r, bind, err := s.page(ctx, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := s.invitations.Page(ctx, r)
	if err != nil {
		return nil, err
	}
	all, token := next(s, bind, r, all)
	out := &guarddutyapi.ListInvitationsResponse{Invitations: []guarddutyapi.Invitation{}, NextToken: token}
	for _, e := range all {
		out.Invitations = append(out.Invitations, guarddutyapi.Invitation{
			AccountId: new(string(e.Value.Administrator)), InvitationId: &e.Value.ID, RelationshipStatus: &e.Value.Status, InvitedAt: new(e.Value.Sent.UTC().Format(finding.Millis)),
		})
	}
	return out, nil
}

// getInvitationsCount counts invitations, but for the one that holds.
func (s *Service) getInvitationsCount(ctx context.Context, _ *guarddutyapi.GetInvitationsCountRequest) (*guarddutyapi.GetInvitationsCountResponse, error) {
	page, err := s.invitations.Page(ctx, store.Range{Limit: maxInvitations})
	if err != nil {
		return nil, err
	}
	var n int32
	for _, e := range page {
		if e.Value.Status != memberEnabled && e.Value.Status != memberDisabled {
			n++
		}
	}
	return &guarddutyapi.GetInvitationsCountResponse{InvitationsCount: &n}, nil
}

// declineInvitations ends what was not answered. What the organization has decided in
// the meantime is not for its members to end.
func (s *Service) declineInvitations(ctx context.Context, in *guarddutyapi.DeclineInvitationsRequest) (*guarddutyapi.DeclineInvitationsResponse, error) {
	h, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	left, err := each(in.AccountIds, func(id aws.Account) (string, error) {
		i, err := s.invitations.Get(ctx, string(id))
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && i.Status != memberInvited || h != nil && h.Administrator == id:
			return noInvitation, nil
		case err != nil:
			return "", err
		}
		return "", s.part(ctx, id, aws.CallOf(ctx).Account, memberResigned)
	})
	return &guarddutyapi.DeclineInvitationsResponse{UnprocessedAccounts: left}, err
}

func (s *Service) deleteInvitations(ctx context.Context, in *guarddutyapi.DeleteInvitationsRequest) (*guarddutyapi.DeleteInvitationsResponse, error) {
	left, err := each(in.AccountIds, func(id aws.Account) (string, error) {
		i, err := s.invitations.Get(ctx, string(id))
		switch {
		case errors.Is(err, store.ErrNotFound):
			return noInvitation, nil
		case err != nil:
			return "", err
		case i.Status != memberResigned && i.Status != memberRemoved:
			return notDeclined, nil
		}
		return "", s.invitations.Delete(ctx, string(id))
	})
	return &guarddutyapi.DeleteInvitationsResponse{UnprocessedAccounts: left}, err
}

func (s *Service) acceptAdministratorInvitation(ctx context.Context, in *guarddutyapi.AcceptAdministratorInvitationRequest) (*guarddutyapi.AcceptAdministratorInvitationResponse, error) {
	return &guarddutyapi.AcceptAdministratorInvitationResponse{}, s.accept(ctx, in.DetectorId, aws.Account(in.AdministratorId), in.InvitationId)
}

// acceptInvitation is the older name of acceptAdministratorInvitation.
func (s *Service) acceptInvitation(ctx context.Context, in *guarddutyapi.AcceptInvitationRequest) (*guarddutyapi.AcceptInvitationResponse, error) {
	return &guarddutyapi.AcceptInvitationResponse{}, s.accept(ctx, in.DetectorId, aws.Account(in.MasterId), in.InvitationId)
}

// accept makes the call's account a member of the one that has invited it. Nobody
// is administrator and member at once.
func (s *Service) accept(ctx context.Context, detectorID string, administrator aws.Account, id string) error {
	d, err := s.own(ctx, detectorID)
	if err != nil {
		return err
	}
	mine, err := s.members.Page(ctx, store.Range{Limit: 1})
	if err != nil {
		return err
	}
	if len(mine) > 0 {
		return bad("InvalidInputException", "The request is rejected because the current account cannot accept invitations since it still has created, invited or associated members.")
	}
	h, err := s.head(ctx)
	if err != nil {
		return err
	}
	if h != nil {
		return bad("InvalidInputException", "The request is rejected because the current account cannot accept invitations since it is already an associated member of some master account.")
	}
	o, err := s.administered(ctx)
	if err != nil {
		return err
	}
	if o != nil {
		return bad("InvalidInputException", "The request is rejected because the current account cannot accept invitations since it is the delegated administrator account of an organization.")
	}
	i, err := s.invitations.Get(ctx, string(administrator))
	if errors.Is(err, store.ErrNotFound) || err == nil && (i.Status != memberInvited || i.ID != id) {
		return bad("InvalidInputException", "%s", noInvitation)
	}
	if err != nil {
		return err
	}
	if theirs, err := s.headOf(ctx, administrator); err != nil {
		return err
	} else if theirs != nil {
		return bad("InvalidInputException", "The request is rejected because the current account cannot accept invitation from the given account ID since the latter is an associated member of another master account.")
	}
	members := s.members.In(here(ctx, administrator))
	me := aws.CallOf(ctx).Account
	m, err := members.Get(ctx, string(me))
	if errors.Is(err, store.ErrNotFound) {
		return bad("InvalidInputException", "%s", noInvitation)
	}
	if err != nil {
		return err
	}
	of, err := s.detectors.In(here(ctx, administrator)).Page(ctx, store.Range{Limit: 1})
	if err != nil {
		return err
	}
	if len(of) == 0 {
		return bad("InvalidInputException", "%s", noInvitation)
	}
	i.Status = memberEnabled
	if err := s.invitations.Put(ctx, string(administrator), i); err != nil {
		return err
	}
	m.Status, m.Detector, m.Updated = memberEnabled, d.ID, time.Now()
	if err := members.Put(ctx, string(me), m); err != nil {
		return err
	}
	return s.heads.Put(ctx, headKey, &head{Administrator: administrator, Detector: of[0].ID, Invitation: i.ID, Status: memberEnabled, Since: i.Sent})
}

func (s *Service) getAdministratorAccount(ctx context.Context, in *guarddutyapi.GetAdministratorAccountRequest) (*guarddutyapi.GetAdministratorAccountResponse, error) {
	h, err := s.headOfDetector(ctx, in.DetectorId)
	if err != nil || h == nil {
		return &guarddutyapi.GetAdministratorAccountResponse{}, err
	}
	return &guarddutyapi.GetAdministratorAccountResponse{Administrator: &guarddutyapi.Administrator{
		AccountId: new(string(h.Administrator)), InvitationId: optional(h.Invitation), RelationshipStatus: &h.Status, InvitedAt: new(h.Since.UTC().Format(finding.Millis)),
	}}, nil
}

// getMasterAccount is the older name of getAdministratorAccount.
func (s *Service) getMasterAccount(ctx context.Context, in *guarddutyapi.GetMasterAccountRequest) (*guarddutyapi.GetMasterAccountResponse, error) {
	h, err := s.headOfDetector(ctx, in.DetectorId)
	if err != nil || h == nil {
		return &guarddutyapi.GetMasterAccountResponse{}, err
	}
	return &guarddutyapi.GetMasterAccountResponse{Master: &guarddutyapi.Master{
		AccountId: new(string(h.Administrator)), InvitationId: optional(h.Invitation), RelationshipStatus: &h.Status, InvitedAt: new(h.Since.UTC().Format(finding.Millis)),
	}}, nil
}

func (s *Service) headOfDetector(ctx context.Context, detectorID string) (*head, error) {
	if _, err := s.own(ctx, detectorID); err != nil {
		return nil, err
	}
	return s.head(ctx)
}

func (s *Service) disassociateFromAdministratorAccount(ctx context.Context, in *guarddutyapi.DisassociateFromAdministratorAccountRequest) (*guarddutyapi.DisassociateFromAdministratorAccountResponse, error) {
	return &guarddutyapi.DisassociateFromAdministratorAccountResponse{}, s.resign(ctx, in.DetectorId)
}

// disassociateFromMasterAccount is the older name of disassociateFromAdministratorAccount.
func (s *Service) disassociateFromMasterAccount(ctx context.Context, in *guarddutyapi.DisassociateFromMasterAccountRequest) (*guarddutyapi.DisassociateFromMasterAccountResponse, error) {
	return &guarddutyapi.DisassociateFromMasterAccountResponse{}, s.resign(ctx, in.DetectorId)
}

func (s *Service) resign(ctx context.Context, detectorID string) error {
	h, err := s.headOfDetector(ctx, detectorID)
	switch {
	case err != nil:
		return err
	case h == nil:
		return bad("InvalidInputException", "The request is rejected because the current account is not associated to any master account.")
	case h.Organization:
		return bad("InvalidInputException", "The request is rejected because the current account cannot be disassociated from its administrator account since it is a member of the organization.")
	}
	return s.part(ctx, h.Administrator, aws.CallOf(ctx).Account, memberResigned)
}
