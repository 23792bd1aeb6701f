package identitycenter

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	rolePrefix    = "AWSReservedSSO_"
	rolePath      = "/aws-reserved/sso.amazonaws.com/"
	inlineName    = "AwsSSOInlinePolicy"
	roleSession   = int32(43_200) // seconds; each permission set has a duration of its own below it
	linkedRole    = "role/aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO"
	linkedSession = "AWS-SSO"
)

// acting returns a context in which roles of account are made: the service acts by
// its service-linked role, which makes none in the management account. There it
// acts for the caller, who needs the permissions of IAM as well.
// IAM Identity Center User Guide, "Delegated administration", best practices.
func (s *Service) acting(ctx context.Context, account aws.Account) (context.Context, error) {
	call := aws.CallOf(ctx)
	if account == call.Account && call.Principal.Kind != aws.Service {
		return ctx, nil
	}
	return s.env.AWS.As(ctx, aws.ARN{Partition: call.Partition, Service: "iam", Account: account, Resource: linkedRole}, linkedSession)
}

// pathOf is the path of the instance's roles, which names its region unless that
// is us-east-1.
func pathOf(region aws.Region) string {
	if region == "us-east-1" {
		return rolePath
	}
	return rolePath + string(region) + "/"
}

// provision makes the role of a permission set in an account, or makes the role
// that is there follow the set when it is told to.
func (s *Service) provision(ctx context.Context, i *instance, p *permissionSet, account aws.Account, follow bool) error {
	row, err := s.provisioned.Get(ctx, i.ID+"/"+p.ID+"/"+string(account))
	fresh := errors.Is(err, store.ErrNotFound)
	switch {
	case fresh:
		row = &provision{Instance: i.ID, Set: p.ID, Account: account, Role: rolePrefix + p.Name + "_" + hexadecimal(16), Path: pathOf(aws.CallOf(ctx).Region)}
	case err != nil:
		return err
	case !follow:
		return nil
	}
	as, err := s.acting(ctx, account)
	if err != nil {
		return err
	}
	if fresh {
		err = s.createRole(as, i, p, row)
	} else {
		err = s.updateRole(as, p, row)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(s.setInline(as, p, row.Role), s.setAttached(as, p, row), s.setBoundary(as, p, row)); err != nil {
		return err
	}
	row.Version = p.Version
	return s.provisioned.Put(ctx, row.id(), row)
}

func (s *Service) createRole(as context.Context, i *instance, p *permissionSet, row *provision) error {
	provider, err := s.provider(as, i, row.Account)
	if err != nil {
		return err
	}
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":["sts:AssumeRoleWithSAML","sts:TagSession"],"Condition":{"StringEquals":{"SAML:aud":%q}}}]}`,
		provider.String(), samlAudience)
	_, err = iamapi.CreateRole.Call(as, s.env.AWS, &iamapi.CreateRoleRequest{
		RoleName: row.Role, Path: &row.Path, AssumeRolePolicyDocument: trust, Description: p.Description, MaxSessionDuration: new(roleSession),
	})
	return err
}

func (s *Service) updateRole(as context.Context, p *permissionSet, row *provision) error {
	description := ""
	if p.Description != nil {
		description = *p.Description
	}
	_, err := iamapi.UpdateRole.Call(as, s.env.AWS, &iamapi.UpdateRoleRequest{RoleName: row.Role, Description: &description, MaxSessionDuration: new(roleSession)})
	return err
}

// provider makes sure that the account trusts the instance's assertions.
func (s *Service) provider(as context.Context, i *instance, account aws.Account) (aws.ARN, error) {
	arn := providerARN(aws.CallOf(as).Partition, account, i)
	_, err := iamapi.GetSAMLProvider.Call(as, s.env.AWS, &iamapi.GetSAMLProviderRequest{SAMLProviderArn: arn.String()})
	if !iamapi.NoSuchEntityException.Is(err) {
		return arn, err
	}
	metadata, err := i.metadata()
	if err != nil {
		return arn, err
	}
	_, err = iamapi.CreateSAMLProvider.Call(as, s.env.AWS, &iamapi.CreateSAMLProviderRequest{Name: shortName(arn.Resource), SAMLMetadataDocument: metadata})
	return arn, err
}

// providerARN names the SAML provider that stands for the instance in an account.
func providerARN(partition string, account aws.Account, i *instance) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "saml-provider/AWSSSO_" + i.ID[len("ssoins-"):] + "_DO_NOT_DELETE"}
}

func (s *Service) setInline(as context.Context, p *permissionSet, role string) error {
	if p.Inline != "" {
		_, err := iamapi.PutRolePolicy.Call(as, s.env.AWS, &iamapi.PutRolePolicyRequest{RoleName: role, PolicyName: inlineName, PolicyDocument: p.Inline})
		return err
	}
	_, err := iamapi.DeleteRolePolicy.Call(as, s.env.AWS, &iamapi.DeleteRolePolicyRequest{RoleName: role, PolicyName: inlineName})
	return unless(err, iamapi.NoSuchEntityException)
}

// unless passes over an error of a kind.
func unless(err error, kind aws.ErrorKind) error {
	if kind.Is(err) {
		return nil
	}
	return err
}

// setAttached attaches the set's managed policies to the role, and no others.
func (s *Service) setAttached(as context.Context, p *permissionSet, row *provision) error {
	want := slices.Clone(p.Managed)
	for _, ref := range p.Customer {
		want = append(want, policyARN(aws.CallOf(as).Partition, row.Account, *ref.Path, ref.Name))
	}
	out, err := iamapi.ListAttachedRolePolicies.Call(as, s.env.AWS, &iamapi.ListAttachedRolePoliciesRequest{RoleName: row.Role, MaxItems: new(int32(100))})
	if err != nil {
		return err
	}
	var have []string
	for _, a := range out.AttachedPolicies {
		have = append(have, *a.PolicyArn)
	}
	for _, arn := range have {
		if !slices.Contains(want, arn) {
			if _, err := iamapi.DetachRolePolicy.Call(as, s.env.AWS, &iamapi.DetachRolePolicyRequest{RoleName: row.Role, PolicyArn: arn}); err != nil {
				return err
			}
		}
	}
	for _, arn := range want {
		if !slices.Contains(have, arn) {
			if _, err := iamapi.AttachRolePolicy.Call(as, s.env.AWS, &iamapi.AttachRolePolicyRequest{RoleName: row.Role, PolicyArn: arn}); err != nil {
				return err
			}
		}
	}
	return nil
}

func policyARN(partition string, account aws.Account, path, name string) string {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "policy" + path + name}.String()
}

func (s *Service) setBoundary(as context.Context, p *permissionSet, row *provision) error {
	if p.Boundary == nil {
		_, err := iamapi.DeleteRolePermissionsBoundary.Call(as, s.env.AWS, &iamapi.DeleteRolePermissionsBoundaryRequest{RoleName: row.Role})
		return unless(err, iamapi.NoSuchEntityException)
	}
	arn := ""
	if p.Boundary.ManagedPolicyArn != nil {
		arn = *p.Boundary.ManagedPolicyArn
	} else {
		ref := p.Boundary.CustomerManagedPolicyReference
		arn = policyARN(aws.CallOf(as).Partition, row.Account, *ref.Path, ref.Name)
	}
	_, err := iamapi.PutRolePermissionsBoundary.Call(as, s.env.AWS, &iamapi.PutRolePermissionsBoundaryRequest{RoleName: row.Role, PermissionsBoundary: arn})
	return err
}

// release removes the role of a permission set from an account in which nobody is
// assigned the set any more.
func (s *Service) release(ctx context.Context, i *instance, p *permissionSet, account aws.Account) error {
	left, err := s.assignments.Page(ctx, store.Range{Prefix: i.ID + "/" + p.ID + "/" + string(account) + "/", Limit: 1})
	if err != nil || len(left) > 0 {
		return err
	}
	row, err := s.provisioned.Get(ctx, i.ID+"/"+p.ID+"/"+string(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.removeRole(ctx, row)
}

// removeRole deletes a role and what is attached to it. A role that is gone
// already is as good.
func (s *Service) removeRole(ctx context.Context, row *provision) error {
	as, err := s.acting(ctx, row.Account)
	if err != nil {
		return err
	}
	nothing := &permissionSet{}
	err = errors.Join(s.setInline(as, nothing, row.Role), s.setAttached(as, nothing, row), s.setBoundary(as, nothing, row))
	if err == nil {
		_, err = iamapi.DeleteRole.Call(as, s.env.AWS, &iamapi.DeleteRoleRequest{RoleName: row.Role})
	}
	if err = unless(err, iamapi.NoSuchEntityException); err != nil {
		return err
	}
	return s.provisioned.Delete(ctx, row.id())
}
