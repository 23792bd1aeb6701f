package resolver

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sumun.dev/engine/dns"
)

// A QueryLog takes the query log, in batches of up to 1,024 records in the order of
// the answers. It may take its time: records wait meanwhile, and when too many
// do, queries wait. A batch that it refuses with an error comes again, after a
// pause that grows to 5 s. It must not keep the slice. Calls do not overlap.
type QueryLog interface {
	Log(ctx context.Context, batch []QueryRecord) error
}

// A pending is what a record is made of, outside the query's way.
type pending struct {
	at     time.Time
	host   *host
	from   netip.AddrPort
	tcp    bool
	name   dns.Name
	qtype  uint16
	rcode  int
	answer *dns.Answer // nil for none
	rule   *rule       // nil for none
	reign  uint64      // of the log's place
}

// tell logs what is about to be answered, unless the same was lately.
func (s *Server) tell(d *desk, a arrival, h *host, r *rule, found *dns.Answer, rcode int) {
	if s.log == nil {
		return
	}
	q := &d.query
	ttl := uint32(0)
	if found != nil {
		ttl = found.Left(a.at)
	}
	mark := s.log.seen.mark(a.from.Addr(), q.Name(), q.Type, rcode, r)
	if !s.log.seen.first(mark, a.at.Unix(), ttl) {
		return
	}
	s.log.put(pending{
		at: a.at, host: h, from: a.from, tcp: a.tcp, name: slices.Clone(q.Name()), qtype: q.Type,
		rcode: rcode, answer: found, rule: r, reign: s.log.reign.Load(),
	})
}

// A logQueue holds what is not yet logged, and one goroutine that hands it on.
type logQueue struct {
	log     QueryLog
	seen    *seen
	journal *slog.Logger
	stats   *stats

	mu    sync.Mutex
	queue []pending
	bound int
	space chan struct{} // closed when the queue has been taken

	ready chan struct{} // holds one token when the queue may have something
	stop  chan struct{}
	done  chan struct{}
	once  sync.Once

	handing chan struct{} // holds one token while a batch is handed on
	reign   atomic.Uint64 // grows when the log's place is another; what was queued before is dropped

	ctx    context.Context // ends when Close has waited long enough
	giveUp context.CancelFunc
}

func newLogQueue(log QueryLog, bound int, journal *slog.Logger, st *stats) *logQueue {
	ctx, cancel := context.WithCancel(context.Background())
	l := &logQueue{
		log: log, seen: newSeen(), journal: journal, stats: st, bound: bound,
		space: make(chan struct{}), ready: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}), handing: make(chan struct{}, 1), ctx: ctx, giveUp: cancel,
	}
	go l.run()
	return l
}

// put queues a record; when the queue is full it waits. Nothing is dropped
// before the queue has ended.
func (l *logQueue) put(p pending) {
	waited := false
	for {
		l.mu.Lock()
		if len(l.queue) < l.bound {
			l.queue = append(l.queue, p)
			l.mu.Unlock()
			select {
			case l.ready <- struct{}{}:
			default:
			}
			return
		}
		space := l.space
		l.mu.Unlock()
		if !waited {
			waited = true
			l.stats.logWaits.Add(1)
		}
		select {
		case <-space:
		case <-l.done:
			l.stats.logLost.Add(1)
			return
		}
	}
}

// maxBatch is how many records the log gets at once.
const maxBatch = 1024

func (l *logQueue) run() {
	defer close(l.done)
	var taken []pending
	for {
		stopped := false
		select {
		case <-l.ready:
		case <-l.stop:
			stopped = true
		}
		taken = l.take(taken)
		for batch := range slices.Chunk(taken, maxBatch) {
			l.deliver(batch)
		}
		if stopped && len(taken) == 0 {
			return
		}
	}
}

// take empties the queue, and leaves the old slice in its place.
func (l *logQueue) take(old []pending) []pending {
	clear(old)
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.queue
	l.queue = old[:0]
	close(l.space)
	l.space = make(chan struct{})
	return taken
}

// deliver hands a batch on, however often it takes.
func (l *logQueue) deliver(batch []pending) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		n, err := l.hand(batch)
		if err == nil {
			l.stats.logged.Add(uint64(n))
			return
		}
		l.stats.logErrors.Add(1)
		l.journal.Error("query log refused records; they come again", "records", n, "error", err)
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
			l.stats.logLost.Add(uint64(n))
			return
		}
	}
}

// hand logs what of the batch belongs to the log's place, and says how much that is.
func (l *logQueue) hand(batch []pending) (int, error) {
	l.handing <- struct{}{}
	defer func() { <-l.handing }()
	records := make([]QueryRecord, 0, len(batch))
	for i := range batch {
		if batch[i].reign == l.reign.Load() {
			records = append(records, batch[i].record())
		}
	}
	if len(records) == 0 {
		return 0, nil
	}
	return len(records), l.log.Log(l.ctx, records)
}

// close hands on what is queued, and ends. When ctx ends before, the rest is lost and counted.
func (l *logQueue) close(ctx context.Context) error {
	l.once.Do(func() { close(l.stop) })
	select {
	case <-l.done:
	case <-ctx.Done():
		l.giveUp()
		<-l.done
	}
	l.giveUp()
	if lost := l.stats.logLost.Load(); lost > 0 {
		return fmt.Errorf("%d query records were not logged", lost)
	}
	return nil
}
