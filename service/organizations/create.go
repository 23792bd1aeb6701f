package organizations

import (
	"context"
	"errors"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/store"
)

// createKind is the due record of an account that is being made.
const createKind = "organizations.create-account"

// create makes the account that a CreateAccount has promised: all of it in one
// unit of work, so that a node that dies in between leaves nothing behind.
func (s *Service) create(ctx context.Context, due store.Due) error {
	creations := s.creations.In(due.Place)
	c, err := creations.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the organisation is gone
	}
	if err != nil || c.State != organizationsapi.CreateAccountStateInProgress {
		return err
	}
	o, err := s.at(ctx, due.Place.Account)
	if err != nil || o == nil {
		return err
	}
	c.Completed = now()
	if err := s.settle(ctx, o, c); err != nil {
		return err
	}
	if err := s.tell(ctx, o, "CreateAccountResult", "createAccountStatus", c.told()); err != nil {
		return err
	}
	return creations.Put(ctx, c.ID, c)
}

// settle makes the account, or says in c why it cannot be made.
func (s *Service) settle(ctx context.Context, o *organization, c *creation) error {
	fail := func(why organizationsapi.CreateAccountFailureReason) error {
		c.State, c.Failure = organizationsapi.CreateAccountStateFailed, why
		return nil
	}
	if taken, err := s.taken(ctx, c.Email); err != nil {
		return err
	} else if taken {
		return fail(organizationsapi.CreateAccountFailureReasonEmailAlreadyExists)
	}
	var limited error
	if limited = s.checkAccounts(ctx, o); organizationsapi.ConstraintViolationException.Is(limited) {
		return fail(organizationsapi.CreateAccountFailureReasonAccountLimitExceeded)
	} else if limited != nil {
		return limited
	}
	a := &account{ID: newAccount(), Name: c.Name, Email: c.Email, State: organizationsapi.AccountStateActive, Created: c.Completed}
	if err := s.owners.AddMember(ctx, a.ID, c.Role, o.Management); err != nil {
		return err // the number is taken, one time in 900 billion: tried again with another
	}
	if err := s.join(ctx, o, a, organizationsapi.AccountJoinedMethodCreated, c.Tags); err != nil {
		return err
	}
	c.State, c.Account = organizationsapi.CreateAccountStateSucceeded, a.ID
	return nil
}

// taken reports whether an account has the email address.
func (s *Service) taken(ctx context.Context, address string) (bool, error) {
	_, err := s.emails.Get(ctx, emailID(address))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// told is the creation as the trail shows it.
func (c *creation) told() any {
	return struct {
		ID        string `json:"id"`
		State     string `json:"state"`
		Name      string `json:"accountName"` // hidden, as the model says of it
		Account   string `json:"accountId,omitempty"`
		Failure   string `json:"failureReason,omitempty"`
		Requested string `json:"requestedTimestamp"`
		Completed string `json:"completedTimestamp"`
	}{c.ID, string(c.State), hidden, string(c.Account), string(c.Failure), c.Requested.Format(trailTime), c.Completed.Format(trailTime)}
}

const (
	hidden    = "****"
	trailTime = "Jan 2, 2006 3:04:05 PM"
)
