package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/service/iam/managed"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// managedPolicy is a customer managed policy, kept under its name in lower case.
type managedPolicy struct {
	Name, Path, ID   string
	Description      *string `json:",omitempty"`
	Created, Updated time.Time
	Tags             []tag     `json:",omitempty"`
	Versions         []version // oldest first
	Default          int       // number of the version that counts
	Last             int       // number of the newest version ever: numbers are not used twice
}

// version is one document of a managed policy.
type version struct {
	Number   int
	Document string
	Created  time.Time
}

func (v *version) id() string { return fmt.Sprint("v", v.Number) }

// version returns the version with this id; nil when there is none.
func (p *managedPolicy) version(id string) *version {
	at := slices.IndexFunc(p.Versions, func(v version) bool { return v.id() == id })
	if at < 0 {
		return nil
	}
	return &p.Versions[at]
}

// inForce returns the default version.
func (p *managedPolicy) inForce() *version { return p.version(fmt.Sprint("v", p.Default)) }

func (s *Service) policyRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreatePolicy.To(s.createPolicy, s.newPolicy),
		iamapi.GetPolicy.To(s.getPolicy, touchPolicy("iam:GetPolicy", s, func(in *iamapi.GetPolicyRequest) string { return in.PolicyArn })),
		iamapi.ListPolicies.To(s.listPolicies, touchAll[iamapi.ListPoliciesRequest]("iam:ListPolicies")),
		iamapi.DeletePolicy.To(s.deletePolicy, touchPolicy("iam:DeletePolicy", s, func(in *iamapi.DeletePolicyRequest) string { return in.PolicyArn })),
		iamapi.ListEntitiesForPolicy.To(s.listEntitiesForPolicy, touchPolicy("iam:ListEntitiesForPolicy", s, func(in *iamapi.ListEntitiesForPolicyRequest) string { return in.PolicyArn })),
	}
}

func policyARN(partition string, account aws.Account, p *managedPolicy) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "policy" + p.Path + p.Name}
}

func noSuchPolicy(arn string) error {
	return iamapi.NoSuchEntityException.New("Policy %s was not found.", arn)
}

// customer returns the policy of an account with this ARN; nil when there is none.
func customer(ctx context.Context, policies *store.Table[managedPolicy], account aws.Account, arn string) (*managedPolicy, error) {
	_, name := policyName(arn)
	p, err := policies.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// Exactly so: under the name of another partition no statement about the policy would meet it.
	if policyARN(ownPartition, account, p).String() != arn {
		return nil, nil
	}
	return p, nil
}

// policy returns the customer managed policy with this ARN that the call may
// change: those of AWS are AWS's.
func (s *Service) policy(ctx context.Context, arn string) (*managedPolicy, error) {
	if _, err := aws.ParseARN(arn); err != nil {
		return nil, iamapi.InvalidInputException.New("ARN %s is not valid.", arn)
	}
	if s.aws.Find(arn) != nil {
		return nil, aws.ErrorKind{Code: "AccessDenied", Status: 403}.New("Policy %s is managed by AWS and cannot be changed.", arn)
	}
	p, err := customer(ctx, s.policies, aws.CallOf(ctx).Account, arn)
	if err == nil && p == nil {
		err = noSuchPolicy(arn)
	}
	return p, err
}

// attachable refuses a managed policy that is not there or cannot be attached;
// missing is AWS's sentence for it.
func (s *Service) attachable(ctx context.Context, arn, missing string) error {
	if _, err := aws.ParseARN(arn); err != nil {
		return iamapi.InvalidInputException.New("ARN %s is not valid.", arn)
	}
	if p := s.aws.Find(arn); p != nil {
		if !p.Attachable() {
			return iamapi.PolicyNotAttachableException.New("Cannot attach a Service Role Policy to a Customer Role.")
		}
		return nil
	}
	p, err := customer(ctx, s.policies, aws.CallOf(ctx).Account, arn)
	if err == nil && p == nil {
		return iamapi.NoSuchEntityException.New(missing, arn)
	}
	return err
}

// ManagedPolicy returns the document in force of a managed policy that principals
// of account can have: AWS's or the account's own; store.ErrNotFound when there is
// none.
func (s *Service) ManagedPolicy(ctx context.Context, account aws.Account, arn string) (string, error) {
	if p := s.aws.Find(arn); p != nil {
		return s.aws.Document(p)
	}
	p, err := customer(ctx, s.policies.In(store.Place{Account: account}), account, arn)
	if err != nil {
		return "", err
	}
	if p == nil {
		return "", fmt.Errorf("%w: policy %s", store.ErrNotFound, arn)
	}
	return p.inForce().Document, nil
}

// checkManaged refuses documents that a managed policy cannot have.
func checkManaged(document string) error {
	if _, err := policy.Parse([]byte(document), policy.Identity); err != nil {
		return err
	}
	if policy.Size([]byte(document)) > policy.MaxManaged {
		return iamapi.LimitExceededException.New("Cannot exceed quota for PolicySize: %d", policy.MaxManaged)
	}
	return nil
}

func (s *Service) createPolicy(ctx context.Context, in *iamapi.CreatePolicyRequest) (*iamapi.CreatePolicyResponse, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	at := now()
	p := &managedPolicy{
		Name: in.PolicyName, Path: pathOr(in.Path), ID: aws.UniqueID("ANPA"), Description: in.Description, Created: at, Updated: at, Tags: tagsOf(in.Tags),
		Versions: []version{{Number: 1, Document: in.PolicyDocument, Created: at}}, Default: 1, Last: 1,
	}
	err := s.policies.Insert(ctx, strings.ToLower(p.Name), p)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	if err := count(ctx, s.totals, policiesQuota, p.Name, 1); err != nil {
		return nil, err
	}
	shown := shownCustomer(ctx, p, 0, 0)
	shown.Description = nil // CreatePolicy does not return it
	return &iamapi.CreatePolicyResponse{Policy: shown}, count(ctx, s.totals, versionsQuota, p.Name, 1)
}

func (s *Service) putPolicy(ctx context.Context, p *managedPolicy) error {
	return fits(s.policies.Put(ctx, strings.ToLower(p.Name), p))
}

func (s *Service) getPolicy(ctx context.Context, in *iamapi.GetPolicyRequest) (*iamapi.GetPolicyResponse, error) {
	attachments, boundaries, err := s.usesOf(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if p := s.aws.Find(in.PolicyArn); p != nil {
		return &iamapi.GetPolicyResponse{Policy: shownManaged(p, attachments, boundaries)}, nil
	}
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetPolicyResponse{Policy: shownCustomer(ctx, p, attachments, boundaries)}, nil
}

func (s *Service) deletePolicy(ctx context.Context, in *iamapi.DeletePolicyRequest) (*iamapi.DeletePolicyResponse, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	used, err := s.used(ctx, useAny+in.PolicyArn, 1)
	if err != nil {
		return nil, err
	}
	if used > 0 {
		return nil, iamapi.DeleteConflictException.New("Cannot delete a policy attached to entities.")
	}
	if len(p.Versions) > 1 {
		return nil, iamapi.DeleteConflictException.New("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	if err := count(ctx, s.totals, policiesQuota, p.Name, -1); err != nil {
		return nil, err
	}
	if err := count(ctx, s.totals, versionsQuota, p.Name, -1); err != nil {
		return nil, err
	}
	return &iamapi.DeletePolicyResponse{}, s.policies.Delete(ctx, strings.ToLower(p.Name))
}

// usesOf counts whom a policy is attached to and whom it bounds.
func (s *Service) usesOf(ctx context.Context, arn string) (attachments, boundaries int, err error) {
	if attachments, err = s.used(ctx, useAttached+arn, 0); err != nil {
		return 0, 0, err
	}
	boundaries, err = s.used(ctx, useBoundary+arn, 0)
	return attachments, boundaries, err
}

// used counts the users, groups and roles that have use in their index, at most
// most of each; 0 is all.
func (s *Service) used(ctx context.Context, use string, most int) (int, error) {
	r := store.Range{Limit: most}
	users, err := s.users.PageBy(ctx, "uses", use, r)
	if err != nil {
		return 0, err
	}
	groups, err := s.groups.PageBy(ctx, "uses", use, r)
	if err != nil {
		return 0, err
	}
	roles, err := s.roles.PageBy(ctx, "uses", use, r)
	return len(users) + len(groups) + len(roles), err
}

func shownCustomer(ctx context.Context, p *managedPolicy, attachments, boundaries int) *iamapi.Policy {
	call := aws.CallOf(ctx)
	return &iamapi.Policy{
		PolicyName: new(p.Name), PolicyId: new(p.ID), Arn: new(policyARN(call.Partition, call.Account, p).String()), Path: new(p.Path),
		DefaultVersionId: new(p.inForce().id()), AttachmentCount: new(int32(attachments)), PermissionsBoundaryUsageCount: new(int32(boundaries)), //nolint:gosec // quotas are smaller
		IsAttachable: new(true), Description: p.Description, CreateDate: new(p.Created), UpdateDate: new(p.Updated), Tags: tagsTo(p.Tags),
	}
}

func shownManaged(p *managed.Policy, attachments, boundaries int) *iamapi.Policy {
	return &iamapi.Policy{
		PolicyName: new(p.Name), PolicyId: new(p.ID), Arn: new(p.ARN), Path: new(p.Path),
		DefaultVersionId: new(p.Version), AttachmentCount: new(int32(attachments)), PermissionsBoundaryUsageCount: new(int32(boundaries)), //nolint:gosec // quotas are smaller
		IsAttachable: new(true), CreateDate: new(p.Created), UpdateDate: new(p.Updated),
	}
}
