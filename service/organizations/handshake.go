package organizations

import (
	"context"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// A handshake is an agreement between an organisation and an account. It is kept
// in no place, since both sides see it.
type handshake struct {
	ID           string
	Action       organizationsapi.ActionType
	State        organizationsapi.HandshakeState
	Organization string
	Management   aws.Account
	Account      aws.Account `json:",omitempty"` // who is asked; empty: the organisation itself
	ByEmail      bool        `json:",omitempty"` // the account was named by its address
	Notes        string      `json:",omitempty"`
	Tags         []tag       `json:",omitempty"` // of the account, when it joins
	Parent       string      `json:",omitempty"` // of an APPROVE_ALL_FEATURES
	Requested    time.Time
	Expires      time.Time
}

// The due records of handshakes.
const (
	expireKind = "organizations.expire-handshake"
	forgetKind = "organizations.forget-handshake"
)

// Organizations API Reference, "Handshake" and "ListHandshakesForAccount".
const (
	inviteLasts   = 15 * 24 * time.Hour
	featuresLasts = 90 * 24 * time.Hour
	settledShown  = 30 * 24 * time.Hour // how long one that is over is still listed
)

// parties are those in whose lists the handshake stands.
func (h *handshake) parties() []string {
	parties := []string{h.Organization}
	if h.Account != "" {
		parties = append(parties, string(h.Account))
	}
	return parties
}

// waits reports whether the handshake can still be answered.
func (h *handshake) waits() bool {
	return h.State == organizationsapi.HandshakeStateOpen || h.State == organizationsapi.HandshakeStateRequested
}

// begin keeps a new handshake, which ends by itself.
func (s *Service) begin(ctx context.Context, h *handshake, lasts time.Duration) error {
	h.ID, h.Requested = newID("h-", 32), now()
	h.Expires = h.Requested.Add(lasts)
	store.Schedule(ctx, store.Due{Kind: expireKind, ID: h.ID, At: h.Expires, Place: store.Place{Account: h.Management}})
	return s.handshakes.Insert(ctx, h.ID, h)
}

// end settles a handshake for good.
func (s *Service) end(ctx context.Context, h *handshake, state organizationsapi.HandshakeState) error {
	h.State = state
	at := store.Place{Account: h.Management}
	store.UnscheduleIn(ctx, at, expireKind, h.ID)
	store.Schedule(ctx, store.Due{Kind: forgetKind, ID: h.ID, At: now().Add(settledShown), Place: at})
	return s.handshakes.Put(ctx, h.ID, h)
}

// expire ends a handshake that nobody has answered in time.
func (s *Service) expire(ctx context.Context, due store.Due) error {
	h, err := s.handshakes.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || !h.waits() {
		return err
	}
	return s.end(ctx, h, organizationsapi.HandshakeStateExpired)
}

// forget takes a handshake that is over off the lists.
func (s *Service) forget(ctx context.Context, due store.Due) error {
	err := s.handshakes.Delete(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func noHandshake() error {
	return organizationsapi.HandshakeNotFoundException.New("We can't find a handshake with the HandshakeId that you specified.")
}

// shaken returns a handshake that the caller's account is a party to. Its
// originator is the organisation, whom the management account speaks for.
func (s *Service) shaken(ctx context.Context, id string) (h *handshake, originator bool, err error) {
	h, err = s.handshakes.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, noHandshake()
	}
	if err != nil {
		return nil, false, err
	}
	caller := aws.CallOf(ctx).Account
	if caller != h.Management && caller != h.Account {
		return nil, false, noHandshake()
	}
	return h, caller == h.Management, nil
}

// answerable returns a handshake that can still be answered, by those who may.
func (s *Service) answerable(ctx context.Context, id string, originator bool) (*handshake, error) {
	h, mine, err := s.shaken(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case mine != originator:
		return nil, forbidden()
	case !h.waits():
		return nil, organizationsapi.HandshakeAlreadyInStateException.New("The handshake is already in the state %s.", h.State)
	}
	return h, nil
}

func (s *Service) describeHandshake(ctx context.Context, in *organizationsapi.DescribeHandshakeRequest) (*organizationsapi.DescribeHandshakeResponse, error) {
	h, _, err := s.shaken(ctx, in.HandshakeId)
	if err != nil {
		return nil, err
	}
	out, err := s.shownHandshake(ctx, h)
	return &organizationsapi.DescribeHandshakeResponse{Handshake: out}, err
}

func (s *Service) cancelHandshake(ctx context.Context, in *organizationsapi.CancelHandshakeRequest) (*organizationsapi.CancelHandshakeResponse, error) {
	h, err := s.answerable(ctx, in.HandshakeId, true)
	if err != nil {
		return nil, err
	}
	if err := s.end(ctx, h, organizationsapi.HandshakeStateCanceled); err != nil {
		return nil, err
	}
	if err := s.cancelApprovals(ctx, h); err != nil {
		return nil, err
	}
	out, err := s.shownHandshake(ctx, h)
	return &organizationsapi.CancelHandshakeResponse{Handshake: out}, err
}

func (s *Service) declineHandshake(ctx context.Context, in *organizationsapi.DeclineHandshakeRequest) (*organizationsapi.DeclineHandshakeResponse, error) {
	h, err := s.answerable(ctx, in.HandshakeId, false)
	if err != nil {
		return nil, err
	}
	if err := s.end(ctx, h, organizationsapi.HandshakeStateDeclined); err != nil {
		return nil, err
	}
	out, err := s.shownHandshake(ctx, h)
	return &organizationsapi.DeclineHandshakeResponse{Handshake: out}, err
}

func (s *Service) acceptHandshake(ctx context.Context, in *organizationsapi.AcceptHandshakeRequest) (*organizationsapi.AcceptHandshakeResponse, error) {
	h, originator, err := s.shaken(ctx, in.HandshakeId)
	if err != nil {
		return nil, err
	}
	// Only what the organisation asks of itself is accepted by it.
	if h, err = s.answerable(ctx, in.HandshakeId, originator && h.Account == ""); err != nil {
		return nil, err
	}
	o, err := s.at(ctx, h.Management)
	if err != nil {
		return nil, err
	}
	if o == nil || o.ID != h.Organization {
		return nil, noHandshake()
	}
	switch h.Action {
	case organizationsapi.ActionTypeInvite:
		err = s.accepted(ctx, o, h)
	case organizationsapi.ActionTypeApproveAllFeatures:
		err = s.approved(ctx, h)
	case organizationsapi.ActionTypeEnableAllFeatures:
		err = s.finish(ctx, o, h)
	}
	if err != nil {
		return nil, err
	}
	if err := s.end(ctx, h, organizationsapi.HandshakeStateAccepted); err != nil {
		return nil, err
	}
	out, err := s.shownHandshake(ctx, h)
	return &organizationsapi.AcceptHandshakeResponse{Handshake: out}, err
}

// listed keeps a list to what its filter asks for.
func listed(f *organizationsapi.HandshakeFilter) (func(*handshake) bool, []string, error) {
	if f == nil {
		return nil, nil, nil
	}
	if f.ActionType != nil && f.ParentHandshakeId != nil {
		return nil, nil, invalid(organizationsapi.InvalidInputExceptionReasonMaxLimitExceededFilter, "You can specify only one filter parameter for the operation.")
	}
	action, parent := "", ""
	if f.ActionType != nil {
		action = string(*f.ActionType)
	}
	if f.ParentHandshakeId != nil {
		parent = *f.ParentHandshakeId
	}
	return func(h *handshake) bool {
		return (action == "" || string(h.Action) == action) && (parent == "" || h.Parent == parent)
	}, []string{action, parent}, nil
}

// handshakesOf returns a page of a party's handshakes.
func (s *Service) handshakesOf(ctx context.Context, operation, party string, f *organizationsapi.HandshakeFilter, token *string, most *int32) ([]organizationsapi.Handshake, *string, error) {
	keep, filters, err := listed(f)
	if err != nil {
		return nil, nil, err
	}
	page, next, err := pageOf(ctx, s, s.handshakes,
		query{operation: operation, index: byParty, value: party, filters: filters, token: token, most: most}, keep)
	if err != nil {
		return nil, nil, err
	}
	all := []organizationsapi.Handshake{}
	for _, h := range page {
		out, err := s.shownHandshake(ctx, h)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, *out)
	}
	return all, next, nil
}

func (s *Service) listHandshakesForAccount(ctx context.Context, in *organizationsapi.ListHandshakesForAccountRequest) (*organizationsapi.ListHandshakesForAccountResponse, error) {
	all, next, err := s.handshakesOf(ctx, "ListHandshakesForAccount", string(aws.CallOf(ctx).Account), in.Filter, in.NextToken, in.MaxResults)
	return &organizationsapi.ListHandshakesForAccountResponse{Handshakes: all, NextToken: next}, err
}

func (s *Service) listHandshakesForOrganization(ctx context.Context, in *organizationsapi.ListHandshakesForOrganizationRequest) (*organizationsapi.ListHandshakesForOrganizationResponse, error) {
	o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	all, next, err := s.handshakesOf(ctx, "ListHandshakesForOrganization", o.ID, in.Filter, in.NextToken, in.MaxResults)
	return &organizationsapi.ListHandshakesForOrganizationResponse{Handshakes: all, NextToken: next}, err
}

func (s *Service) shownHandshake(ctx context.Context, h *handshake) (*organizationsapi.Handshake, error) {
	o := &organization{ID: h.Organization, Management: h.Management}
	management, err := s.account(ctx, h.Management)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.Handshake{
		Id: &h.ID, Arn: new(o.handshakeARN(h.Action, h.ID).String()), State: &h.State, Action: &h.Action,
		RequestedTimestamp: &h.Requested, ExpirationTimestamp: &h.Expires,
		Parties: []organizationsapi.HandshakeParty{{Id: h.Organization, Type: organizationsapi.HandshakePartyTypeOrganization}},
	}
	about := resource(organizationsapi.HandshakeResourceTypeOrganization, h.Organization)
	if h.Action == organizationsapi.ActionTypeInvite {
		about.Resources = []organizationsapi.HandshakeResource{
			resource(organizationsapi.HandshakeResourceTypeMasterEmail, management.Email),
			resource(organizationsapi.HandshakeResourceTypeMasterName, management.Name),
		}
	}
	out.Resources = append(out.Resources, about)
	if h.Account != "" {
		party, kind := string(h.Account), organizationsapi.HandshakePartyTypeAccount
		if h.ByEmail {
			a, err := s.account(ctx, h.Account)
			if err != nil {
				return nil, err
			}
			party, kind = a.Email, organizationsapi.HandshakePartyTypeEmail
		}
		out.Parties = append(out.Parties, organizationsapi.HandshakeParty{Id: party, Type: kind})
		out.Resources = append(out.Resources, resource(organizationsapi.HandshakeResourceType(kind), party))
	}
	if h.Notes != "" {
		out.Resources = append(out.Resources, resource(organizationsapi.HandshakeResourceTypeNotes, h.Notes))
	}
	if h.Parent != "" {
		out.Resources = append(out.Resources, resource(organizationsapi.HandshakeResourceTypeParentHandshake, h.Parent))
	}
	return out, nil
}

func resource(kind organizationsapi.HandshakeResourceType, value string) organizationsapi.HandshakeResource {
	return organizationsapi.HandshakeResource{Type: &kind, Value: &value}
}

// touchHandshake makes the touch function of an action on a handshake. Both
// parties may act on it by the permissions of their own; it belongs to the
// organisation, so for the account that is asked it is another's.
func touchHandshake[In any](s *Service, action string, id func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		o, err := s.ownOrNowhere(ctx)
		if err != nil {
			return nil, err
		}
		t := wire.Touch{Action: action, Resource: o.handshakeARN(organizationsapi.ActionTypeInvite, "h-"+strings.TrimPrefix(id(in), "h-")), Account: aws.CallOf(ctx).Account}
		h, _, err := s.shaken(ctx, id(in))
		var unknown *aws.Error
		if errors.As(err, &unknown) {
			return []wire.Touch{t}, nil
		}
		if err != nil {
			return nil, err
		}
		theirs := &organization{ID: h.Organization, Management: h.Management}
		t.Resource, t.Account = theirs.handshakeARN(h.Action, h.ID), h.Management
		if h.Account != "" {
			if t.Policy, err = allowing(h.Account, "organizations:AcceptHandshake", "organizations:DeclineHandshake", "organizations:DescribeHandshake"); err != nil {
				return nil, err
			}
		}
		return []wire.Touch{t}, nil
	}
}
