package identitycenter

import (
	"context"
	"errors"
	"slices"
	"time"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// The kinds of due records.
const (
	asking     = "sso.request" // does what was asked for
	forgetting = "sso.forget"  // takes away the status of a request
	clearing   = "sso.clear"   // removes what a deleted instance has left
	expiring   = "sso.expire"  // ends what signing in has left
	syncing    = "sso.sync"    // reads an identity source
	statusLife = 7 * 24 * time.Hour
)

// ask writes a request down; it is done in the background, as AWS does it. What
// needs the caller, because it changes the caller's own account, is done at once.
func (s *Service) ask(ctx context.Context, r *request) error {
	r.ID, r.Status, r.Created = aws.UUID(), api.StatusValuesInProgress, now()
	if r.Assignment.Account == aws.CallOf(ctx).Account {
		if err := s.fulfil(ctx, r); err != nil {
			return err
		}
		r.Status = api.StatusValuesSucceeded
		store.Schedule(ctx, store.Due{Kind: forgetting, ID: r.id(), At: r.Created.Add(statusLife)})
		return s.requests.Insert(ctx, r.id(), r)
	}
	store.Schedule(ctx, store.Due{Kind: asking, ID: r.id(), At: r.Created})
	store.Schedule(ctx, store.Due{Kind: forgetting, ID: r.id(), At: r.Created.Add(statusLife)})
	return s.requests.Insert(ctx, r.id(), r)
}

// answer does what a request asks for. What AWS's services refuse is the
// request's end; anything else is tried again.
func (s *Service) answer(ctx context.Context, due store.Due) error {
	r, err := s.requests.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.env.Store.Update(ctx, func(ctx context.Context) error { return s.fulfil(ctx, r) })
	var refused *aws.Error
	switch {
	case err == nil:
		r.Status = api.StatusValuesSucceeded
	case errors.As(err, &refused):
		r.Status, r.Reason = api.StatusValuesFailed, refused.Message
	default:
		return err
	}
	return s.requests.Put(ctx, r.id(), r)
}

func (s *Service) fulfil(ctx context.Context, r *request) error {
	a := &r.Assignment
	i, err := s.instances.Get(ctx, r.Instance)
	if err != nil {
		return gone(err, "The instance no longer exists.")
	}
	p, err := s.sets.Get(ctx, r.Instance+"/"+a.Set)
	if err != nil {
		return gone(err, "PermissionSet "+a.Set+" no longer exists.")
	}
	switch r.Kind {
	case creation:
		if err := s.exists(ctx, i, a); err != nil {
			return err
		}
		if err := s.provision(ctx, i, p, a.Account, false); err != nil {
			return err
		}
		return s.assignments.Put(ctx, a.id(), a)
	case deletion:
		if err := s.assignments.Delete(ctx, a.id()); err != nil {
			return gone(err, "The account assignment no longer exists.")
		}
		return s.release(ctx, i, p, a.Account)
	}
	if a.Account != "" {
		return s.provision(ctx, i, p, a.Account, true)
	}
	return every(under(ctx, s.provisioned, i.ID+"/"+p.ID+"/"), func(row store.Entry[provision]) error {
		return s.provision(ctx, i, p, row.Value.Account, true)
	})
}

func gone(err error, message string) error {
	if errors.Is(err, store.ErrNotFound) {
		return api.ResourceNotFoundException.New("%s", message)
	}
	return err
}

// exists refuses to assign to somebody whom the identity store does not know.
func (s *Service) exists(ctx context.Context, i *instance, a *assignment) error {
	var err error
	if a.Type == api.PrincipalTypeGroup {
		_, err = s.groups.Get(ctx, i.Store+"/"+a.Principal)
	} else {
		_, err = s.users.Get(ctx, i.Store+"/"+a.Principal)
	}
	return gone(err, "The "+string(a.Type)+" "+a.Principal+" does not exist in the identity store.")
}

// forget takes the status of an old request away.
func (s *Service) forget(ctx context.Context, due store.Due) error {
	err := s.requests.Delete(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// request returns the request of a kind with this id.
func (s *Service) request(ctx context.Context, instanceARN, kind, id string) (*request, error) {
	i, err := s.organization(ctx, instanceARN)
	if err != nil {
		return nil, err
	}
	r, err := s.requests.Get(ctx, i.ID+"/"+kind+"/"+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.ResourceNotFoundException.New("Could not find a request with the id %s.", id)
	}
	return r, err
}

// requestsOf returns a page of the requests of a kind.
func (s *Service) requestsOf(ctx context.Context, instanceARN, kind string, filter *api.OperationStatusFilter, most *int32, token *string) ([]store.Entry[request], *string, error) {
	i, err := s.organization(ctx, instanceARN)
	if err != nil {
		return nil, nil, err
	}
	want := ""
	if filter != nil && filter.Status != nil {
		want = string(*filter.Status)
	}
	return list(ctx, s, []string{i.ID, want}, most, token, api.ValidationException, under(ctx, s.requests, i.ID+"/"+kind+"/"), func(r *request) bool {
		return want == "" || want == string(r.Status)
	})
}

func (r *request) shown(ctx context.Context) *api.AccountAssignmentOperationStatus {
	a := &r.Assignment
	out := &api.AccountAssignmentOperationStatus{
		Status: &r.Status, RequestId: &r.ID, TargetId: new(string(a.Account)), TargetType: new(api.TargetTypeAwsAccount),
		PermissionSetArn: new(setARN(aws.CallOf(ctx).Partition, &permissionSet{Instance: a.Instance, ID: a.Set})),
		PrincipalType:    &a.Type, PrincipalId: &a.Principal, CreatedDate: &r.Created,
	}
	if r.Reason != "" {
		out.FailureReason = &r.Reason
	}
	return out
}

func (r *request) provisioning(ctx context.Context) *api.PermissionSetProvisioningStatus {
	a := &r.Assignment
	out := &api.PermissionSetProvisioningStatus{
		Status: &r.Status, RequestId: &r.ID, CreatedDate: &r.Created,
		PermissionSetArn: new(setARN(aws.CallOf(ctx).Partition, &permissionSet{Instance: a.Instance, ID: a.Set})),
	}
	if a.Account != "" {
		out.AccountId = new(string(a.Account))
	}
	if r.Reason != "" {
		out.FailureReason = &r.Reason
	}
	return out
}

func (s *Service) describeCreation(ctx context.Context, in *api.DescribeAccountAssignmentCreationStatusRequest) (*api.DescribeAccountAssignmentCreationStatusResponse, error) {
	r, err := s.request(ctx, in.InstanceArn, creation, in.AccountAssignmentCreationRequestId)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAccountAssignmentCreationStatusResponse{AccountAssignmentCreationStatus: r.shown(ctx)}, nil
}

func (s *Service) describeDeletion(ctx context.Context, in *api.DescribeAccountAssignmentDeletionStatusRequest) (*api.DescribeAccountAssignmentDeletionStatusResponse, error) {
	r, err := s.request(ctx, in.InstanceArn, deletion, in.AccountAssignmentDeletionRequestId)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAccountAssignmentDeletionStatusResponse{AccountAssignmentDeletionStatus: r.shown(ctx)}, nil
}

func (s *Service) describeProvisioning(ctx context.Context, in *api.DescribePermissionSetProvisioningStatusRequest) (*api.DescribePermissionSetProvisioningStatusResponse, error) {
	r, err := s.request(ctx, in.InstanceArn, provisioning, in.ProvisionPermissionSetRequestId)
	if err != nil {
		return nil, err
	}
	return &api.DescribePermissionSetProvisioningStatusResponse{PermissionSetProvisioningStatus: r.provisioning(ctx)}, nil
}

func (s *Service) listCreations(ctx context.Context, in *api.ListAccountAssignmentCreationStatusRequest) (*api.ListAccountAssignmentCreationStatusResponse, error) {
	rows, next, err := s.requestsOf(ctx, in.InstanceArn, creation, in.Filter, in.MaxResults, in.NextToken)
	return &api.ListAccountAssignmentCreationStatusResponse{AccountAssignmentsCreationStatus: metadata(rows), NextToken: next}, err
}

func (s *Service) listDeletions(ctx context.Context, in *api.ListAccountAssignmentDeletionStatusRequest) (*api.ListAccountAssignmentDeletionStatusResponse, error) {
	rows, next, err := s.requestsOf(ctx, in.InstanceArn, deletion, in.Filter, in.MaxResults, in.NextToken)
	return &api.ListAccountAssignmentDeletionStatusResponse{AccountAssignmentsDeletionStatus: metadata(rows), NextToken: next}, err
}

func metadata(rows []store.Entry[request]) []api.AccountAssignmentOperationStatusMetadata {
	out := []api.AccountAssignmentOperationStatusMetadata{}
	for _, row := range rows {
		r := row.Value
		out = append(out, api.AccountAssignmentOperationStatusMetadata{Status: &r.Status, RequestId: &r.ID, CreatedDate: &r.Created})
	}
	return out
}

func (s *Service) listProvisionings(ctx context.Context, in *api.ListPermissionSetProvisioningStatusRequest) (*api.ListPermissionSetProvisioningStatusResponse, error) {
	rows, next, err := s.requestsOf(ctx, in.InstanceArn, provisioning, in.Filter, in.MaxResults, in.NextToken)
	out := &api.ListPermissionSetProvisioningStatusResponse{PermissionSetsProvisioningStatus: []api.PermissionSetProvisioningStatusMetadata{}, NextToken: next}
	for _, row := range rows {
		r := row.Value
		out.PermissionSetsProvisioningStatus = append(out.PermissionSetsProvisioningStatus, api.PermissionSetProvisioningStatusMetadata{Status: &r.Status, RequestId: &r.ID, CreatedDate: &r.Created})
	}
	return out, err
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}
