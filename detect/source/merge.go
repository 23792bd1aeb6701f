package source

import (
	"container/heap"
	"context"
	"errors"
	"iter"
	"time"

	"sumun.dev/detect/record"
)

const (
	// maxOpen is how many files are read at once. When more than that overlap in
	// time, the records of those that come last are late.
	maxOpen = 256
	// settle is how many records of a file are held back, so that those within it
	// come in their order of time: CloudTrail does not sort its files.
	settle = 512
)

// Records reads files, in the order of time over all of them. What cannot be read
// stands in report. The iteration ends early, with its error, when ctx ends.
func Records(ctx context.Context, files []File, report *Report) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		if err := merge(ctx, files, report, func(r *record.Record) bool { return yield(r, nil) }); err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// started is a file and the time of its first record.
type started struct {
	File
	first time.Time
}

func merge(ctx context.Context, files []File, report *Report, yield func(*record.Record) bool) error {
	var waiting []started
	for _, f := range files {
		if f.Once {
			waiting = append(waiting, started{File: f})
			continue
		}
		var aside Report
		s := started{File: f}
		err := each(ctx, f, &aside, func(_ string, r *record.Record) error { s.first = r.Time; return errStop })
		if err != nil && !errors.Is(err, errStop) {
			return err
		}
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
	for n := 0; len(open) > 0 || len(waiting) > 0; {
		for len(waiting) > 0 && len(open) < maxOpen && (len(open) == 0 || !waiting[0].first.After(open[0].now.Time)) {
			o := begin(ctx, waiting[0].File, n, report)
			n++
			waiting = waiting[1:]
			if o.advance() {
				heap.Push(&open, o)
			} else if o.err != nil {
				return o.err
			}
		}
		if len(open) == 0 {
			continue
		}
		o := open[0]
		r := o.now
		if r.Time.Before(latest) {
			report.Late++
		} else {
			latest = r.Time
		}
		if o.advance() {
			heap.Fix(&open, 0)
		} else {
			heap.Pop(&open)
			if o.err != nil {
				return o.err
			}
		}
		if !yield(r) {
			return errStop
		}
	}
	return nil
}

// A reading is a file that is being read: the records that are held back, and the
// next one.
type reading struct {
	order int // of files, to decide between equal times
	now   *record.Record
	held  byTime
	next  func() (*record.Record, bool)
	stop  func()
	done  bool
	err   error
}

func begin(ctx context.Context, f File, order int, report *Report) *reading {
	o := &reading{order: order}
	o.next, o.stop = iter.Pull(func(yield func(*record.Record) bool) {
		err := each(ctx, f, report, func(_ string, r *record.Record) error {
			if !yield(r) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			o.err = err
		}
	})
	return o
}

// advance takes the next record; false at the end.
func (o *reading) advance() bool {
	for !o.done && len(o.held.all) < settle {
		r, ok := o.next()
		if !ok {
			o.done = true
			o.stop()
			break
		}
		heap.Push(&o.held, kept{r, o.held.n})
		o.held.n++
	}
	if len(o.held.all) == 0 || o.err != nil {
		return false
	}
	o.now = heap.Pop(&o.held).(kept).r
	return true
}

// kept is a record and its place in the file.
type kept struct {
	r *record.Record
	n int
}

// byTime is a heap of the records of one file.
type byTime struct {
	all []kept
	n   int
}

func (h *byTime) Len() int { return len(h.all) }
func (h *byTime) Less(i, k int) bool {
	if c := h.all[i].r.Time.Compare(h.all[k].r.Time); c != 0 {
		return c < 0
	}
	return h.all[i].n < h.all[k].n
}
func (h *byTime) Swap(i, k int) { h.all[i], h.all[k] = h.all[k], h.all[i] }
func (h *byTime) Push(x any)    { h.all = append(h.all, x.(kept)) }
func (h *byTime) Pop() any {
	last := h.all[len(h.all)-1]
	h.all[len(h.all)-1] = kept{}
	h.all = h.all[:len(h.all)-1]
	return last
}

// opened is a heap of the files that are being read.
type opened []*reading

func (h opened) Len() int { return len(h) }
func (h opened) Less(i, k int) bool {
	if c := h[i].now.Time.Compare(h[k].now.Time); c != 0 {
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
