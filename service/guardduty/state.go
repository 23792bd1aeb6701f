package guardduty

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
	"sumun.dev/store"
)

// A detector is kept under its id. There is one at most in an account and region.
type detector struct {
	ID               string
	Enabled          bool
	Frequency        guarddutyapi.FindingPublishingFrequency
	Features         map[string]feature // by name; runtime monitoring that was never set is absent and off
	Tags             map[string]string
	Token            string // the client token that made it
	Created, Updated time.Time
}

// A feature is a protection plan that is on or off.
type feature struct {
	Enabled bool
	Updated time.Time
	More    map[string]bool // its additional configurations
	First   time.Time       `json:",omitzero"` // when it was turned on for the first time
}

// A kept finding is kept under its id.
type kept struct {
	finding.Finding
	Told       time.Time // when others heard of it last
	Scheduled  bool      // they will hear of what has happened since
	Suppressed bool      // a filter archived it: nobody hears of it
}

// Limits as AWS has them by default: User Guide, "Quotas for Amazon GuardDuty".
const (
	maxIDs    = 50 // findings in one call
	maxTags   = 50
	retention = 90 * 24 * time.Hour
)

// newID makes an id as GuardDuty has them.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// own returns the call's detector. One of another account is answered as one
// that does not exist.
func (s *Service) own(ctx context.Context, id string) (*detector, error) {
	d, err := s.detectors.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, bad("NoSuchEntityException", "The request is rejected because the input detectorId is not owned by the current account.")
	}
	return d, err
}

// bad is the error of all that a client does wrong: GuardDuty tells it in words
// and by the member __type.
func bad(typ, format string, args ...any) error {
	return guarddutyapi.BadRequestException.New(format, args...).With("__type", typ)
}

func invalid(parameter string) error {
	return bad("InvalidInputException", "The request is rejected because the parameter %s has an invalid value.", parameter)
}

func (s *Service) home(ctx context.Context, d *detector) finding.Home {
	call := aws.CallOf(ctx)
	return finding.Home{Partition: call.Partition, Account: call.Account, Region: call.Region, Detector: d.ID}
}

func text[T ~string](s *T) string {
	if s == nil {
		return ""
	}
	return string(*s)
}

// page returns which rows to list, one more than asked for: it tells whether
// there is a next page.
func (s *Service) page(ctx context.Context, limit *int32, token *string, bind ...string) (store.Range, []string, error) {
	call := aws.CallOf(ctx)
	bind = append([]string{call.Operation, string(call.Account), string(call.Region)}, bind...)
	after, err := s.env.Store.OpenToken(bind, text(token))
	if err != nil {
		return store.Range{}, nil, invalid("nextToken")
	}
	r := store.Range{After: after, Limit: 50}
	if limit != nil {
		r.Limit = int(*limit)
	}
	r.Limit++
	return r, bind, nil
}

// next cuts a page to its size and returns the token of the page behind it, if
// there is one.
func next[T any](s *Service, bind []string, r store.Range, all []store.Entry[T]) ([]store.Entry[T], *string) {
	if len(all) < r.Limit {
		return all, nil
	}
	all = all[:r.Limit-1]
	return all, new(s.env.Store.NextToken(bind, all[len(all)-1].ID))
}

func failed(what string, err error) error { return fmt.Errorf("guardduty: %s: %w", what, err) }

// optional is nil for an empty string, which AWS leaves out of answers.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
