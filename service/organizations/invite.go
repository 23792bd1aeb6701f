package organizations

import (
	"context"
	"errors"
	"slices"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

func (s *Service) inviteAccountToOrganization(ctx context.Context, in *organizationsapi.InviteAccountToOrganizationRequest) (*organizationsapi.InviteAccountToOrganizationResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.invited(ctx, in.Target)
	if err != nil {
		return nil, err
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if a.Management == o.Management {
		return nil, unshakable(organizationsapi.HandshakeConstraintViolationExceptionReasonAlreadyInAnOrganization,
			"The specified account is already a member of your organization.")
	}
	if err := s.checkAccounts(ctx, o); err != nil {
		return nil, err
	}
	waiting, err := s.waiting(ctx, string(a.ID), organizationsapi.ActionTypeInvite)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(waiting, func(h *handshake) bool { return h.Organization == o.ID }) {
		return nil, organizationsapi.DuplicateHandshakeException.New("A handshake with the same action and target already exists.")
	}
	if waiting, err = s.waiting(ctx, o.ID, organizationsapi.ActionTypeEnableAllFeatures); err != nil {
		return nil, err
	}
	if len(waiting) > 0 {
		return nil, unshakable(organizationsapi.HandshakeConstraintViolationExceptionReasonInviteDisabledDuringEnableAllFeatures,
			"You can't issue new invitations to join an organization while it's in the process of enabling all features.")
	}
	h := &handshake{
		Action: organizationsapi.ActionTypeInvite, State: organizationsapi.HandshakeStateOpen, Organization: o.ID, Management: o.Management,
		Account: a.ID, ByEmail: in.Target.Type == organizationsapi.HandshakePartyTypeEmail, Tags: tags,
	}
	if in.Notes != nil {
		h.Notes = *in.Notes
	}
	if err := s.begin(ctx, h, inviteLasts); err != nil {
		return nil, err
	}
	out, err := s.shownHandshake(ctx, h)
	return &organizationsapi.InviteAccountToOrganizationResponse{Handshake: out}, err
}

// invited finds the account that an invitation is for.
func (s *Service) invited(ctx context.Context, to *organizationsapi.HandshakeParty) (*account, error) {
	id := to.Id
	switch to.Type {
	case organizationsapi.HandshakePartyTypeAccount:
	case organizationsapi.HandshakePartyTypeEmail:
		e, err := s.emails.Get(ctx, emailID(to.Id))
		if errors.Is(err, store.ErrNotFound) {
			return nil, invalid(organizationsapi.InvalidInputExceptionReasonInvalidEmailAddressTarget, "You specified the wrong email address for the target: no account has it.")
		}
		if err != nil {
			return nil, err
		}
		id = string(e.Account)
	default:
		return nil, invalid(organizationsapi.InvalidInputExceptionReasonInvalidPartyTypeTarget, "You specified the wrong type of entity (account, organization, or email) as a party.")
	}
	a, err := s.known(ctx, aws.Account(id))
	if err == nil && (a == nil || a.State != organizationsapi.AccountStateActive) {
		return nil, invalid(organizationsapi.InvalidInputExceptionReasonInvalidPatternTargetId, "You specified a target that doesn't exist: %s.", id)
	}
	return a, err
}

// waiting lists the handshakes of a party that can still be answered.
func (s *Service) waiting(ctx context.Context, party string, action organizationsapi.ActionType) ([]*handshake, error) {
	var all []*handshake
	after := ""
	for {
		page, err := s.handshakes.PageBy(ctx, byParty, party, store.Range{After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if e.Value.Action == action && e.Value.waits() {
				all = append(all, e.Value)
			}
			after = e.ID
		}
		if len(page) < 500 {
			return all, nil
		}
	}
}

// accepted brings the account that was invited into the organisation. One that
// belongs to another organisation leaves that one first.
func (s *Service) accepted(ctx context.Context, o *organization, h *handshake) error {
	a, err := s.account(ctx, h.Account)
	if err != nil {
		return err
	}
	if a.Management == o.Management {
		return unshakable(organizationsapi.HandshakeConstraintViolationExceptionReasonAlreadyInAnOrganization, "The account is already a member of the organization.")
	}
	if err := s.checkAccounts(ctx, o); err != nil {
		return unshakable(organizationsapi.HandshakeConstraintViolationExceptionReasonAccountNumberLimitExceeded,
			"You have exceeded the allowed number of AWS accounts in your organization.")
	}
	if a.Management != "" {
		was, err := s.at(ctx, a.Management)
		if err != nil {
			return err
		}
		if err := s.leave(ctx, was, a); err != nil {
			return err
		}
	}
	return s.join(ctx, o, a, organizationsapi.AccountJoinedMethodInvited, h.Tags)
}

func (s *Service) newInvitation(ctx context.Context, in *organizationsapi.InviteAccountToOrganizationRequest) ([]wire.Touch, error) {
	var refs []ref
	if in.Target != nil && in.Target.Type == organizationsapi.HandshakePartyTypeAccount {
		refs = []ref{anAccount(in.Target.Id)}
	}
	return s.tagging(ctx, "organizations:InviteAccountToOrganization", nil, in.Tags, refs...)
}

// acceptance touches the handshake, the role that Organizations gets in the account
// and, for an account that leaves another organisation by it, the permission to
// leave: a guardrail against leaving holds.
func (s *Service) acceptance(ctx context.Context, in *organizationsapi.AcceptHandshakeRequest) ([]wire.Touch, error) {
	touches, err := touchHandshake(s, "organizations:AcceptHandshake", func(in *organizationsapi.AcceptHandshakeRequest) string { return in.HandshakeId })(ctx, in)
	if err != nil {
		return nil, err
	}
	own := aws.CallOf(ctx).Account
	if touches[0].Account == own {
		return touches, nil // it joins nothing
	}
	touches = append(touches, linking(own))
	o, err := s.ownOrNone(ctx)
	if err == nil && o != nil && touches[0].Account != o.Management {
		touches = append(touches, wire.Touch{Action: "organizations:LeaveOrganization", Account: own})
	}
	return touches, err
}
