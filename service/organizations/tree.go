package organizations

import (
	"context"

	"sumun.dev/api/organizationsapi"
)

// children returns a page of what stands directly under a parent.
func (s *Service) children(ctx context.Context, operation, parent, kind string, token *string, most *int32) (*organization, []*node, *string, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := s.parent(ctx, o, parent); err != nil {
		return nil, nil, nil, err
	}
	page, next, err := pageOf(ctx, s, s.nodes.In(o.place()),
		query{operation: operation, index: byParent, value: kind + "/" + parent, token: token, most: most}, nil)
	return o, page, next, err
}

func (s *Service) listOrganizationalUnitsForParent(ctx context.Context, in *organizationsapi.ListOrganizationalUnitsForParentRequest) (*organizationsapi.ListOrganizationalUnitsForParentResponse, error) {
	o, page, next, err := s.children(ctx, "ListOrganizationalUnitsForParent", in.ParentId, isUnit, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListOrganizationalUnitsForParentResponse{OrganizationalUnits: []organizationsapi.OrganizationalUnit{}, NextToken: next}
	for _, n := range page {
		u, err := s.shownUnit(ctx, o, n)
		if err != nil {
			return nil, err
		}
		out.OrganizationalUnits = append(out.OrganizationalUnits, *u)
	}
	return out, nil
}

func (s *Service) listAccountsForParent(ctx context.Context, in *organizationsapi.ListAccountsForParentRequest) (*organizationsapi.ListAccountsForParentResponse, error) {
	o, page, next, err := s.children(ctx, "ListAccountsForParent", in.ParentId, isAccount, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	accounts, err := s.shownAccounts(ctx, o, page)
	return &organizationsapi.ListAccountsForParentResponse{Accounts: accounts, NextToken: next}, err
}

func (s *Service) listChildren(ctx context.Context, in *organizationsapi.ListChildrenRequest) (*organizationsapi.ListChildrenResponse, error) {
	_, page, next, err := s.children(ctx, "ListChildren", in.ParentId, string(in.ChildType), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.ListChildrenResponse{NextToken: next, Children: shown(page, func(n *node) organizationsapi.Child {
		return organizationsapi.Child{Id: &n.ID, Type: &in.ChildType}
	})}, nil
}

func (s *Service) listParents(ctx context.Context, in *organizationsapi.ListParentsRequest) (*organizationsapi.ListParentsResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.node(ctx, o, in.ChildId)
	if err != nil {
		return nil, err
	}
	if n == nil || n.Kind == isRoot {
		return nil, organizationsapi.ChildNotFoundException.New("We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.")
	}
	kind := organizationsapi.ParentTypeOrganizationalUnit
	if n.Parent == o.Root {
		kind = organizationsapi.ParentTypeRoot
	}
	parents, next, err := slice(ctx, s, query{operation: "ListParents", value: n.ID, token: in.NextToken, most: in.MaxResults},
		[]organizationsapi.Parent{{Id: &n.Parent, Type: &kind}}, func(p organizationsapi.Parent) string { return *p.Id })
	return &organizationsapi.ListParentsResponse{Parents: parents, NextToken: next}, err
}

// moveAccount hangs an account under another parent; what is attached to it
// directly stays.
func (s *Service) moveAccount(ctx context.Context, in *organizationsapi.MoveAccountRequest) (*organizationsapi.MoveAccountResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.member(ctx, o, in.AccountId)
	if err != nil {
		return nil, err
	}
	from, err := s.node(ctx, o, in.SourceParentId)
	if err != nil {
		return nil, err
	}
	to, err := s.node(ctx, o, in.DestinationParentId)
	if err != nil {
		return nil, err
	}
	switch {
	case from == nil || from.Kind == isAccount || n.Parent != from.ID:
		return nil, organizationsapi.SourceParentNotFoundException.New("You specified a source parent that doesn't exist.")
	case to == nil || to.Kind == isAccount:
		return nil, organizationsapi.DestinationParentNotFoundException.New("You specified a destination parent that doesn't exist.")
	case to.ID == n.Parent:
		return nil, organizationsapi.DuplicateAccountException.New("The account already exists in the destination parent.")
	}
	n.Parent = to.ID
	return &organizationsapi.MoveAccountResponse{}, s.putNode(ctx, o, n)
}
