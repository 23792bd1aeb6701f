package source

import (
	"container/heap"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"sumun.dev/detect/record"
)

const (
	// maxOpen is how many files are read at once. When more than that overlap in
	// time, the records of those that come last are late.
	maxOpen = 256
	// settle is how many records of a file are held back at least, and mostSettle at
	// most, so that those within it come in their order of time: CloudTrail does not
	// sort its files, and a busy account has thousands of records in one. The files
	// that are open share maxOpen * settle records, and maxHeld bytes. Of flows and
	// queries settle is enough: what is counted within a span does not ask for their
	// order, and as many as fit into a near cache are read a third faster.
	settle     = 512
	mostSettle = 8 << 10
	maxHeld    = 128 << 20
	// looked is how many records of a file are looked at to tell when it begins.
	looked = 64
	// early is how much sooner than that a file is opened, since what stands further
	// down in it may have happened earlier: CloudTrail mostly delivers within five
	// minutes, flow logs and slow regions within fifteen.
	early = 15 * time.Minute
)

// Records reads files, in the order of time over all of them. What cannot be read
// stands in report. When formats are named, only records of those come, and files of
// others are left early. The iteration ends early, with its error, when ctx ends. A
// record is good until the next one.
func Records(ctx context.Context, files []File, report *Report, formats ...string) iter.Seq2[*record.Record, error] {
	return records(ctx, files, report, newReaders(formats))
}

// Likely is Records for these formats, but passes over files whose beginning holds
// only others. When the same files are read with all formats afterwards, and one that
// was passed over has a record of these after all, that ends with ErrPassed.
func Likely(ctx context.Context, files []File, report *Report, formats ...string) iter.Seq2[*record.Record, error] {
	with := newReaders(formats)
	with.likely = true
	return records(ctx, files, report, with)
}

func records(ctx context.Context, files []File, report *Report, with *readers) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		if err := merge(ctx, files, report, with, func(r *record.Record) bool { return yield(r, nil) }); err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// started is a file and the time that it begins at.
type started struct {
	File
	first time.Time
}

func merge(ctx context.Context, files []File, report *Report, with *readers, yield func(*record.Record) bool) error {
	var waiting []started
	for _, f := range files {
		if f.Once {
			waiting = append(waiting, started{File: f})
			continue
		}
		g := f.seen
		if g == nil {
			g = &glance{}
		}
		if len(with.only) > 0 {
			g.passed = nil
		}
		if g.first.IsZero() {
			var err error
			if g.first, err = firstOf(ctx, f, with); err != nil {
				return err
			}
		}
		s := started{File: f, first: g.first}
		waiting = append(waiting, s)
	}
	sortFiles(waiting)
	var open opened
	defer func() {
		for _, o := range open {
			o.stop()
		}
	}()
	var latest time.Time
	advance := func(o *reading) bool {
		n := len(open) + 1
		return o.advance(min(maxOpen*settle/n, mostSettle), maxHeld/int64(n))
	}
	for n := 0; len(open) > 0 || len(waiting) > 0; {
		for len(waiting) > 0 && len(open) < maxOpen && (len(open) == 0 || !waiting[0].first.Add(-early).After(open[0].now.at)) {
			o := begin(ctx, waiting[0].File, n, report, with)
			n++
			waiting = waiting[1:]
			if advance(o) {
				heap.Push(&open, o)
			} else if o.err != nil {
				return o.err
			}
		}
		if len(open) == 0 {
			continue
		}
		o := open[0]
		r := o.now.r
		if o.now.at.Before(latest) {
			report.Late++
		} else {
			latest = o.now.at
		}
		switch {
		case !advance(o):
			heap.Pop(&open)
			if o.err != nil {
				return o.err
			}
		case len(open) > 1:
			heap.Fix(&open, 0)
		}
		if !yield(r) {
			return errStop
		}
		with.spare.Put(r)
	}
	return nil
}

// firstOf returns when a file begins: the earliest time of its first records, of
// whatever format, which are not sorted.
func firstOf(ctx context.Context, f File, with *readers) (first time.Time, err error) {
	var aside Report
	n := 0
	defer func(only []string, likely bool) { with.only, with.likely = only, likely }(with.only, with.likely)
	with.only, with.likely = nil, false
	err = each(ctx, f, &aside, with, func(_ string, r *record.Record) error {
		if n++; !r.Strange(with.now) && (first.IsZero() || r.Time.Before(first)) {
			first = r.Time
		}
		if n >= looked && !first.IsZero() {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return first, err
}

// A reading is a file that is being read: the records that are held back, and the
// next one.
type reading struct {
	order int // of files, to decide between equal times
	now   timed
	last  time.Time // of the latest record that was taken and whose time is no strange one
	today time.Time
	held  byTime
	calls bool                            // it has records of calls, whose order tells
	next  func() ([]*record.Record, bool) // good until the next call
	stop  func()
	done  bool
	err   error
}

// batch is how many records are taken of a file at once, or fewer that take
// batchBytes: going to and fro costs more than reading one.
const (
	batch      = 64
	batchBytes = 1 << 20
)

func begin(ctx context.Context, f File, order int, report *Report, with *readers) *reading {
	o := &reading{order: order, today: with.now}
	o.next, o.stop = iter.Pull(func(yield func([]*record.Record) bool) {
		some := make([]*record.Record, 0, batch)
		from := int64(0) // where the batch begins in the file
		err := each(ctx, f, report, with, func(_ string, r *record.Record) error {
			if some = append(some, r); len(some) < batch && r.Origin.Offset-from < batchBytes {
				return nil
			}
			from = r.Origin.Offset
			if !yield(some) {
				return errStop
			}
			some = some[:0]
			return nil
		})
		switch {
		case err == nil && len(some) > 0:
			yield(some)
		case err != nil && !errors.Is(err, errStop):
			o.err = err
		}
	})
	return o
}

// advance takes the next record; false at the end. Up to most records are held back,
// and about as many bytes.
func (o *reading) advance(most int, bytes int64) bool {
	if !o.calls {
		most = settle
	}
	if !o.done && (o.held.len() < most-most/4 && o.held.bytes < bytes || o.held.len() == 0) {
		o.fill(most, bytes)
	}
	if o.held.len() == 0 || o.err != nil {
		return false
	}
	o.now = o.held.pop()
	return true
}

func (o *reading) fill(most int, bytes int64) {
	o.held.room()
	for o.held.len() < most && o.held.bytes < bytes || o.held.len() == 0 {
		some, ok := o.next()
		if !ok {
			o.done = true
			o.stop()
			break
		}
		for _, r := range some {
			// What no clock can have told comes where it stands in the file: it puts off
			// no other.
			if !r.Strange(o.today) {
				o.last = r.Time
			}
			if (r.API != nil || r.Kubernetes != nil) && !o.calls {
				o.calls = true
			}
			o.held.push(r, o.last)
		}
	}
	o.held.sort()
}

// byTime holds records of one file in their order of time, and those of equal
// times in the order they came. Files are nearly sorted: mostly there is nothing
// to do.
type byTime struct {
	all      []timed
	from     int
	unsorted bool
	bytes    int64 // of the file, that the records take
	offset   int64 // of the last record
}

// A timed is a record, the time that it counts for, and how many bytes of the file
// it takes, or the one before it.
type timed struct {
	r    *record.Record
	at   time.Time
	size int64
}

func (h *byTime) len() int { return len(h.all) - h.from }

// room moves what is held to the front.
func (h *byTime) room() {
	n := copy(h.all, h.all[h.from:])
	clear(h.all[n:])
	h.all, h.from = h.all[:n], 0
}

func (h *byTime) push(r *record.Record, at time.Time) {
	size := max(r.Origin.Offset-h.offset, 0) // 0: the next file of an archive
	h.offset = r.Origin.Offset
	h.bytes += size
	h.unsorted = h.unsorted || h.len() > 0 && at.Before(h.all[len(h.all)-1].at)
	h.all = append(h.all, timed{r, at, size})
}

func (h *byTime) sort() {
	if h.unsorted {
		slices.SortStableFunc(h.all[h.from:], func(a, b timed) int { return a.at.Compare(b.at) })
		h.unsorted = false
	}
}

func (h *byTime) pop() timed {
	r := h.all[h.from]
	h.all[h.from] = timed{}
	h.from++
	h.bytes -= r.size
	return r
}

// opened is a heap of the files that are being read.
type opened []*reading

func (h opened) Len() int { return len(h) }
func (h opened) Less(i, k int) bool {
	if c := h[i].now.at.Compare(h[k].now.at); c != 0 {
		return c < 0
	}
	return h[i].order < h[k].order
}
func (h opened) Swap(i, k int) { h[i], h[k] = h[k], h[i] }
func (h *opened) Push(x any)   { *h = append(*h, x.(*reading)) }
func (h *opened) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
