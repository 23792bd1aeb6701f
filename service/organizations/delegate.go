package organizations

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A delegation lets an account administer a service for the organisation.
type delegation struct {
	Account aws.Account
	Service string // "guardduty.amazonaws.com"
	Since   time.Time
}

func (d *delegation) id() string { return string(d.Account) + "/" + d.Service }

// maxDelegates is how many accounts may administer one service. The services'
// own bounds, some of which are lower, are not known here.
const maxDelegates = 5

// delegated returns the resource policy by which a member of the organisation may
// do what is otherwise the management account's: the organisation's own policy
// and, for delegated administrators, AWS's leave to read. Empty: nothing is
// delegated to anybody.
func (s *Service) delegated(ctx context.Context, o *organization) (string, error) {
	caller := aws.CallOf(ctx).Account
	mine, err := s.delegations.In(o.place()).PageBy(ctx, byAccount, string(caller), store.Range{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(mine) == 0 {
		if o.Policy == nil {
			return "", nil
		}
		return o.Policy.Content, nil
	}
	leave, err := allowing(caller, "organizations:Describe*", "organizations:List*")
	if err != nil || o.Policy == nil {
		return leave, err
	}
	return joined(leave, o.Policy.Content)
}

// allowing is a resource policy by which an account may do the actions.
func allowing(account aws.Account, actions ...string) (string, error) {
	type statement struct {
		Effect    string
		Principal map[string]string
		Action    []string
		Resource  string
	}
	doc, err := json.Marshal(map[string]any{
		"Version": "2012-10-17", "Statement": []statement{{"Allow", map[string]string{"AWS": string(account)}, actions, "*"}},
	})
	return string(doc), err
}

// joined is a document with the statements of both.
func joined(a, b string) (string, error) {
	var all []json.RawMessage
	for _, text := range []string{a, b} {
		var doc struct{ Statement json.RawMessage }
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			return "", err
		}
		var many []json.RawMessage
		if json.Unmarshal(doc.Statement, &many) != nil {
			many = []json.RawMessage{doc.Statement}
		}
		all = append(all, many...)
	}
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": all})
	return string(doc), err
}

func (s *Service) registerDelegatedAdministrator(ctx context.Context, in *organizationsapi.RegisterDelegatedAdministratorRequest) (*organizationsapi.RegisterDelegatedAdministratorResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.allFeatures(); err != nil {
		return nil, err
	}
	if err := checkService(in.ServicePrincipal); err != nil {
		return nil, err
	}
	if _, err := s.member(ctx, o, in.AccountId); err != nil {
		return nil, err
	}
	a, err := s.account(ctx, aws.Account(in.AccountId))
	if err != nil {
		return nil, err
	}
	switch _, trusted := o.Services[in.ServicePrincipal]; {
	case a.ID == o.Management:
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonCannotRegisterMasterAsDelegatedAdministrator,
			"You cannot register master account/yourself as delegated administrator for your organization.")
	case a.State != organizationsapi.AccountStateActive:
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonCannotRegisterSuspendedAccountAsDelegatedAdministrator,
			"You cannot register a suspended account as a delegated administrator.")
	case !trusted:
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonServiceAccessNotEnabled,
			"You must enable service access for %s before you register a delegated administrator for it.", in.ServicePrincipal)
	}
	have, err := s.delegations.In(o.place()).PageBy(ctx, byService, in.ServicePrincipal, store.Range{Limit: maxDelegates})
	if err != nil {
		return nil, err
	}
	if len(have) >= maxDelegates {
		return nil, violates(organizationsapi.ConstraintViolationExceptionReasonMaxDelegatedAdministratorsForServiceLimitExceeded,
			"You have exceeded the number of delegated administrators allowed for the service principal.")
	}
	d := &delegation{a.ID, in.ServicePrincipal, now()}
	err = s.delegations.In(o.place()).Insert(ctx, d.id(), d)
	if errors.Is(err, store.ErrExists) {
		err = organizationsapi.AccountAlreadyRegisteredException.New("The provided account is already a delegated administrator for your organization.")
	}
	return &organizationsapi.RegisterDelegatedAdministratorResponse{}, err
}

func notRegistered() error {
	return organizationsapi.AccountNotRegisteredException.New("The provided account is not a registered delegated administrator for your organization.")
}

func (s *Service) deregisterDelegatedAdministrator(ctx context.Context, in *organizationsapi.DeregisterDelegatedAdministratorRequest) (*organizationsapi.DeregisterDelegatedAdministratorResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkService(in.ServicePrincipal); err != nil {
		return nil, err
	}
	if _, err := s.member(ctx, o, in.AccountId); err != nil {
		return nil, err
	}
	d := delegation{Account: aws.Account(in.AccountId), Service: in.ServicePrincipal}
	err = s.delegations.In(o.place()).Delete(ctx, d.id())
	if errors.Is(err, store.ErrNotFound) {
		err = notRegistered()
	}
	return &organizationsapi.DeregisterDelegatedAdministratorResponse{}, err
}

func (s *Service) listDelegatedAdministrators(ctx context.Context, in *organizationsapi.ListDelegatedAdministratorsRequest) (*organizationsapi.ListDelegatedAdministratorsResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	q := query{operation: "ListDelegatedAdministrators", token: in.NextToken, most: in.MaxResults}
	if in.ServicePrincipal != nil {
		if err := checkService(*in.ServicePrincipal); err != nil {
			return nil, err
		}
		q.index, q.value = byService, *in.ServicePrincipal
	}
	// An account stands here once, however many services it administers: under the first of them.
	last := aws.Account("")
	if after, err := s.after(ctx, &q); err == nil && after != "" {
		id, _, _ := strings.Cut(after, "/")
		last = aws.Account(id)
	}
	page, next, err := pageOf(ctx, s, s.delegations.In(o.place()), q, func(d *delegation) bool {
		first := d.Account != last
		last = d.Account
		return first
	})
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListDelegatedAdministratorsResponse{DelegatedAdministrators: []organizationsapi.DelegatedAdministrator{}, NextToken: next}
	for _, d := range page {
		n, err := s.member(ctx, o, string(d.Account))
		if err != nil {
			return nil, err
		}
		a, err := s.shownAccount(ctx, o, n)
		if err != nil {
			return nil, err
		}
		out.DelegatedAdministrators = append(out.DelegatedAdministrators, organizationsapi.DelegatedAdministrator{
			Id: a.Id, Arn: a.Arn, Email: a.Email, Name: a.Name, Status: a.Status, State: a.State, JoinedMethod: a.JoinedMethod,
			JoinedTimestamp: a.JoinedTimestamp, DelegationEnabledDate: &d.Since,
		})
	}
	return out, nil
}

func (s *Service) listDelegatedServicesForAccount(ctx context.Context, in *organizationsapi.ListDelegatedServicesForAccountRequest) (*organizationsapi.ListDelegatedServicesForAccountResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.member(ctx, o, in.AccountId); err != nil {
		return nil, err
	}
	page, next, err := pageOf(ctx, s, s.delegations.In(o.place()),
		query{operation: "ListDelegatedServicesForAccount", index: byAccount, value: in.AccountId, token: in.NextToken, most: in.MaxResults}, nil)
	if err == nil && len(page) == 0 && in.NextToken == nil {
		err = notRegistered()
	}
	return &organizationsapi.ListDelegatedServicesForAccountResponse{NextToken: next, DelegatedServices: shown(page, func(d *delegation) organizationsapi.DelegatedService {
		return organizationsapi.DelegatedService{ServicePrincipal: &d.Service, DelegationEnabledDate: &d.Since}
	})}, err
}

// delegates reports whether an account administers any service.
func (s *Service) delegates(ctx context.Context, o *organization, id aws.Account) (bool, error) {
	have, err := s.delegations.In(o.place()).PageBy(ctx, byAccount, string(id), store.Range{Limit: 1})
	return len(have) > 0, err
}

const servicePrincipalKey = "organizations:ServicePrincipal"

func (s *Service) delegateOf(ctx context.Context, action, account, service string) ([]wire.Touch, error) {
	return s.touched(ctx, action, map[string][]string{servicePrincipalKey: {service}}, anAccount(account))
}

func (s *Service) newDelegate(ctx context.Context, in *organizationsapi.RegisterDelegatedAdministratorRequest) ([]wire.Touch, error) {
	return s.delegateOf(ctx, "organizations:RegisterDelegatedAdministrator", in.AccountId, in.ServicePrincipal)
}

func (s *Service) oldDelegate(ctx context.Context, in *organizationsapi.DeregisterDelegatedAdministratorRequest) ([]wire.Touch, error) {
	return s.delegateOf(ctx, "organizations:DeregisterDelegatedAdministrator", in.AccountId, in.ServicePrincipal)
}

func (s *Service) delegatesOf(ctx context.Context, in *organizationsapi.ListDelegatedAdministratorsRequest) ([]wire.Touch, error) {
	var conditions map[string][]string
	if in.ServicePrincipal != nil {
		conditions = map[string][]string{servicePrincipalKey: {*in.ServicePrincipal}}
	}
	return s.touched(ctx, "organizations:ListDelegatedAdministrators", conditions)
}

// checkService refuses what is no service of AWS that works with Organizations.
func checkService(principal string) error {
	if slices.Contains(trustable[:], principal) {
		return nil
	}
	return invalid(organizationsapi.InvalidInputExceptionReasonUnrecognizedServicePrincipal, "You specified an unrecognized service principal.")
}
