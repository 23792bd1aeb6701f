package identitycenter

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// Limits of permission sets. IAM Identity Center User Guide, "Quotas".
const (
	maxSets         = 2000
	shortestSession = time.Hour
	longestSession  = 12 * time.Hour
	usualSession    = "PT1H"
	maxInlinePolicy = 32_768 // bytes, white space left out
	maxSetPolicies  = 20     // AWS managed and customer managed together
)

var sessionForm = regexp.MustCompile(`^PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6})S)?$`)

// sessionLength reads an ISO 8601 duration between one hour and twelve.
func sessionLength(text string) (time.Duration, error) {
	m := sessionForm.FindStringSubmatch(text)
	if m == nil || text == "PT" {
		return 0, api.ValidationException.New("The session duration %s is not valid. It must be in the ISO-8601 format, between 1 hour and 12 hours.", text)
	}
	var d time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1]) // the form leaves digits or nothing
		d += time.Duration(n) * unit
	}
	if d < shortestSession || d > longestSession {
		return 0, api.ValidationException.New("The session duration %s is not valid. It must be between 1 hour and 12 hours.", text)
	}
	return d, nil
}

func setARN(partition string, p *permissionSet) string {
	return aws.ARN{Partition: partition, Service: "sso", Resource: "permissionSet/" + p.Instance + "/" + p.ID}.String()
}

func (s *Service) createPermissionSet(ctx context.Context, in *api.CreatePermissionSetRequest) (*api.CreatePermissionSetResponse, error) {
	i, err := s.organization(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	p := &permissionSet{
		Instance: i.ID, ID: "ps-" + hexadecimal(16), Name: in.Name, Description: in.Description, RelayState: in.RelayState,
		Duration: usualSession, Created: now(), Version: 1,
	}
	if p.Tags, err = tagMap(in.Tags); err != nil {
		return nil, err
	}
	if in.SessionDuration != nil {
		if _, err := sessionLength(*in.SessionDuration); err != nil {
			return nil, err
		}
		p.Duration = *in.SessionDuration
	}
	have, err := s.setCalled(ctx, i, in.Name)
	if err != nil {
		return nil, err
	}
	if have != nil {
		return nil, api.ConflictException.New("PermissionSet with name %s already exists.", in.Name)
	}
	all, err := s.sets.Page(ctx, store.Range{Prefix: i.ID + "/", Limit: maxSets})
	if err != nil {
		return nil, err
	}
	if len(all) == maxSets {
		return nil, api.ServiceQuotaExceededException.New("You have exceeded AWS SSO limits. Cannot create PermissionSet: at most %d are allowed in the instance.", maxSets)
	}
	return &api.CreatePermissionSetResponse{PermissionSet: p.shown(ctx)}, s.sets.Insert(ctx, i.ID+"/"+p.ID, p)
}

// setCalled returns the instance's permission set of that name; nil when none has it.
func (s *Service) setCalled(ctx context.Context, i *instance, name string) (*permissionSet, error) {
	row, err := one(ctx, s.sets, "name", i.ID+"/"+name)
	if err != nil || row == nil {
		return nil, err
	}
	return row.Value, nil
}

// set returns the permission set with this ARN, of the instance.
func (s *Service) set(ctx context.Context, instanceARN, arn string) (*instance, *permissionSet, error) {
	i, err := s.organization(ctx, instanceARN)
	if err != nil {
		return nil, nil, err
	}
	a, err := aws.ParseARN(arn)
	id, ok := strings.CutPrefix(a.Resource, "permissionSet/"+i.ID+"/")
	if err != nil || !ok || a.Partition != aws.CallOf(ctx).Partition {
		return nil, nil, noSet(arn)
	}
	p, err := s.sets.Get(ctx, i.ID+"/"+id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, noSet(arn)
	}
	return i, p, err
}

func noSet(arn string) error {
	return api.ResourceNotFoundException.New("Could not find PermissionSet with id: %s", arn[strings.LastIndexByte(arn, '/')+1:])
}

func (p *permissionSet) shown(ctx context.Context) *api.PermissionSet {
	return &api.PermissionSet{
		Name: &p.Name, PermissionSetArn: new(setARN(aws.CallOf(ctx).Partition, p)), Description: p.Description, CreatedDate: &p.Created,
		SessionDuration: &p.Duration, RelayState: p.RelayState,
	}
}

func (s *Service) describePermissionSet(ctx context.Context, in *api.DescribePermissionSetRequest) (*api.DescribePermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	return &api.DescribePermissionSetResponse{PermissionSet: p.shown(ctx)}, nil
}

func (s *Service) listPermissionSets(ctx context.Context, in *api.ListPermissionSetsRequest) (*api.ListPermissionSetsResponse, error) {
	i, err := s.organization(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := list(ctx, s, []string{i.ID}, in.MaxResults, in.NextToken, api.ValidationException, under(ctx, s.sets, i.ID+"/"), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListPermissionSetsResponse{PermissionSets: []string{}, NextToken: next}
	for _, row := range rows {
		out.PermissionSets = append(out.PermissionSets, setARN(aws.CallOf(ctx).Partition, row.Value))
	}
	return out, nil
}

// change writes a permission set whose roles must follow, once it is provisioned.
func (s *Service) change(ctx context.Context, p *permissionSet) error {
	p.Version++
	return s.sets.Put(ctx, p.Instance+"/"+p.ID, p)
}

func (s *Service) updatePermissionSet(ctx context.Context, in *api.UpdatePermissionSetRequest) (*api.UpdatePermissionSetResponse, error) {
	_, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if in.SessionDuration != nil {
		if _, err := sessionLength(*in.SessionDuration); err != nil {
			return nil, err
		}
		p.Duration = *in.SessionDuration
	}
	if in.Description != nil {
		p.Description = in.Description
	}
	if in.RelayState != nil {
		p.RelayState = in.RelayState
	}
	return &api.UpdatePermissionSetResponse{}, s.change(ctx, p)
}

func (s *Service) deletePermissionSet(ctx context.Context, in *api.DeletePermissionSetRequest) (*api.DeletePermissionSetResponse, error) {
	i, p, err := s.set(ctx, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	used, err := s.assignments.Page(ctx, store.Range{Prefix: i.ID + "/" + p.ID + "/", Limit: 1})
	if err != nil {
		return nil, err
	}
	roles, err := s.provisioned.Page(ctx, store.Range{Prefix: i.ID + "/" + p.ID + "/", Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(used)+len(roles) > 0 {
		return nil, api.ConflictException.New("PermissionSet %s cannot be deleted because it has associated account assignments.", p.ID)
	}
	return &api.DeletePermissionSetResponse{}, s.sets.Delete(ctx, i.ID+"/"+p.ID)
}
