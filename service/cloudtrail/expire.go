package cloudtrail

import (
	"context"
	"errors"
	"slices"
	"time"

	"sumun.dev/store"
)

// expireKind is the due record that each place with records has.
const expireKind = "cloudtrail.expire"

// atOnce bounds how many segments one run removes.
const atOnce = 500

// expire removes the records older than LookupEvents looks back, and says when
// there will be more.
func (s *Service) expire(ctx context.Context, due store.Due) error {
	now := time.Now()
	limit := now.Add(-history).UnixMilli()
	first, err := s.expireOpen(ctx, limit)
	if err != nil {
		return err
	}
	for _, on := range []shelf{s.brief, s.long} {
		left, err := expireSegments(ctx, on, limit)
		if err != nil {
			return err
		}
		if first == 0 || left != 0 && left < first {
			first = left
		}
	}
	next := now.Add(history)
	if first != 0 {
		next = time.UnixMilli(first).Add(history)
	}
	if first == 0 || first >= limit { // nothing more to remove now: in steps of an hour at least
		next = next.Add(time.Hour)
	}
	store.Schedule(ctx, store.Due{Kind: due.Kind, ID: due.ID, At: next})
	return nil
}

// expireSegments removes what is older than limit, and returns the time of the
// oldest segment that is left; 0 when none is.
func expireSegments(ctx context.Context, on shelf, limit int64) (int64, error) {
	page, err := on.Page(ctx, store.Range{Limit: atOnce})
	if err != nil {
		return 0, err
	}
	for i, e := range page {
		if at := newest(e.ID); at >= limit || i == atOnce-1 {
			return at, nil
		}
		if err := on.Delete(ctx, e.ID); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// expireOpen removes old records that still wait for a segment, and returns the
// time of the oldest that stay; 0 when none do.
func (s *Service) expireOpen(ctx context.Context, limit int64) (int64, error) {
	o, err := s.open.Get(ctx, openID)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if o.Count == 0 || o.First >= limit {
		return o.First, nil
	}
	records, err := s.codec.unpack(o.Records)
	if err != nil {
		return 0, err
	}
	records = slices.DeleteFunc(records, func(r record) bool { return r.at < limit })
	left := &open{Generation: o.Generation}
	if len(records) > 0 {
		sortRecords(records)
		if err := s.wait(ctx, left, records); err != nil {
			return 0, err
		}
	}
	return left.First, s.open.Put(ctx, openID, left)
}
