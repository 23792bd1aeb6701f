package plane

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store"
)

// Followers share their work by account: each share is read by one node at a time.
const (
	manyShares = 8 // of a plane of several nodes; another number makes all shares begin anew
	shareLook  = 3 * time.Second
)

// A progress is how far a share is. What its node remembers may be lost at any
// time: what stands behind Saved comes again then, and what stands up to Counted
// is remembered and not counted twice.
type progress struct {
	Owner   string // of the memory that is ahead of Saved
	Saved   uint64
	Counted uint64
}

// errMoved ends the reading of a share that somebody else has begun to read.
var errMoved = errors.New("another node reads this share")

// A share is a running reader of the events of some accounts.
type share struct {
	service.Follower
	principal string
	name      string
	at, of    int

	token   string // of memory
	owner   string // when memory was begun; token, once that is committed
	memory  service.Memory
	claimed bool          // what is committed says that token is ahead
	again   chan struct{} // memory is behind what another node has done
}

// follow begins to read a stream for a follower, in as many shares as there may be
// nodes.
func (c *core) follow(ctx context.Context, principal string, f service.Follower) {
	n := 1
	if c.clustered() {
		n = manyShares
	}
	for i := range n {
		s := &share{Follower: f, principal: principal, name: f.Name, at: i, of: n}
		if n > 1 {
			s.name = fmt.Sprintf("%s-%d-%d", f.Name, i, n)
		}
		c.loops.Go(func() { c.keepReading(ctx, s) })
	}
}

// clustered reports whether other nodes may read the same spine.
func (c *core) clustered() bool { return c.keys != nil && c.keys.nodes != nil && c.oneSpine }

// keepReading reads a share whenever it is this node's, until ctx ends.
func (c *core) keepReading(ctx context.Context, s *share) {
	for ctx.Err() == nil {
		if !c.mine(ctx, s) {
			sleep(ctx, shareLook)
			continue
		}
		stop, err := c.read(ctx, s)
		if err != nil {
			if ctx.Err() == nil {
				c.log.Warn("a share of a stream is not read yet, tries again", "reader", s.name, "error", err)
			}
			sleep(ctx, time.Second)
			continue
		}
		c.attendShare(ctx, s)
		stop()
	}
}

// attendShare returns when the reading must end or begin anew.
func (c *core) attendShare(ctx context.Context, s *share) {
	for {
		var look <-chan time.Time
		if s.of > 1 {
			look = time.After(shareLook)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.again:
			return
		case <-look:
			if !c.mine(ctx, s) {
				return
			}
		}
	}
}

// mine reports whether this node is to read a share: of all nodes that run, the one
// that the share's name and theirs choose, so that all come to the same answer.
func (c *core) mine(ctx context.Context, s *share) bool {
	if s.of == 1 {
		return true
	}
	others, err := c.roster.running(ctx, c.keys)
	if err != nil {
		return false // the store is out of reach: nothing could be written either
	}
	self := c.keys.self.id()
	for _, id := range others {
		if weight(id, s.name) > weight(self, s.name) {
			return false
		}
	}
	return true
}

func weight(node, share string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s", share, node)
	x := h.Sum64()
	x ^= x >> 33 // FNV's upper bits depend little on the last bytes
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// shareOf is the share that an account belongs to.
func shareOf(account aws.Account, of int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(account)) // never fails
	return int(h.Sum32() % uint32(of))
}

// beginShare gives a share an empty memory, and returns up to where what is saved reaches;
// 0: as far as the spine remembers.
func (c *core) beginShare(ctx context.Context, s *share) (after uint64, err error) {
	p, err := c.progressOf(ctx, s)
	if err != nil {
		return 0, err
	}
	s.token, s.memory, s.claimed, s.again = rand.Text(), s.New(), false, make(chan struct{}, 1)
	if s.owner = p.Owner; p.Owner != "" {
		return max(p.Saved, 1), nil // the spine is ahead of what is saved
	}
	return p.Saved, nil
}

// read begins to read a share.
func (c *core) read(ctx context.Context, s *share) (stop func(), err error) {
	after, err := c.beginShare(ctx, s)
	if err != nil {
		return nil, err
	}
	return c.spine.Subscribe(spine.Subscription{
		Name: s.name, Stream: s.Stream, After: after, MaxBatch: s.MaxBatch, Linger: s.Linger,
		Handle: func(ctx context.Context, batch []spine.Delivery) error {
			err := inParts(batch, func(batch []spine.Delivery) error { return c.take(ctx, s, batch, false) }, func(batch []spine.Delivery, err error) error {
				c.passOver(s.name, s.Stream, batch, err)
				return c.take(ctx, s, batch, true)
			})
			if errors.Is(err, errMoved) {
				select {
				case s.again <- struct{}{}:
				default:
				}
			}
			return err
		},
	})
}

// progressOf returns how far a share is. One that is new goes on where the consumer
// of its name was.
func (c *core) progressOf(ctx context.Context, s *share) (progress, error) {
	p, err := c.shares.Get(ctx, s.name)
	if err == nil {
		return *p, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return progress{}, err
	}
	done, err := c.marks.Get(ctx, s.Name)
	if errors.Is(err, store.ErrNotFound) {
		return progress{}, nil
	}
	if err != nil {
		return progress{}, err
	}
	return progress{Saved: done.Position, Counted: done.Position}, nil
}

// take hands a batch to a share's memory, in one unit of work with how far it is.
// Of a batch that is passed over nothing is counted.
func (c *core) take(ctx context.Context, s *share, batch []spine.Delivery, pass bool) error {
	mine := batch
	if s.of > 1 {
		mine = nil
		for i := range batch {
			if shareOf(batch[i].Account, s.of) == s.at {
				mine = append(mine, batch[i])
			}
		}
	}
	first, last := batch[0].Position, batch[len(batch)-1].Position
	err := c.store.Update(ctx, func(ctx context.Context) error {
		was, err := c.progressOf(ctx, s)
		if err != nil {
			return err
		}
		// Another node may have come between since the memory was begun, also while this
		// one stood by.
		if was.Owner != s.owner && was.Owner != s.token {
			return errMoved
		}
		is := was
		if pass {
			is.Counted = max(was.Counted, last)
		}
		empty := s.memory.Empty()
		err = unpanicked(func() error {
			saved, err := s.memory.Take(ctx, service.Batch{Events: mine, Last: last, Done: is.Counted, In: func(at store.Place) context.Context {
				return asService(ctx, s.principal, at)
			}})
			is.Saved = max(was.Saved, saved)
			return err
		})
		if err != nil {
			return err
		}
		switch {
		case s.memory.Empty():
			if last-was.Saved >= markLag {
				is.Saved = max(was.Saved, last)
			}
		case !s.claimed:
			is.Owner = s.token
			if empty { // of what came before the batch nothing is remembered
				is.Saved = max(is.Saved, first-1)
			}
		}
		if !store.UnitOf(ctx).Empty() {
			is.Counted = max(is.Counted, last)
		}
		if is == was {
			return nil
		}
		if is.Owner == s.token {
			store.AfterCommit(ctx, func() { s.claimed, s.owner = true, s.token })
		}
		return c.shares.Put(ctx, s.name, &is)
	})
	if err == nil {
		c.followed.WithLabelValues(s.name).Add(float64(len(mine)))
	}
	return err
}
