package organizations

import (
	"context"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
)

// waitPeriod is how long an account that an organisation has created must stay.
// Organizations User Guide, "Leave an organization from a member account".
const waitPeriod = 4 * 24 * time.Hour

func (s *Service) removeAccountFromOrganization(ctx context.Context, in *organizationsapi.RemoveAccountFromOrganizationRequest) (*organizationsapi.RemoveAccountFromOrganizationResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.member(ctx, o, in.AccountId); err != nil {
		return nil, err
	}
	a, err := s.account(ctx, aws.Account(in.AccountId))
	if err != nil {
		return nil, err
	}
	return &organizationsapi.RemoveAccountFromOrganizationResponse{}, s.leaveAlone(ctx, o, a)
}

func (s *Service) leaveOrganization(ctx context.Context, _ *organizationsapi.LeaveOrganizationRequest) (*organizationsapi.LeaveOrganizationResponse, error) {
	o, err := s.mine(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, aws.CallOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.LeaveOrganizationResponse{}, s.leaveAlone(ctx, o, a)
}

// leaveAlone takes an account out of its organisation; it then is in none.
func (s *Service) leaveAlone(ctx context.Context, o *organization, a *account) error {
	if s.env.Quotas && !a.Created.IsZero() && now().Before(a.Created.Add(waitPeriod)) {
		return violates(organizationsapi.ConstraintViolationExceptionReasonWaitPeriodActive,
			"You can't remove an account that was created less than four days ago.")
	}
	if err := s.leave(ctx, o, a); err != nil {
		return err
	}
	return s.putAccount(ctx, a)
}

// leave takes an account out of the tree; the caller keeps a.
func (s *Service) leave(ctx context.Context, o *organization, a *account) error {
	if a.ID == o.Management {
		return organizationsapi.MasterCannotLeaveOrganizationException.New("You can't remove a management account from an organization.")
	}
	administers, err := s.delegates(ctx, o, a.ID)
	if err != nil {
		return err
	}
	if administers {
		return violates(organizationsapi.ConstraintViolationExceptionReasonCannotRemoveDelegatedAdministratorFromOrg,
			"You can't remove a member account that is a delegated administrator for an AWS service.")
	}
	a.Management = ""
	return s.nodes.In(o.place()).Delete(ctx, string(a.ID))
}
