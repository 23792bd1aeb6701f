package organizations

import (
	"context"
	"errors"
	"slices"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// defaultRole is the role by which the management account enters a new account.
const defaultRole = "OrganizationAccountAccessRole"

// createAccount promises an account; the due record keeps the promise.
func (s *Service) createAccount(ctx context.Context, in *organizationsapi.CreateAccountRequest) (*organizationsapi.CreateAccountResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.checkAccounts(ctx, o); err != nil {
		return nil, err
	}
	c := &creation{
		ID: newID("car-", 32), Name: in.AccountName, Email: in.Email, Role: defaultRole, Tags: tags,
		State: organizationsapi.CreateAccountStateInProgress, Requested: now(),
	}
	if in.RoleName != nil {
		c.Role = *in.RoleName
	}
	if c.Role == "" {
		return nil, invalid(organizationsapi.InvalidInputExceptionReasonInvalidRoleName, "You provided a role name that isn't valid.")
	}
	if err := s.creations.In(o.place()).Insert(ctx, c.ID, c); err != nil {
		return nil, err
	}
	store.Schedule(ctx, store.Due{Kind: createKind, ID: c.ID, At: now(), Place: o.place()})
	return &organizationsapi.CreateAccountResponse{CreateAccountStatus: c.shown()}, nil
}

// accountsAtFirst is how many accounts an organisation may have until AWS raises it.
const accountsAtFirst = 10

// checkAccounts holds an organisation to the number of accounts that AWS grants
// at first. Organizations User Guide, "Quotas for AWS Organizations".
func (s *Service) checkAccounts(ctx context.Context, o *organization) error {
	if !s.env.Quotas {
		return nil
	}
	n, err := s.nodes.In(o.place()).PageBy(ctx, byKind, isAccount, store.Range{Limit: accountsAtFirst})
	if err == nil && len(n) >= accountsAtFirst {
		err = violates(organizationsapi.ConstraintViolationExceptionReasonAccountNumberLimitExceeded,
			"You have exceeded the allowed number of AWS accounts in your organization.")
	}
	return err
}

func (s *Service) describeCreateAccountStatus(ctx context.Context, in *organizationsapi.DescribeCreateAccountStatusRequest) (*organizationsapi.DescribeCreateAccountStatusResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.creations.In(o.place()).Get(ctx, in.CreateAccountRequestId)
	if errors.Is(err, store.ErrNotFound) {
		return nil, organizationsapi.CreateAccountStatusNotFoundException.New("You specified a create account request that doesn't exist.")
	}
	if err != nil {
		return nil, err
	}
	return &organizationsapi.DescribeCreateAccountStatusResponse{CreateAccountStatus: c.shown()}, nil
}

func (s *Service) listCreateAccountStatus(ctx context.Context, in *organizationsapi.ListCreateAccountStatusRequest) (*organizationsapi.ListCreateAccountStatusResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	q := query{operation: "ListCreateAccountStatus", token: in.NextToken, most: in.MaxResults}
	for _, state := range in.States {
		q.filters = append(q.filters, string(state))
	}
	page, next, err := pageOf(ctx, s, s.creations.In(o.place()), q, func(c *creation) bool {
		return len(in.States) == 0 || slices.Contains(in.States, c.State)
	})
	return &organizationsapi.ListCreateAccountStatusResponse{
		CreateAccountStatuses: shown(page, func(c *creation) organizationsapi.CreateAccountStatus { return *c.shown() }), NextToken: next,
	}, err
}

func (c *creation) shown() *organizationsapi.CreateAccountStatus {
	out := &organizationsapi.CreateAccountStatus{Id: &c.ID, AccountName: &c.Name, State: &c.State, RequestedTimestamp: &c.Requested}
	if !c.Completed.IsZero() {
		out.CompletedTimestamp = &c.Completed
	}
	if c.Account != "" {
		out.AccountId = new(string(c.Account))
	}
	if c.Failure != "" {
		out.FailureReason = &c.Failure
	}
	return out
}

func (s *Service) describeAccount(ctx context.Context, in *organizationsapi.DescribeAccountRequest) (*organizationsapi.DescribeAccountResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.member(ctx, o, in.AccountId)
	if err != nil {
		return nil, err
	}
	a, err := s.shownAccount(ctx, o, n)
	return &organizationsapi.DescribeAccountResponse{Account: a}, err
}

// member returns the node of an account in the organisation.
func (s *Service) member(ctx context.Context, o *organization, id string) (*node, error) {
	n, err := s.node(ctx, o, id)
	if err == nil && (n == nil || n.Kind != isAccount) {
		return nil, noAccount()
	}
	return n, err
}

func (s *Service) listAccounts(ctx context.Context, in *organizationsapi.ListAccountsRequest) (*organizationsapi.ListAccountsResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(ctx, s, s.nodes.In(o.place()),
		query{operation: "ListAccounts", index: byKind, value: isAccount, token: in.NextToken, most: in.MaxResults}, nil)
	if err != nil {
		return nil, err
	}
	accounts, err := s.shownAccounts(ctx, o, page)
	return &organizationsapi.ListAccountsResponse{Accounts: accounts, NextToken: next}, err
}

func (s *Service) shownAccounts(ctx context.Context, o *organization, page []*node) ([]organizationsapi.Account, error) {
	accounts := []organizationsapi.Account{}
	for _, n := range page {
		a, err := s.shownAccount(ctx, o, n)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, *a)
	}
	return accounts, nil
}

func (s *Service) shownAccount(ctx context.Context, o *organization, n *node) (*organizationsapi.Account, error) {
	a, err := s.account(ctx, aws.Account(n.ID))
	if err != nil {
		return nil, err
	}
	line, err := s.line(ctx, o, n)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.Account{
		Id: &n.ID, Arn: new(o.accountARN(a.ID).String()), Email: &a.Email, Name: &a.Name, Status: new(a.status()), State: &a.State,
		Paths: []string{o.path(line) + n.ID + "/"}, JoinedMethod: &n.How, JoinedTimestamp: &n.Joined,
	}, nil
}

// status is the older of the two members that tell what became of an account.
func (a *account) status() organizationsapi.AccountStatus {
	switch a.State {
	case organizationsapi.AccountStateActive, organizationsapi.AccountStatePendingActivation:
		return organizationsapi.AccountStatusActive
	case organizationsapi.AccountStatePendingClosure:
		return organizationsapi.AccountStatusPendingClosure
	}
	return organizationsapi.AccountStatusSuspended
}
