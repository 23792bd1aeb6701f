package organizations

import (
	"context"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// createOrganization makes the caller's account the management account of a new
// organisation. Policy types are not enabled in its root, as in AWS, although the
// API Reference says that service control policies are.
func (s *Service) createOrganization(ctx context.Context, in *organizationsapi.CreateOrganizationRequest) (*organizationsapi.CreateOrganizationResponse, error) {
	call := aws.CallOf(ctx)
	a, err := s.account(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	if a.Management != "" {
		return nil, organizationsapi.AlreadyInOrganizationException.New("The AWS account is already a member of an organization.")
	}
	o := &organization{
		ID: newID("o-", 10), Root: newID("r-", 4), Management: call.Account, Created: now(), Features: organizationsapi.OrganizationFeatureSetAll,
	}
	if in.FeatureSet != nil {
		o.Features = *in.FeatureSet
	}
	if err := s.put(ctx, o); err != nil {
		return nil, err
	}
	if err := s.putNode(ctx, o, &node{ID: o.Root, Kind: isRoot, Name: "Root", Attached: beginnings()}); err != nil {
		return nil, err
	}
	if err := s.join(ctx, o, a, organizationsapi.AccountJoinedMethodInvited, nil); err != nil {
		return nil, err
	}
	return &organizationsapi.CreateOrganizationResponse{Organization: o.shown(a)}, nil
}

// join puts an account under the root of an organisation, with the role by which
// Organizations works in it. Organizations User Guide, "AWS Organizations and
// service-linked roles".
func (s *Service) join(ctx context.Context, o *organization, a *account, how organizationsapi.AccountJoinedMethod, tags []tag) error {
	a.Management = o.Management
	if err := s.putAccount(ctx, a); err != nil {
		return err
	}
	if err := s.owners.AddLinkedRole(ctx, a.ID, principal); err != nil {
		return err
	}
	return s.putNode(ctx, o, &node{
		ID: string(a.ID), Kind: isAccount, Parent: o.Root, Tags: tags, Attached: beginnings(), Joined: now(), How: how,
	})
}

func (s *Service) describeOrganization(ctx context.Context, _ *organizationsapi.DescribeOrganizationRequest) (*organizationsapi.DescribeOrganizationResponse, error) {
	o, err := s.mine(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, o.Management)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.DescribeOrganizationResponse{Organization: o.shown(a)}, nil
}

func (o *organization) shown(management *account) *organizationsapi.Organization {
	out := &organizationsapi.Organization{
		Id: &o.ID, Arn: new(o.organizationARN().String()), FeatureSet: &o.Features,
		MasterAccountArn: new(o.accountARN(o.Management).String()), MasterAccountId: new(string(o.Management)), MasterAccountEmail: &management.Email,
		AvailablePolicyTypes: []organizationsapi.PolicyTypeSummary{},
	}
	if o.all() {
		// The API Reference says not to look here: it shows this one, always.
		out.AvailablePolicyTypes = append(out.AvailablePolicyTypes, organizationsapi.PolicyTypeSummary{
			Type: new(organizationsapi.PolicyTypeServiceControlPolicy), Status: new(organizationsapi.PolicyTypeStatusEnabled),
		})
	}
	return out
}

// deleteOrganization undoes an organisation whose only account is its own. Its
// units and policies go with it.
func (s *Service) deleteOrganization(ctx context.Context, _ *organizationsapi.DeleteOrganizationRequest) (*organizationsapi.DeleteOrganizationResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	members, err := s.nodes.In(o.place()).PageBy(ctx, byKind, isAccount, store.Range{Limit: 2})
	if err != nil {
		return nil, err
	}
	waiting, err := s.creations.In(o.place()).PageBy(ctx, byState, string(organizationsapi.CreateAccountStateInProgress), store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(members) > 1 || len(waiting) > 0 {
		return nil, organizationsapi.OrganizationNotEmptyException.New(
			"To delete an organization, you must first remove all member accounts (except the master).")
	}
	for _, action := range []organizationsapi.ActionType{organizationsapi.ActionTypeInvite, organizationsapi.ActionTypeEnableAllFeatures} {
		handshakes, err := s.waiting(ctx, o.ID, action)
		if err != nil {
			return nil, err
		}
		for _, h := range handshakes {
			if err := s.end(ctx, h, organizationsapi.HandshakeStateCanceled); err != nil {
				return nil, err
			}
		}
	}
	if err := s.empty(ctx, o); err != nil {
		return nil, err
	}
	a, err := s.account(ctx, o.Management)
	if err != nil {
		return nil, err
	}
	a.Management = ""
	return &organizationsapi.DeleteOrganizationResponse{}, s.putAccount(ctx, a)
}

// empty deletes all that an organisation keeps.
func (s *Service) empty(ctx context.Context, o *organization) error {
	if err := deleteAll(ctx, s.nodes.In(o.place())); err != nil {
		return err
	}
	if err := deleteAll(ctx, s.policies.In(o.place())); err != nil {
		return err
	}
	if err := deleteAll(ctx, s.creations.In(o.place())); err != nil {
		return err
	}
	if err := deleteAll(ctx, s.delegations.In(o.place())); err != nil {
		return err
	}
	return s.organizations.In(o.place()).Delete(ctx, organizationID)
}

func deleteAll[T any](ctx context.Context, table *store.Table[T]) error {
	var ids []string
	for e, err := range table.All(ctx, "") {
		if err != nil {
			return err
		}
		ids = append(ids, e.ID)
	}
	for _, id := range ids {
		if err := table.Delete(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) listRoots(ctx context.Context, in *organizationsapi.ListRootsRequest) (*organizationsapi.ListRootsResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	roots, next, err := slice(ctx, s, query{operation: "ListRoots", token: in.NextToken, most: in.MaxResults},
		[]organizationsapi.Root{*o.shownRoot()}, func(r organizationsapi.Root) string { return *r.Id })
	return &organizationsapi.ListRootsResponse{Roots: roots, NextToken: next}, err
}

func (o *organization) shownRoot() *organizationsapi.Root {
	r := &organizationsapi.Root{Id: &o.Root, Arn: new(o.nodeARN(o.Root).String()), Name: new("Root"), PolicyTypes: []organizationsapi.PolicyTypeSummary{}}
	for _, t := range o.Enabled {
		r.PolicyTypes = append(r.PolicyTypes, organizationsapi.PolicyTypeSummary{Type: new(t), Status: new(organizationsapi.PolicyTypeStatusEnabled)})
	}
	return r
}
