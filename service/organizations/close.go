package organizations

import (
	"context"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// The due records of accounts that are closed.
const (
	suspendKind = "organizations.suspend-account"
	endKind     = "organizations.end-account"
)

const (
	postClosure  = 90 * 24 * time.Hour // until a closed account is gone for good
	closeWindow  = 30 * 24 * time.Hour // in which only so many may be closed
	closeAtLeast = 10                  // or a tenth of the accounts
)

// closeAccount begins to close an account: its credentials are worth nothing from
// now on. Account Management Reference Guide, "Close an AWS account".
func (s *Service) closeAccount(ctx context.Context, in *organizationsapi.CloseAccountRequest) (*organizationsapi.CloseAccountResponse, error) {
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
	if a.ID == o.Management {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonCannotCloseManagementAccount, "You can't close the management account of an organization.")
	}
	switch a.State {
	case organizationsapi.AccountStateActive:
	case organizationsapi.AccountStatePendingClosure:
		return nil, organizationsapi.ConflictException.New("The account is already being closed.")
	default:
		return nil, organizationsapi.AccountAlreadyClosedException.New("You attempted to close an account that is already closed.")
	}
	if err := s.checkClosures(ctx, o); err != nil {
		return nil, err
	}
	a.State, a.Closed = organizationsapi.AccountStatePendingClosure, now()
	store.Schedule(ctx, store.Due{Kind: suspendKind, ID: string(a.ID), At: now(), Place: o.place()})
	return &organizationsapi.CloseAccountResponse{}, s.putAccount(ctx, a)
}

// checkClosures holds an organisation to the accounts that it may close in 30 days.
func (s *Service) checkClosures(ctx context.Context, o *organization) error {
	if !s.env.Quotas {
		return nil
	}
	all, closed := 0, 0
	for e, err := range s.nodes.In(o.place()).All(store.Outside(ctx), "") {
		if err != nil {
			return err
		}
		if e.Value.Kind != isAccount {
			continue
		}
		all++
		a, err := s.account(store.Outside(ctx), aws.Account(e.ID))
		if err != nil {
			return err
		}
		if now().Before(a.Closed.Add(closeWindow)) {
			closed++
		}
	}
	if closed >= max(closeAtLeast, all/10) {
		return violates(organizationsapi.ConstraintViolationExceptionReasonCloseAccountQuotaExceeded, "You have exceeded close account quota for the past 30 days.")
	}
	return nil
}

// suspend says that an account is closed.
func (s *Service) suspend(ctx context.Context, due store.Due) error {
	a, o, err := s.closing(ctx, due)
	if err != nil || a == nil || a.State != organizationsapi.AccountStatePendingClosure {
		return err
	}
	a.State = organizationsapi.AccountStateSuspended
	store.Schedule(ctx, store.Due{Kind: endKind, ID: due.ID, At: a.Closed.Add(postClosure), Place: due.Place})
	if err := s.tell(ctx, o, "CloseAccountResult", "closeAccountStatus", map[string]string{
		"accountId": due.ID, "accountName": hidden, "state": string(organizationsapi.CreateAccountStateSucceeded),
		"requestedTimestamp": a.Closed.Format(trailTime), "completedTimestamp": now().Format(trailTime),
	}); err != nil {
		return err
	}
	return s.putAccount(ctx, a)
}

// finishClosure takes an account that has been closed for 90 days out of its
// organisation. Its address stays taken.
func (s *Service) finishClosure(ctx context.Context, due store.Due) error {
	a, o, err := s.closing(ctx, due)
	if err != nil || a == nil || a.State != organizationsapi.AccountStateSuspended {
		return err
	}
	a.State = organizationsapi.AccountStateClosed
	for e, err := range s.delegations.In(o.place()).All(ctx, due.ID+"/") {
		if err != nil {
			return err
		}
		if err := s.delegations.In(o.place()).Delete(ctx, e.ID); err != nil {
			return err
		}
	}
	if err := s.leave(ctx, o, a); err != nil {
		return err
	}
	return s.putAccount(ctx, a)
}

// closing returns the account that a due record is about, and its organisation;
// nil when it has left that.
func (s *Service) closing(ctx context.Context, due store.Due) (*account, *organization, error) {
	a, err := s.known(ctx, aws.Account(due.ID))
	if err != nil || a == nil || a.Management != due.Place.Account {
		return nil, nil, err
	}
	o, err := s.at(ctx, a.Management)
	if err != nil || o == nil {
		return nil, nil, err
	}
	return a, o, nil
}
