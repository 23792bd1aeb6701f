package organizations

import (
	"context"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
)

// enableAllFeatures asks the accounts that were invited whether they agree;
// accounts that the organisation has created do. When all have, the management
// account accepts its own handshake. Organizations User Guide, "Enabling all
// features for an organization".
func (s *Service) enableAllFeatures(ctx context.Context, _ *organizationsapi.EnableAllFeaturesRequest) (*organizationsapi.EnableAllFeaturesResponse, error) {
	o, err := s.ruled(ctx)
	if err != nil {
		return nil, err
	}
	if o.all() {
		return nil, unshakable(organizationsapi.HandshakeConstraintViolationExceptionReasonOrganizationAlreadyHasAllFeatures,
			"The organization already has all features enabled.")
	}
	waiting, err := s.waiting(ctx, o.ID, organizationsapi.ActionTypeEnableAllFeatures)
	if err != nil {
		return nil, err
	}
	if len(waiting) > 0 {
		return nil, unshakable(organizationsapi.HandshakeConstraintViolationExceptionReasonOrganizationIsAlreadyPendingAllFeaturesMigration,
			"The organization is already in the process of enabling all features.")
	}
	h := &handshake{
		Action: organizationsapi.ActionTypeEnableAllFeatures, State: organizationsapi.HandshakeStateRequested, Organization: o.ID, Management: o.Management,
	}
	if err := s.begin(ctx, h, featuresLasts); err != nil {
		return nil, err
	}
	asked := 0
	for e, err := range s.nodes.In(o.place()).All(ctx, "") {
		if err != nil {
			return nil, err
		}
		n := e.Value
		if n.Kind != isAccount || n.ID == string(o.Management) || n.How != organizationsapi.AccountJoinedMethodInvited {
			continue
		}
		asked++
		child := &handshake{
			Action: organizationsapi.ActionTypeApproveAllFeatures, State: organizationsapi.HandshakeStateOpen, Organization: o.ID, Management: o.Management,
			Account: aws.Account(n.ID), Parent: h.ID,
		}
		if err := s.begin(ctx, child, featuresLasts); err != nil {
			return nil, err
		}
	}
	if asked == 0 {
		h.State = organizationsapi.HandshakeStateOpen
		if err := s.handshakes.Put(ctx, h.ID, h); err != nil {
			return nil, err
		}
	}
	out, err := s.shownHandshake(ctx, h)
	return &organizationsapi.EnableAllFeaturesResponse{Handshake: out}, err
}

// approved opens the organisation's own handshake when this was the last account
// that had to agree.
func (s *Service) approved(ctx context.Context, h *handshake) error {
	waiting, err := s.approvals(ctx, h.Organization, h.Parent)
	if err != nil {
		return err
	}
	for _, other := range waiting {
		if other.ID != h.ID && other.State != organizationsapi.HandshakeStateAccepted {
			return nil
		}
	}
	parent, err := s.handshakes.Get(ctx, h.Parent)
	if err != nil || !parent.waits() {
		return err
	}
	parent.State = organizationsapi.HandshakeStateOpen
	return s.handshakes.Put(ctx, parent.ID, parent)
}

// approvals lists what the accounts were asked.
func (s *Service) approvals(ctx context.Context, organization, parent string) ([]*handshake, error) {
	all, _, err := pageOf(ctx, s, s.handshakes, query{index: byParty, value: organization, most: new(int32(mostApprovals))},
		func(h *handshake) bool { return h.Parent == parent })
	return all, err
}

// mostApprovals is more than an organisation has accounts.
const mostApprovals = 4999

// finish gives the organisation all features.
func (s *Service) finish(ctx context.Context, o *organization, h *handshake) error {
	if h.State != organizationsapi.HandshakeStateOpen {
		return organizationsapi.InvalidHandshakeTransitionException.New("The handshake can't be accepted before all accounts have approved it.")
	}
	o.Features = organizationsapi.OrganizationFeatureSetAll
	return s.put(ctx, o)
}

// cancelApprovals takes back what the accounts were asked.
func (s *Service) cancelApprovals(ctx context.Context, h *handshake) error {
	if h.Action != organizationsapi.ActionTypeEnableAllFeatures {
		return nil
	}
	asked, err := s.approvals(ctx, h.Organization, h.ID)
	if err != nil {
		return err
	}
	for _, child := range asked {
		if !child.waits() {
			continue
		}
		if err := s.end(ctx, child, organizationsapi.HandshakeStateCanceled); err != nil {
			return err
		}
	}
	return nil
}
