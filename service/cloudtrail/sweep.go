package cloudtrail

import (
	"context"
	"errors"
	"slices"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/store"
)

// A search says which records are wanted.
type search struct {
	from, to int64 // milliseconds; both belong to what is wanted
	key      cloudtrailapi.LookupAttributeKey
	value    string // of key; empty: all
}

func (q *search) wants(r *record) bool {
	if r.at < q.from || r.at > q.to {
		return false
	}
	switch q.key {
	case "":
		return true
	case cloudtrailapi.LookupAttributeKeyEventId:
		return r.id == q.value
	case cloudtrailapi.LookupAttributeKeyEventName:
		return r.name == q.value
	case cloudtrailapi.LookupAttributeKeyReadOnly:
		return r.readOnly == q.value
	case cloudtrailapi.LookupAttributeKeyUsername:
		return r.user == q.value
	case cloudtrailapi.LookupAttributeKeyEventSource:
		return r.source == q.value
	case cloudtrailapi.LookupAttributeKeyAccessKeyId:
		return r.key == q.value
	case cloudtrailapi.LookupAttributeKeyResourceName:
		return slices.Contains(lines(r.resources), q.value)
	case cloudtrailapi.LookupAttributeKeyResourceType:
		return slices.Contains(lines(r.types), q.value)
	}
	return false
}

// A place in the list, newest first: where the next page goes on.
type bookmark struct {
	At         int64     `json:"t"` // of the last record shown
	ID         string    `json:"i"`
	Start      [2]string `json:"s"` // on each shelf, the newest segment that may hold more
	Generation uint64    `json:"g"` // of the open records then
}

// A sweep goes through the segments from the newest to the oldest and holds
// back what it has read until no segment to come can have anything newer. So it
// reads little more than it shows.
type sweep struct {
	*Service
	search
	after   *bookmark   // nil on the first page
	held    []candidate // oldest first
	shelves [2]reading
	waited  uint64 // generation of open
}

// A reading goes through the segments of a shelf.
type reading struct {
	shelf
	page  []store.Entry[segment] // read ahead
	last  string                 // what is to be read stands before
	ended bool
}

type candidate struct {
	record
	shelf   int    // where it stands
	segment string // empty: in open
}

// find returns up to limit records, newest first, and the bookmark behind them
// when there are more.
func (s *Service) find(ctx context.Context, q search, after *bookmark, limit int) ([]record, *bookmark, error) {
	w := &sweep{Service: s, search: q, after: after}
	if err := w.begin(ctx); err != nil {
		return nil, nil, err
	}
	var found []record
	for {
		c, ok, err := w.next(ctx)
		if err != nil || !ok {
			return found, nil, err
		}
		if n := len(found); n > 0 && older(&found[n-1], &c.record) == 0 {
			continue // the spine has kept it twice
		}
		if len(found) == limit {
			w.held = append(w.held, c)
			return found, w.bookmark(&found[limit-1]), nil
		}
		found = append(found, c.record)
	}
}

// begin reads the open records first: one that moves to a segment meanwhile is
// seen twice rather than not at all.
func (w *sweep) begin(ctx context.Context) error {
	o, err := w.open.Get(ctx, openID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		o = &open{}
	case err != nil:
		return err
	}
	w.waited = o.Generation
	if o.Count > 0 {
		if err := w.hold(0, "", o.Records); err != nil {
			return err
		}
	}
	for i, on := range []shelf{w.brief, w.long} {
		w.shelves[i] = reading{shelf: on, last: boundID(w.to + on.span.Milliseconds() + 1)}
		if w.after != nil {
			w.shelves[i].last = w.after.Start[i]
		}
	}
	if w.after == nil || w.after.Generation == o.Generation {
		return nil
	}
	// What was open then has become segments, perhaps newer than Start.
	moved, err := w.long.PageBy(ctx, "by", generationMark(w.after.Generation), store.Range{})
	if err != nil {
		return err
	}
	for _, e := range moved {
		if err := w.hold(1, e.ID, e.Value.Records); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps back the records that are wanted.
func (w *sweep) hold(shelf int, segment string, packed []byte) error {
	records, err := w.codec.unpack(packed)
	if err != nil {
		return err
	}
	for i := range records {
		if r := &records[i]; w.wants(r) && (w.after == nil || older(r, &record{at: w.after.At, id: w.after.ID}) < 0) {
			w.held = append(w.held, candidate{*r, shelf, segment})
		}
	}
	slices.SortFunc(w.held, func(a, b candidate) int { return older(&a.record, &b.record) })
	return nil
}

// next returns the newest record that is left.
func (w *sweep) next(ctx context.Context) (candidate, bool, error) {
	for {
		from, id, err := w.peek(ctx)
		if err != nil {
			return candidate{}, false, err
		}
		n := len(w.held)
		if n > 0 && (id == "" || w.held[n-1].at > newest(id)) {
			c := w.held[n-1]
			w.held = w.held[:n-1]
			return c, true, nil
		}
		if id == "" {
			return candidate{}, false, nil
		}
		e := w.shelves[from].page[0]
		w.shelves[from].page = w.shelves[from].page[1:]
		if oldest(id) > w.to {
			continue
		}
		if err := w.hold(from, id, e.Value.Records); err != nil {
			return candidate{}, false, err
		}
	}
}

// peek names the newest segment that is left and the shelf it stands on; the
// empty name says that none could matter.
func (w *sweep) peek(ctx context.Context) (from int, id string, err error) {
	for i := range w.shelves {
		r := &w.shelves[i]
		if err := r.ahead(ctx, w.index(), w.from); err != nil {
			return 0, "", err
		}
		if len(r.page) > 0 && r.page[0].ID > id {
			from, id = i, r.page[0].ID
		}
	}
	return from, id, nil
}

// ahead has the next segment in page, unless it and those to come are older than from.
func (r *reading) ahead(ctx context.Context, index string, from int64) error {
	if len(r.page) == 0 && !r.ended {
		const few = 4
		var err error
		next := store.Range{After: r.last, Limit: few, Desc: true}
		if index != "" {
			r.page, err = r.PageBy(ctx, "by", index, next)
		} else {
			r.page, err = r.Page(ctx, next)
		}
		if err != nil {
			return err
		}
		r.ended = len(r.page) < few
		if n := len(r.page); n > 0 {
			r.last = r.page[n-1].ID
		}
	}
	if len(r.page) > 0 && newest(r.page[0].ID) < from {
		r.page, r.ended = nil, true
	}
	return nil
}

// index is the index value that all segments with wanted records have; empty
// when they are found by their time.
func (w *sweep) index() string {
	if w.key == "" {
		return ""
	}
	if w.key == cloudtrailapi.LookupAttributeKeyEventId {
		if _, ok := timeOf(w.value); ok {
			return ""
		}
	}
	return mark(w.key, w.value)
}

// bookmark says where to go on behind shown.
func (w *sweep) bookmark(shown *record) *bookmark {
	b := &bookmark{At: shown.at, ID: shown.id, Generation: w.waited}
	for _, c := range w.held {
		b.Start[c.shelf] = max(b.Start[c.shelf], c.segment)
	}
	for i, r := range w.shelves {
		if len(r.page) > 0 {
			b.Start[i] = max(b.Start[i], r.page[0].ID)
		}
		if b.Start[i] == "" {
			b.Start[i] = r.last
			continue
		}
		b.Start[i] += "~" // behind the segment itself
	}
	return b
}
