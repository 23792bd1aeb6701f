package plane

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"sumun.dev/service"
	"sumun.dev/store"
)

const (
	jobsAtOnce = 16               // due records run at the same time
	jobLease   = 30 * time.Second // after which another node may take over
	jobLongest = 25 * time.Second // for one run: under the lease
	retryFirst = time.Second
	retryMost  = 5 * time.Minute
)

// A job is a service's work of one kind.
type job struct {
	service.Job
	principal string
}

// schedule runs what falls due, until ctx ends. It sleeps until the next due
// record, or until the store says that an earlier one has come. What it has
// claimed by then it still does, under work, so that no lease keeps the next
// process or another node waiting.
func (c *core) schedule(ctx, work context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, jobsAtOnce)
	for {
		dues, wait, err := c.nextDues(ctx, jobsAtOnce)
		if ctx.Err() != nil && len(dues) == 0 {
			return
		}
		if err != nil {
			c.log.Warn("due records cannot be read, tries again", "error", err)
			wait = 5 * time.Second
		}
		for _, due := range dues {
			select {
			case slots <- struct{}{}:
			case <-work.Done():
				return
			}
			running.Go(func() {
				defer func() { <-slots }()
				c.run(work, due)
			})
		}
		if len(dues) == 0 && !c.waitForDue(ctx, wait) {
			return
		}
	}
}

// nextDues claims what is due now. When nothing is, it says how long to wait: a
// negative time is until the store speaks.
func (c *core) nextDues(ctx context.Context, n int) ([]store.Due, time.Duration, error) {
	dues, err := c.store.ClaimDue(ctx, time.Now(), jobLease, n)
	if err != nil || len(dues) > 0 {
		return dues, 0, err
	}
	at, some, err := c.store.NextDue(ctx)
	if err != nil {
		return nil, 0, err
	}
	if !some {
		return nil, -1, nil
	}
	return nil, max(time.Until(at), 0), nil
}

func (c *core) waitForDue(ctx context.Context, wait time.Duration) bool {
	var timer <-chan time.Time
	if wait >= 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.store.DueReady():
	case <-timer:
	}
	return true
}

// run does one due record: the work and the record's end are one commit. What
// fails is put off, longer each time.
func (c *core) run(ctx context.Context, due store.Due) {
	job, ok := c.jobs[due.Kind]
	if !ok {
		c.log.Error("nobody knows how to do a due record; it stays", "kind", due.Kind, "id", due.ID)
		return
	}
	ctx = asService(ctx, job.principal, due.Place)
	run, cancel := context.WithTimeout(ctx, jobLongest)
	defer cancel()
	err := c.store.Update(run, func(ctx context.Context) error {
		store.Complete(ctx, due)
		return unpanicked(func() error { return job.Run(ctx, due) })
	})
	if err == nil || errors.Is(err, store.ErrLost) || ctx.Err() != nil {
		return // done, or done by somebody else, or to be claimed again when the lease ends
	}
	wait := min(retryFirst<<min(due.Attempt, 12), retryMost)
	c.log.Warn("due work failed, tries again", "kind", due.Kind, "id", due.ID, "attempt", due.Attempt+1, "pause", wait, "error", err)
	// The run's time may be what was up; the lease is not yet.
	putOff, cancel := context.WithTimeout(ctx, jobLease-jobLongest)
	defer cancel()
	err = c.store.Update(putOff, func(ctx context.Context) error {
		store.Complete(ctx, due)
		again := due
		again.At, again.Attempt = time.Now().Add(wait), due.Attempt+1
		store.Schedule(ctx, again)
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrLost) {
		c.log.Warn("due work could not be put off; its lease ends", "kind", due.Kind, "id", due.ID, "error", err)
	}
}

// unpanicked turns a panic of a job or a consumer into its failure: one record
// must not stop all, nor end the plane each time it starts.
func unpanicked(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}
