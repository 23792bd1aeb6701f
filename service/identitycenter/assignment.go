package identitycenter

import (
	"context"
	"errors"
	"strings"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// member refuses an account that is not in the organisation of the instance.
func (s *Service) member(ctx context.Context, account string) (aws.Account, error) {
	mine, err := s.options.Membership(ctx, aws.CallOf(ctx).Account)
	if err != nil {
		return "", err
	}
	theirs, err := s.options.Membership(ctx, aws.Account(account))
	if err != nil {
		return "", err
	}
	if mine == nil || theirs == nil || mine.Organization != theirs.Organization {
		return "", api.ResourceNotFoundException.New("Could not find the account %s in the organization.", account)
	}
	return aws.Account(account), nil
}

func (s *Service) createAccountAssignment(ctx context.Context, in *api.CreateAccountAssignmentRequest) (*api.CreateAccountAssignmentResponse, error) {
	i, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	account, err := s.member(ctx, in.TargetId)
	if err != nil {
		return nil, err
	}
	if err := s.options.Link(ctx, account); err != nil {
		return nil, err
	}
	r := &request{Instance: i.ID, Kind: creation, Assignment: assignment{Instance: i.ID, Set: p.ID, Account: account, Type: in.PrincipalType, Principal: in.PrincipalId}}
	if err := s.ask(ctx, r); err != nil {
		return nil, err
	}
	return &api.CreateAccountAssignmentResponse{AccountAssignmentCreationStatus: r.shown(ctx)}, nil
}

func (s *Service) deleteAccountAssignment(ctx context.Context, in *api.DeleteAccountAssignmentRequest) (*api.DeleteAccountAssignmentResponse, error) {
	i, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	a := assignment{Instance: i.ID, Set: p.ID, Account: aws.Account(in.TargetId), Type: in.PrincipalType, Principal: in.PrincipalId}
	if _, err := s.assignments.Get(ctx, a.id()); errors.Is(err, store.ErrNotFound) {
		return nil, api.ResourceNotFoundException.New("Could not find an account assignment of PermissionSet %s to %s %s in account %s.", p.ID, a.Type, a.Principal, a.Account)
	} else if err != nil {
		return nil, err
	}
	r := &request{Instance: i.ID, Kind: deletion, Assignment: a}
	if err := s.ask(ctx, r); err != nil {
		return nil, err
	}
	return &api.DeleteAccountAssignmentResponse{AccountAssignmentDeletionStatus: r.shown(ctx)}, nil
}

func (s *Service) listAccountAssignments(ctx context.Context, in *api.ListAccountAssignmentsRequest) (*api.ListAccountAssignmentsResponse, error) {
	i, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	prefix := i.ID + "/" + p.ID + "/" + in.AccountId + "/"
	rows, next, err := list(ctx, s, []string{prefix}, in.MaxResults, in.NextToken, api.ValidationException, under(ctx, s.assignments, prefix), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListAccountAssignmentsResponse{AccountAssignments: []api.AccountAssignment{}, NextToken: next}
	for _, row := range rows {
		a := row.Value
		out.AccountAssignments = append(out.AccountAssignments, api.AccountAssignment{
			AccountId: new(string(a.Account)), PermissionSetArn: &in.PermissionSetArn, PrincipalType: &a.Type, PrincipalId: &a.Principal,
		})
	}
	return out, nil
}

// listAssignmentsForPrincipal shows what a user or a group is assigned: a user's
// own assignments and those of its groups.
func (s *Service) listAssignmentsForPrincipal(ctx context.Context, in *api.ListAccountAssignmentsForPrincipalRequest) (*api.ListAccountAssignmentsForPrincipalResponse, error) {
	i, err := s.organization(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	only := ""
	if in.Filter != nil && in.Filter.AccountId != nil {
		only = *in.Filter.AccountId
	}
	all, err := s.assigned(ctx, i, in.PrincipalType, in.PrincipalId)
	if err != nil {
		return nil, err
	}
	byID := map[string]*assignment{}
	var ids []string
	for _, a := range all {
		if only == "" || string(a.Account) == only {
			byID[a.id()], ids = a, append(ids, a.id())
		}
	}
	page, next, err := slice(ctx, s, i.ID+"/"+in.PrincipalId+"/"+only, sorted(ids), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &api.ListAccountAssignmentsForPrincipalResponse{AccountAssignments: []api.AccountAssignmentForPrincipal{}, NextToken: next}
	for _, id := range page {
		a := byID[id]
		out.AccountAssignments = append(out.AccountAssignments, api.AccountAssignmentForPrincipal{
			AccountId: new(string(a.Account)), PermissionSetArn: new(setARN(aws.CallOf(ctx).Partition, &permissionSet{Instance: a.Instance, ID: a.Set})),
			PrincipalId: &a.Principal, PrincipalType: &a.Type,
		})
	}
	return out, nil
}

// assigned returns the assignments of a principal; of a user also those through
// its groups.
func (s *Service) assigned(ctx context.Context, i *instance, kind api.PrincipalType, id string) ([]*assignment, error) {
	var all []*assignment
	add := func(kind api.PrincipalType, id string) error {
		return every(indexed(ctx, s.assignments, "by", i.ID+"/"+string(kind)+"/"+id), func(a store.Entry[assignment]) error {
			all = append(all, a.Value)
			return nil
		})
	}
	if err := add(kind, id); err != nil || kind == api.PrincipalTypeGroup {
		return all, err
	}
	err := every(indexed(ctx, s.memberships, "by", i.Store+"/u/"+id), func(m store.Entry[membership]) error {
		return add(api.PrincipalTypeGroup, m.Value.Group)
	})
	return all, err
}

func (s *Service) provisionPermissionSet(ctx context.Context, in *api.ProvisionPermissionSetRequest) (*api.ProvisionPermissionSetResponse, error) {
	i, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	r := &request{Instance: i.ID, Kind: provisioning, Assignment: assignment{Instance: i.ID, Set: p.ID}}
	switch {
	case in.TargetType == api.ProvisionTargetTypeAllProvisionedAccounts && in.TargetId != nil:
		return nil, api.ValidationException.New("TargetId must not be given when TargetType is ALL_PROVISIONED_ACCOUNTS.")
	case in.TargetType == api.ProvisionTargetTypeAwsAccount && in.TargetId == nil:
		return nil, api.ValidationException.New("TargetId must be given when TargetType is AWS_ACCOUNT.")
	case in.TargetId != nil:
		r.Assignment.Account = aws.Account(*in.TargetId)
		if _, err := s.provisioned.Get(ctx, i.ID+"/"+p.ID+"/"+*in.TargetId); errors.Is(err, store.ErrNotFound) {
			return nil, api.ResourceNotFoundException.New("PermissionSet %s is not provisioned in account %s.", p.ID, *in.TargetId)
		} else if err != nil {
			return nil, err
		}
	}
	if err := s.ask(ctx, r); err != nil {
		return nil, err
	}
	return &api.ProvisionPermissionSetResponse{PermissionSetProvisioningStatus: r.provisioning(ctx)}, nil
}

func (s *Service) listAccountsForSet(ctx context.Context, in *api.ListAccountsForProvisionedPermissionSetRequest) (*api.ListAccountsForProvisionedPermissionSetResponse, error) {
	i, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	want, prefix := "", i.ID+"/"+p.ID+"/"
	if in.ProvisioningStatus != nil {
		want = string(*in.ProvisioningStatus)
	}
	rows, next, err := list(ctx, s, []string{prefix, want}, in.MaxResults, in.NextToken, api.ValidationException, under(ctx, s.provisioned, prefix), func(row *provision) bool {
		return want == "" || want == string(row.status(p))
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListAccountsForProvisionedPermissionSetResponse{AccountIds: []string{}, NextToken: next}
	for _, row := range rows {
		out.AccountIds = append(out.AccountIds, string(row.Value.Account))
	}
	return out, nil
}

// status says whether the role is as the permission set is.
func (row *provision) status(p *permissionSet) api.ProvisioningStatus {
	if p != nil && row.Version == p.Version {
		return api.ProvisioningStatusLatestPermissionSetProvisioned
	}
	return api.ProvisioningStatusLatestPermissionSetNotProvisioned
}

func (s *Service) listSetsInAccount(ctx context.Context, in *api.ListPermissionSetsProvisionedToAccountRequest) (*api.ListPermissionSetsProvisionedToAccountResponse, error) {
	i, err := s.organization(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	want, by := "", i.ID+"/"+in.AccountId
	if in.ProvisioningStatus != nil {
		want = string(*in.ProvisioningStatus)
	}
	rows, next, err := list(ctx, s, []string{by, want}, in.MaxResults, in.NextToken, api.ValidationException, indexed(ctx, s.provisioned, "by", by), func(row *provision) bool {
		p, err := s.sets.Get(ctx, i.ID+"/"+row.Set)
		return err == nil && (want == "" || want == string(row.status(p)))
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListPermissionSetsProvisionedToAccountResponse{PermissionSets: []string{}, NextToken: next}
	for _, row := range rows {
		out.PermissionSets = append(out.PermissionSets, setARN(aws.CallOf(ctx).Partition, &permissionSet{Instance: i.ID, ID: row.Value.Set}))
	}
	return out, nil
}

// shortName is what follows the last slash.
func shortName(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
