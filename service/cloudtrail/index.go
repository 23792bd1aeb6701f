package cloudtrail

import (
	"context"
	"errors"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

const (
	maxRecords = 512       // in a segment
	maxSize    = 512 << 10 // of its records before compression
	maxOpen    = 256       // records in open
	maxPacked  = 96 << 10  // bytes of open, which is written anew with each batch

	enough = 64 // records that come together and close enough in time make a segment at once
)

// index keeps the management events of one account and region. Data events are
// not part of the event history. CloudTrail User Guide, "Working with CloudTrail
// event history".
func (s *Service) index(ctx context.Context, events []aws.Event) error {
	records := make([]record, 0, len(events))
	for i := range events {
		if events[i].Attrs["category"] != "Data" {
			records = append(records, recordOf(&events[i]))
		}
	}
	if len(records) == 0 {
		return nil
	}
	sortRecords(records)
	waiting, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	few := records
	if len(records) >= enough {
		few = nil
		for _, group := range cut(records, s.brief.span) {
			if len(group) < enough {
				few = append(few, group...)
				continue
			}
			if err := s.keep(ctx, s.brief, group, 0); err != nil {
				return err
			}
		}
	}
	for _, group := range cut(few, s.long.span) {
		if err := s.wait(ctx, waiting, group); err != nil {
			return err
		}
	}
	if len(few) == 0 {
		return nil
	}
	return s.open.Put(ctx, openID, waiting)
}

// openID is the one row of the table open in each place.
const openID = "open"

// waiting returns the place's open records. The first time it also sees to it
// that what is kept from now on is removed in time.
func (s *Service) waiting(ctx context.Context) (*open, error) {
	o, err := s.open.Get(ctx, openID)
	if !errors.Is(err, store.ErrNotFound) {
		return o, err
	}
	store.Schedule(ctx, store.Due{Kind: expireKind, ID: openID, At: time.Now().Add(history)})
	o = &open{Generation: 1}
	return o, s.open.Put(ctx, openID, o)
}

// wait adds a group to the open records, which move to segments first when it
// does not fit.
func (s *Service) wait(ctx context.Context, o *open, group []record) error {
	size := 0
	for i := range group {
		size += group[i].size()
	}
	first, last := group[0].at, group[len(group)-1].at
	if o.Count > 0 {
		first, last = min(first, o.First), max(last, o.Last)
		if o.Count+len(group) > maxOpen || o.Size+size > maxSize || len(o.Records) > maxPacked || last-first > s.long.span.Milliseconds() {
			if err := s.flush(ctx, o); err != nil {
				return err
			}
			first, last = group[0].at, group[len(group)-1].at
		}
	}
	o.Count, o.Size, o.First, o.Last = o.Count+len(group), o.Size+size, first, last
	o.Records = s.codec.pack(o.Records, group)
	return nil
}

// flush moves the open records to segments.
func (s *Service) flush(ctx context.Context, o *open) error {
	records, err := s.codec.unpack(o.Records)
	if err != nil {
		return err
	}
	sortRecords(records)
	for _, group := range cut(records, s.long.span) {
		if err := s.keep(ctx, s.long, group, o.Generation); err != nil {
			return err
		}
	}
	*o = open{Generation: o.Generation + 1}
	return nil
}

// keep makes a segment of records, oldest first.
func (s *Service) keep(ctx context.Context, on shelf, records []record, generation uint64) error {
	return on.Insert(ctx, segmentID(&records[0], &records[len(records)-1]), &segment{
		Records: s.codec.pack(nil, records),
		marks:   marks(records, generation),
	})
}
