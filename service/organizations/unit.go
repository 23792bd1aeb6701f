package organizations

import (
	"context"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/store"
)

// Organizations User Guide, "Quotas for AWS Organizations".
const (
	maxDepth = 5    // of units under the root
	maxUnits = 2000 // in an organisation
)

func (s *Service) createOrganizationalUnit(ctx context.Context, in *organizationsapi.CreateOrganizationalUnitRequest) (*organizationsapi.CreateOrganizationalUnitResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	parent, err := s.parent(ctx, o, in.ParentId)
	if err != nil {
		return nil, err
	}
	if err := s.checkUnits(ctx, o, parent); err != nil {
		return nil, err
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.checkName(ctx, o, parent.ID, in.Name); err != nil {
		return nil, err
	}
	n := &node{ID: o.unitID(), Kind: isUnit, Name: in.Name, Parent: parent.ID, Tags: tags, Attached: beginnings()}
	if err := s.nodes.In(o.place()).Insert(ctx, n.ID, n); err != nil {
		return nil, err
	}
	u, err := s.shownUnit(ctx, o, n)
	return &organizationsapi.CreateOrganizationalUnitResponse{OrganizationalUnit: u}, err
}

// parent returns a root or unit that can have children.
func (s *Service) parent(ctx context.Context, o *organization, id string) (*node, error) {
	n, err := s.node(ctx, o, id)
	if err == nil && (n == nil || n.Kind == isAccount) {
		return nil, noParent()
	}
	return n, err
}

func (s *Service) checkUnits(ctx context.Context, o *organization, parent *node) error {
	line, err := s.line(ctx, o, parent)
	if err != nil {
		return err
	}
	if len(line) > maxDepth {
		return violates(organizationsapi.ConstraintViolationExceptionReasonOuDepthLimitExceeded, "You have exceeded the maximum depth of the OU tree.")
	}
	// Units that are made in the same instant may exceed the number.
	full, err := atLeast(store.Outside(ctx), s.nodes.In(o.place()), byKind, isUnit, maxUnits)
	if err != nil {
		return err
	}
	if full {
		return violates(organizationsapi.ConstraintViolationExceptionReasonOuNumberLimitExceeded, "You have exceeded the number of OUs that you can have in an organization.")
	}
	return nil
}

// checkName refuses a name that another unit under the parent has.
func (s *Service) checkName(ctx context.Context, o *organization, parent, name string) error {
	same, err := s.nodes.In(o.place()).PageBy(ctx, byName, parent+"/"+name, store.Range{Limit: 1})
	if err == nil && len(same) > 0 {
		return organizationsapi.DuplicateOrganizationalUnitException.New("An OU with the same name already exists.")
	}
	return err
}

// unit returns an organizational unit.
func (s *Service) unit(ctx context.Context, o *organization, id string) (*node, error) {
	n, err := s.node(ctx, o, id)
	if err == nil && (n == nil || n.Kind != isUnit) {
		return nil, noUnit()
	}
	return n, err
}

func (s *Service) describeOrganizationalUnit(ctx context.Context, in *organizationsapi.DescribeOrganizationalUnitRequest) (*organizationsapi.DescribeOrganizationalUnitResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.unit(ctx, o, in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	u, err := s.shownUnit(ctx, o, n)
	return &organizationsapi.DescribeOrganizationalUnitResponse{OrganizationalUnit: u}, err
}

func (s *Service) updateOrganizationalUnit(ctx context.Context, in *organizationsapi.UpdateOrganizationalUnitRequest) (*organizationsapi.UpdateOrganizationalUnitResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.unit(ctx, o, in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	if in.Name != nil && *in.Name != n.Name {
		if err := s.checkName(ctx, o, n.Parent, *in.Name); err != nil {
			return nil, err
		}
		n.Name = *in.Name
		if err := s.putNode(ctx, o, n); err != nil {
			return nil, err
		}
	}
	u, err := s.shownUnit(ctx, o, n)
	return &organizationsapi.UpdateOrganizationalUnitResponse{OrganizationalUnit: u}, err
}

func (s *Service) deleteOrganizationalUnit(ctx context.Context, in *organizationsapi.DeleteOrganizationalUnitRequest) (*organizationsapi.DeleteOrganizationalUnitResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.unit(ctx, o, in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{isAccount, isUnit} {
		children, err := s.nodes.In(o.place()).PageBy(ctx, byParent, kind+"/"+n.ID, store.Range{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(children) > 0 {
			return nil, organizationsapi.OrganizationalUnitNotEmptyException.New(
				"The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.")
		}
	}
	return &organizationsapi.DeleteOrganizationalUnitResponse{}, s.nodes.In(o.place()).Delete(ctx, n.ID)
}

func (s *Service) shownUnit(ctx context.Context, o *organization, n *node) (*organizationsapi.OrganizationalUnit, error) {
	line, err := s.line(ctx, o, n)
	if err != nil {
		return nil, err
	}
	return &organizationsapi.OrganizationalUnit{Id: &n.ID, Arn: new(o.nodeARN(n.ID).String()), Name: &n.Name, Path: new(o.path(line))}, nil
}
