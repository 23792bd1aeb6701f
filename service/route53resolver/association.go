package route53resolver

import (
	"context"
	"strings"
	"time"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/store"
)

// Priorities that customers may use; the rest is Firewall Manager's. API
// Reference, AssociateFirewallRuleGroup.
const (
	firstPriority = 100
	lastPriority  = 9900
)

func (s *Service) associate(ctx context.Context, in *api.AssociateFirewallRuleGroupRequest) (*api.AssociateFirewallRuleGroupResponse, error) {
	if err := checkVPC(in.VpcId); err != nil {
		return nil, err
	}
	if _, err := s.group(ctx, in.FirewallRuleGroupId); err != nil {
		return nil, err
	}
	ties, err := s.ties.PageBy(ctx, "vpc", in.VpcId, store.Range{})
	if err != nil {
		return nil, err
	}
	for _, t := range ties {
		if t.Value.Creator == in.CreatorRequestId && t.Value.Group == in.FirewallRuleGroupId {
			return &api.AssociateFirewallRuleGroupResponse{FirewallRuleGroupAssociation: t.Value.shown(ctx, t.ID)}, nil
		}
		if t.Value.Group == in.FirewallRuleGroupId {
			return nil, api.ConflictException.New("[RSLVR-02016] The firewall rule group \"%s\" is associated with the VPC \"%s\" already.", in.FirewallRuleGroupId, in.VpcId)
		}
	}
	if len(ties) >= maxGroupsOfVPC {
		return nil, tooMany("FirewallRuleGroupAssociation", maxGroupsOfVPC)
	}
	c, err := newCommon(in.Name, in.CreatorRequestId, in.Tags)
	if err != nil {
		return nil, err
	}
	a, id := &association{common: c, Group: in.FirewallRuleGroupId, VPC: in.VpcId, Priority: in.Priority}, newID("rslvr-frgassoc-")
	a.Protected = in.MutationProtection != nil && *in.MutationProtection == api.MutationProtectionStatusEnabled
	if err := a.checkPriority(id, ties); err != nil {
		return nil, err
	}
	return &api.AssociateFirewallRuleGroupResponse{FirewallRuleGroupAssociation: a.shown(ctx, id)}, s.ties.Insert(ctx, id, a)
}

// checkPriority refuses one that is out of range, or another association's.
func (a *association) checkPriority(id string, ofVPC []store.Entry[association]) error {
	if a.Priority < firstPriority || a.Priority > lastPriority {
		return api.ValidationException.New("[RSLVR-02010] The priority must be between %d and %d.", firstPriority, lastPriority)
	}
	for _, t := range ofVPC {
		if t.ID != id && t.Value.Priority == a.Priority {
			return api.ConflictException.New("[RSLVR-02015] The priority %d is used already by another association of the VPC \"%s\".", a.Priority, a.VPC)
		}
	}
	return nil
}

func (s *Service) getAssociation(ctx context.Context, in *api.GetFirewallRuleGroupAssociationRequest) (*api.GetFirewallRuleGroupAssociationResponse, error) {
	a, err := s.association(ctx, in.FirewallRuleGroupAssociationId)
	if err != nil {
		return nil, err
	}
	return &api.GetFirewallRuleGroupAssociationResponse{FirewallRuleGroupAssociation: a.shown(ctx, in.FirewallRuleGroupAssociationId)}, nil
}

func (s *Service) listAssociations(ctx context.Context, in *api.ListFirewallRuleGroupAssociationsRequest) (*api.ListFirewallRuleGroupAssociationsResponse, error) {
	out := &api.ListFirewallRuleGroupAssociationsResponse{FirewallRuleGroupAssociations: []api.FirewallRuleGroupAssociation{}}
	filters := []string{text(in.FirewallRuleGroupId), text(in.VpcId), number(in.Priority), text(in.Status)}
	next, err := pages(ctx, s, s.ties, "ListFirewallRuleGroupAssociations", filters, in.NextToken, in.MaxResults, func(id string, a *association) bool {
		if in.FirewallRuleGroupId != nil && a.Group != *in.FirewallRuleGroupId || in.VpcId != nil && a.VPC != *in.VpcId ||
			in.Priority != nil && a.Priority != *in.Priority || in.Status != nil && *in.Status != api.FirewallRuleGroupAssociationStatusComplete {
			return false
		}
		out.FirewallRuleGroupAssociations = append(out.FirewallRuleGroupAssociations, *a.shown(ctx, id))
		return true
	})
	out.NextToken = next
	return out, err
}

func (s *Service) updateAssociation(ctx context.Context, in *api.UpdateFirewallRuleGroupAssociationRequest) (*api.UpdateFirewallRuleGroupAssociationResponse, error) {
	id := in.FirewallRuleGroupAssociationId
	a, err := s.association(ctx, id)
	if err != nil {
		return nil, err
	}
	if in.MutationProtection != nil {
		a.Protected = *in.MutationProtection == api.MutationProtectionStatusEnabled
	}
	if in.Name != nil {
		a.Name = *in.Name
	}
	if in.Priority != nil {
		a.Priority = *in.Priority
		ties, err := s.ties.PageBy(ctx, "vpc", a.VPC, store.Range{})
		if err != nil {
			return nil, err
		}
		if err := a.checkPriority(id, ties); err != nil {
			return nil, err
		}
	}
	a.Modified = time.Now().UTC()
	return &api.UpdateFirewallRuleGroupAssociationResponse{FirewallRuleGroupAssociation: a.shown(ctx, id)}, s.ties.Put(ctx, id, a)
}

func (s *Service) disassociate(ctx context.Context, in *api.DisassociateFirewallRuleGroupRequest) (*api.DisassociateFirewallRuleGroupResponse, error) {
	id := in.FirewallRuleGroupAssociationId
	a, err := s.association(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.Protected {
		return nil, api.ConflictException.New("[RSLVR-02019] The association \"%s\" is protected against mutation; disable MutationProtection first.", id)
	}
	shown := a.shown(ctx, id)
	shown.Status = new(api.FirewallRuleGroupAssociationStatusDeleting)
	return &api.DisassociateFirewallRuleGroupResponse{FirewallRuleGroupAssociation: shown}, s.ties.Delete(ctx, id)
}

func (s *Service) association(ctx context.Context, id string) (*association, error) {
	a, err := s.ties.Get(ctx, id)
	return found(a, err, id)
}

func (a *association) shown(ctx context.Context, id string) *api.FirewallRuleGroupAssociation {
	protected := api.MutationProtectionStatusDisabled
	if a.Protected {
		protected = api.MutationProtectionStatusEnabled
	}
	return &api.FirewallRuleGroupAssociation{
		Id: &id, Arn: new(arnOf(ctx, id).String()), FirewallRuleGroupId: &a.Group, VpcId: &a.VPC, Name: &a.Name, Priority: &a.Priority,
		MutationProtection: &protected, Status: new(api.FirewallRuleGroupAssociationStatusComplete), CreatorRequestId: &a.Creator,
		CreationTime: stamp(a.Created), ModificationTime: stamp(a.Modified),
	}
}

// checkVPC refuses what is no VPC id. Until EC2 is here, every id of the right
// form is a VPC.
func checkVPC(id string) error {
	hex, ok := strings.CutPrefix(id, "vpc-")
	if !ok || len(hex) != 8 && len(hex) != 17 || strings.Trim(hex, "0123456789abcdef") != "" {
		return api.ValidationException.New("[RSLVR-02028] \"%s\" is not the id of a VPC.", id)
	}
	return nil
}
