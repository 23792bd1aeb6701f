package service

import (
	"context"
	"time"

	"sumun.dev/aws"
)

// An OrganizationAccount is an account of an organisation, as a service that works for the whole
// organisation sees it.
type OrganizationAccount struct {
	ID     aws.Account
	Email  string
	Joined time.Time
	Active bool
}

// Organizations tells services how accounts belong together.
type Organizations interface {
	// Administration returns how account stands to the administration of the service
	// with that principal in its organisation; nil when it is in none.
	Administration(ctx context.Context, account aws.Account, principal string) (*Administration, error)
	// Account returns an account of the organisation that management manages; nil when
	// it is not of it.
	Account(ctx context.Context, management, id aws.Account) (*OrganizationAccount, error)
	// Accounts returns up to n accounts of the organisation that management manages,
	// in the order of their ids, from the one after that id on.
	Accounts(ctx context.Context, management, after aws.Account, n int) ([]OrganizationAccount, error)
}
