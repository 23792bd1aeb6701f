package identitycenter

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"

	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// hexadecimal returns n random hexadecimal digits; n is even.
func hexadecimal(n int) string {
	b := make([]byte, n/2)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	return hex.EncodeToString(b)
}

// instanceARN has neither region nor account.
func instanceARN(partition, id string) aws.ARN {
	return aws.ARN{Partition: partition, Service: "sso", Resource: "instance/" + id}
}

// createInstance makes the account's instance: of the whole organisation when the
// account manages one, else of the account alone.
func (s *Service) createInstance(ctx context.Context, in *api.CreateInstanceRequest) (*api.CreateInstanceResponse, error) {
	call := aws.CallOf(ctx)
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	at, err := s.homes.Get(ctx, "instance")
	if err == nil && at.Region == call.Region && in.ClientToken != nil {
		if have, err := s.instances.Get(ctx, at.Instance); err == nil && have.Token == *in.ClientToken {
			return &api.CreateInstanceResponse{InstanceArn: new(instanceARN(call.Partition, have.ID).String())}, nil
		}
	}
	if err == nil {
		return nil, api.ConflictException.New("An instance of IAM Identity Center already exists in this account.")
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	m, err := s.options.Membership(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	i := &instance{
		ID: "ssoins-" + hexadecimal(16), Store: "d-" + hexadecimal(10), Organization: m != nil && m.Management,
		Created: now(), Tags: tags,
	}
	if in.Name != nil {
		i.Name = *in.Name
	}
	if in.ClientToken != nil {
		i.Token = *in.ClientToken
	}
	if i.Key, i.Certificate, err = newSigner(i.ID); err != nil {
		return nil, err
	}
	err = errors.Join(
		s.homes.Insert(ctx, "instance", &home{call.Region, i.ID}),
		s.instances.Insert(ctx, i.ID, i),
		s.directories.Insert(ctx, i.Store, &place{call.Account, call.Region, i.ID}),
	)
	s.planSync(ctx, i)
	return &api.CreateInstanceResponse{InstanceArn: new(instanceARN(call.Partition, i.ID).String())}, err
}

// instance returns the caller's instance with this ARN. That of somebody else is
// not there.
func (s *Service) instance(ctx context.Context, arn string) (*instance, error) {
	a, err := aws.ParseARN(arn)
	id := strings.TrimPrefix(a.Resource, "instance/")
	if err == nil && a.Partition == aws.CallOf(ctx).Partition {
		i, err := s.instances.Get(ctx, id)
		if !errors.Is(err, store.ErrNotFound) {
			return i, err
		}
	}
	return nil, api.ResourceNotFoundException.New("Could not find an instance with the ARN %s", arn)
}

// organization returns the instance like instance does, and refuses one of a
// single account: those have no permission sets and no assignments of accounts.
// IAM Identity Center User Guide, "Account instances of IAM Identity Center".
func (s *Service) organization(ctx context.Context, arn string) (*instance, error) {
	i, err := s.instance(ctx, arn)
	if err != nil {
		return nil, err
	}
	if !i.Organization {
		return nil, api.ValidationException.New("The operation is not supported for account instances of IAM Identity Center: permission sets and account assignments need an organization instance, in the management account of an organization.")
	}
	return i, nil
}

func (i *instance) shown(ctx context.Context) *api.InstanceMetadata {
	c, status := aws.CallOf(ctx), api.InstanceStatusActive
	out := &api.InstanceMetadata{
		InstanceArn: new(instanceARN(c.Partition, i.ID).String()), IdentityStoreId: &i.Store, OwnerAccountId: new(string(c.Account)),
		CreatedDate: &i.Created, Status: &status,
	}
	if i.Name != "" {
		out.Name = &i.Name
	}
	return out
}

func (s *Service) describeInstance(ctx context.Context, in *api.DescribeInstanceRequest) (*api.DescribeInstanceResponse, error) {
	i, err := s.instance(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	m := i.shown(ctx)
	return &api.DescribeInstanceResponse{
		InstanceArn: m.InstanceArn, IdentityStoreId: m.IdentityStoreId, OwnerAccountId: m.OwnerAccountId, Name: m.Name,
		CreatedDate: m.CreatedDate, Status: m.Status,
		EncryptionConfigurationDetails: &api.EncryptionConfigurationDetails{KeyType: new(api.KmsKeyTypeAwsOwnedKmsKey), EncryptionStatus: new(api.KmsKeyStatusEnabled)},
	}, nil
}

func (s *Service) listInstances(ctx context.Context, in *api.ListInstancesRequest) (*api.ListInstancesResponse, error) {
	rows, next, err := list(ctx, s, nil, in.MaxResults, in.NextToken, api.ValidationException, under(ctx, s.instances, ""), nil)
	if err != nil {
		return nil, err
	}
	out := &api.ListInstancesResponse{Instances: []api.InstanceMetadata{}, NextToken: next}
	for _, row := range rows {
		out.Instances = append(out.Instances, *row.Value.shown(ctx))
	}
	return out, nil
}

func (s *Service) updateInstance(ctx context.Context, in *api.UpdateInstanceRequest) (*api.UpdateInstanceResponse, error) {
	i, err := s.instance(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if in.EncryptionConfiguration != nil && in.EncryptionConfiguration.KeyType != api.KmsKeyTypeAwsOwnedKmsKey {
		return nil, aws.UnsupportedOperation.New("Sumun does not serve customer managed keys of Identity Center yet: it seals everything under the plane's root key.")
	}
	if in.Name != nil {
		i.Name = *in.Name
	}
	return &api.UpdateInstanceResponse{}, s.instances.Put(ctx, i.ID, i)
}

// deleteInstance takes the instance away at once; what it has made is removed in
// the background.
func (s *Service) deleteInstance(ctx context.Context, in *api.DeleteInstanceRequest) (*api.DeleteInstanceResponse, error) {
	i, err := s.instance(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	// Roles of this account are the caller's to remove.
	err = every(indexed(ctx, s.provisioned, "by", i.ID+"/"+string(aws.CallOf(ctx).Account)), func(row store.Entry[provision]) error {
		return s.removeRole(ctx, row.Value)
	})
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.instances.Delete(ctx, i.ID), s.homes.Delete(ctx, "instance"), s.directories.Delete(ctx, i.Store))
	store.Unschedule(ctx, syncing, i.Store)
	store.Schedule(ctx, store.Due{Kind: clearing, ID: i.ID, At: now(), Payload: []byte(i.Store)})
	return &api.DeleteInstanceResponse{}, err
}
