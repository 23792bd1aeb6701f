package guardduty

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/intel/format"
	"sumun.dev/store"
)

// A setKind is a sort of list that an account has.
type setKind struct {
	path    string // in ARNs and ids
	api     string // as the API calls it, without Create, Get …
	counts  intel.Kind
	limit   int // of sets
	entries int // of one set
}

// The sorts of list. Limits: User Guide, "Quotas for Amazon GuardDuty".
var (
	ipSet         = setKind{"ipset", "IPSet", intel.Trusted, 1, 2_000}
	threatIntel   = setKind{"threatintelset", "ThreatIntelSet", intel.Custom, 6, 250_000}
	threatEntity  = setKind{"threatentityset", "ThreatEntitySet", intel.Custom, 6, 1_000}
	trustedEntity = setKind{"trustedentityset", "TrustedEntitySet", intel.Trusted, 1, 1_000}
)

// setKinds lists them.
func setKinds() []setKind { return []setKind{ipSet, threatIntel, threatEntity, trustedEntity} }

// A set is a list of the account. It is kept under its kind and id; what it says
// is kept apart, as it was when the set was activated, in pieces.
type set struct {
	Kind, ID         string
	Name, Format     string
	Location, Owner  string
	Active           bool
	Problem          string // why it cannot be used
	Entries          int
	Version          int // of the content
	Pieces           int
	Tags             map[string]string
	Token            string
	Created, Updated time.Time
}

// A piece is a part of what a set says.
type piece struct {
	Domains   []string
	Addresses []string `json:",omitempty"` // and prefixes
}

const pieceSize = 512 << 10 // bytes of names: a row's JSON stays under 1 MiB

func (k setKind) key(id string) string { return k.path + ":" + id }

func pieceKey(id string, n int) string { return fmt.Sprintf("%s/%06d", id, n) }

func (x *set) status() string {
	switch {
	case x.Problem != "":
		return "ERROR"
	case x.Active:
		return "ACTIVE"
	}
	return "INACTIVE"
}

// set returns one of the account's sets.
func (s *Service) set(ctx context.Context, k setKind, detectorID, id string) (*set, error) {
	if _, err := s.own(ctx, detectorID); err != nil {
		return nil, err
	}
	x, err := s.sets.Get(ctx, k.key(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, bad("NoSuchEntityException", "The request is rejected since no such resource found.")
	}
	return x, err
}

// A request is what all requests to make a set have.
type setRequest struct {
	detector, name, format, location string
	owner, token                     *string
	activate                         bool
	tags                             map[string]string
}

func (s *Service) createSet(ctx context.Context, k setKind, r setRequest) (string, error) {
	if _, err := s.own(ctx, r.detector); err != nil {
		return "", err
	}
	if err := s.free(ctx, "create lists"); err != nil {
		return "", err
	}
	n := 0
	for e, err := range s.sets.All(ctx, k.path+":") {
		if err != nil {
			return "", err
		}
		if e.Value.Token != "" && e.Value.Token == text(r.token) {
			return e.Value.ID, nil // the same request again
		}
		if e.Value.Name == r.name {
			return "", bad("InvalidInputException", "The request failed because another %s with the same name already exists.", k.api)
		}
		n++
	}
	if n >= k.limit {
		return "", bad("LimitExceededException", "The request is rejected because the current account cannot have more than %d %ss.", k.limit, k.api)
	}
	tags, err := tagged(nil, r.tags)
	if err != nil {
		return "", err
	}
	now := time.Now()
	x := &set{Kind: k.path, ID: newID(), Name: r.name, Format: r.format, Location: r.location, Owner: text(r.owner), Tags: tags, Token: text(r.token), Created: now, Updated: now}
	if err := s.activate(ctx, k, x, r.activate); err != nil {
		return "", err
	}
	return x.ID, s.sets.Insert(ctx, k.key(x.ID), x)
}

// A change is what all requests to change a set have.
type setChange struct {
	name, location, owner *string
	activate              *bool
}

func (s *Service) updateSet(ctx context.Context, k setKind, detectorID, id string, c setChange) error {
	x, err := s.set(ctx, k, detectorID, id)
	if err != nil {
		return err
	}
	if err := s.free(ctx, "update lists"); err != nil {
		return err
	}
	if c.name != nil {
		x.Name = *c.name
	}
	if c.owner != nil {
		x.Owner = *c.owner
	}
	if c.location != nil {
		x.Location = *c.location
	}
	// A new location takes effect with the next activation; an active set says
	// what it said until then. User Guide, "Updating an entity list or IP address
	// list".
	x.Updated = time.Now()
	if c.activate != nil {
		err = s.activate(ctx, k, x, *c.activate)
	} else {
		_, err = s.locate(x.Location)
	}
	if err != nil {
		return err
	}
	return s.sets.Put(ctx, k.key(id), x)
}

// activate reads what a set says, or makes it say nothing. A location that
// cannot be read refuses the request; content that is wrong shows as the set's
// status, as in AWS.
func (s *Service) activate(ctx context.Context, k setKind, x *set, on bool) error {
	name, err := s.locate(x.Location)
	if err != nil {
		return err
	}
	if !on {
		x.Active, x.Problem = false, ""
		return nil
	}
	content, err := s.open(name)
	if err != nil {
		return err
	}
	if err := s.dropPieces(ctx, x); err != nil {
		return err
	}
	x.Active, x.Problem, x.Entries, x.Pieces = true, "", 0, 0
	x.Version++
	entries, err := format.Read(x.Format, content, k.entries)
	if err != nil {
		x.Active, x.Problem = false, err.Error()
		return nil
	}
	if k == ipSet { // a name in it would be trusted, which nobody has asked for
		entries.Domains, entries.Hashes = nil, 0
		if len(entries.Addresses) == 0 {
			x.Active, x.Problem = false, "the list has no addresses"
			return nil
		}
	}
	x.Entries = entries.Len()
	addresses := make([]string, len(entries.Addresses))
	for i, p := range entries.Addresses {
		addresses[i] = p.String()
	}
	if err := s.keepPieces(ctx, x, entries.Domains, func(some []string) *piece { return &piece{Domains: some} }); err != nil {
		return err
	}
	return s.keepPieces(ctx, x, addresses, func(some []string) *piece { return &piece{Addresses: some} })
}

// keepPieces writes what a set says of one sort, after what it has written.
func (s *Service) keepPieces(ctx context.Context, x *set, all []string, of func([]string) *piece) error {
	for len(all) > 0 {
		size, n := 0, 0
		for n < len(all) && size < pieceSize {
			size += len(all[n]) + len(`"",`)
			n++
		}
		if err := s.pieces.Put(ctx, pieceKey(x.ID, x.Pieces), of(all[:n])); err != nil {
			return err
		}
		x.Pieces++
		all = all[n:]
	}
	return nil
}

func (s *Service) dropPieces(ctx context.Context, x *set) error {
	for n := range x.Pieces {
		if err := s.pieces.Delete(ctx, pieceKey(x.ID, n)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (s *Service) deleteSet(ctx context.Context, k setKind, detectorID, id string) error {
	x, err := s.set(ctx, k, detectorID, id)
	if err != nil {
		return err
	}
	if err := s.free(ctx, "delete lists"); err != nil {
		return err
	}
	if err := s.dropPieces(ctx, x); err != nil {
		return err
	}
	return s.sets.Delete(ctx, k.key(id))
}

func (s *Service) listSets(ctx context.Context, k setKind, detectorID string, limit *int32, token *string) ([]string, *string, error) {
	if _, err := s.own(ctx, detectorID); err != nil {
		return nil, nil, err
	}
	r, bind, err := s.page(ctx, limit, token, detectorID)
	if err != nil {
		return nil, nil, err
	}
	r.Prefix = k.path + ":"
	all, err := s.sets.Page(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	all, after := next(s, bind, r, all)
	ids := []string{}
	for _, e := range all {
		ids = append(ids, e.Value.ID)
	}
	return ids, after, nil
}

func setARN(call *aws.Call, detector string, k setKind, id string) aws.ARN {
	return call.ARN("guardduty", strings.Join([]string{"detector", detector, k.path, id}, "/"))
}

// problem is what went wrong with a set, for those who may ask.
func (x *set) problem() *string {
	if x.Problem == "" {
		return nil
	}
	return &x.Problem
}
