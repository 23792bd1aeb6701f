package postgres

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"sumun.dev/store"
)

// maxPayload is a little under what NOTIFY takes: 8000 bytes.
// PostgreSQL documentation, NOTIFY.
const maxPayload = 7900

// news is what other nodes are told of a transaction.
type news struct {
	Node    string         `json:"n"`
	Changes []store.Change `json:"c,omitempty"`
	Outbox  bool           `json:"o,omitempty"`
	Due     bool           `json:"d,omitempty"`
	Lost    bool           `json:"l,omitempty"` // too much to tell
	Beat    int64          `json:"b,omitempty"` // nothing has happened: the node hears itself by it
}

func (n *news) add(b *store.Batch) {
	for _, w := range b.Writes {
		n.Changes = append(n.Changes, store.Change{Table: w.Table, Place: w.Place, ID: w.ID})
	}
	n.Outbox = n.Outbox || len(b.Outbox) > 0
	n.Due = n.Due || len(b.Schedule) > 0
}

// announce queues the notification; it is sent with the commit, or not at all.
func (w *writer) announce(b *pgx.Batch, n news) {
	n.Node = w.node
	b.Queue(`SELECT pg_notify($1, $2)`, w.channel, n.payload())
}

// payload is the news in as much detail as fits: rows, or tables, or that there is some.
func (n news) payload() string {
	if len(n.Changes) <= maxPayload/40 {
		if b, err := json.Marshal(n); err == nil && len(b) <= maxPayload {
			return string(b)
		}
	}
	tables := map[string]bool{}
	for _, c := range n.Changes {
		tables[c.Table] = true
	}
	n.Changes = nil
	for table := range tables {
		n.Changes = append(n.Changes, store.Change{Table: table})
	}
	if b, err := json.Marshal(n); err == nil && len(b) <= maxPayload {
		return string(b)
	}
	b, _ := json.Marshal(news{Node: n.Node, Lost: true}) // two fields that always encode
	return string(b)
}

// How often a node says something to hear itself, how long it waits for that
// before it takes the connection for broken, and how long a new one may take. A
// node that is cut off for a moment is back before store.MaxSilence is over.
const (
	beatEvery = time.Second
	deafAfter = 2500 * time.Millisecond
	dialTime  = 2 * time.Second
)

// ears listen to the other nodes, and to this one's own voice: PostgreSQL delivers
// notifications in the order of their commits, so a node that hears what it said
// at some time has heard all that was committed before. PostgreSQL documentation, NOTIFY.
type ears struct {
	dial    func(context.Context) (*pgx.Conn, error)
	beat    func(ctx context.Context, payload string) error
	channel string
	node    string
	stop    context.CancelFunc
	done    sync.WaitGroup

	began     time.Time
	confirmed atomic.Int64 // nanoseconds since began: all that was committed until then was heard of
}

func (e *ears) silence() time.Duration {
	return time.Since(e.began) - time.Duration(e.confirmed.Load())
}

// confirm notes that all that was committed at that time was heard of.
func (e *ears) confirm(at int64) {
	for {
		was := e.confirmed.Load()
		if at <= was || e.confirmed.CompareAndSwap(was, at) {
			return
		}
	}
}

func (e *ears) now() int64 { return int64(time.Since(e.began)) }

// speak beats until ctx ends. What cannot be said is not heard: silence tells.
func (e *ears) speak(ctx context.Context) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		say, cancel := context.WithTimeout(ctx, dialTime)
		text, _ := json.Marshal(news{Node: e.node, Beat: e.now()}) // two fields that always encode
		_ = e.beat(say, string(text))
		cancel()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (e *ears) listen(heard func(store.News)) {
	e.close() // whoever listened before
	ctx, cancel := context.WithCancel(context.Background())
	e.stop = cancel
	e.done.Go(func() { e.speak(ctx) })
	e.done.Go(func() {
		for pause := time.Duration(0); ctx.Err() == nil; pause = min(pause+100*time.Millisecond, time.Second) {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			if e.hear(ctx, heard) {
				pause = 0
			}
		}
	})
}

func (e *ears) close() {
	if e.stop != nil {
		e.stop()
		e.done.Wait()
	}
}

// hear listens until the connection ends and reports whether it had one. What was
// said before it listened is lost, so it begins by saying so.
func (e *ears) hear(ctx context.Context, heard func(store.News)) bool {
	begin, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := e.dial(begin)
	if err != nil {
		return false
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(begin, "LISTEN "+pgx.Identifier{e.channel}.Sanitize()); err != nil {
		return false
	}
	at := e.now()
	heard(store.News{Lost: true})
	e.confirm(at)
	for {
		wait, cancel := context.WithTimeout(ctx, deafAfter)
		note, err := conn.WaitForNotification(wait)
		cancel()
		if err != nil {
			return true
		}
		var n news
		if err := json.Unmarshal([]byte(note.Payload), &n); err != nil {
			n = news{Lost: true} // from another version: anything can have changed
		}
		switch {
		case n.Node == e.node && n.Beat > 0:
			e.confirm(n.Beat)
		case n.Beat > 0: // another node's
		case n.Node != e.node:
			heard(store.News{Changes: n.Changes, Outbox: n.Outbox, Due: n.Due, Lost: n.Lost})
		}
	}
}

// wake calls somebody at one moment, the earliest that was asked for.
type wake struct {
	mu    sync.Mutex
	call  func()
	timer *time.Timer
	when  time.Time
}

func (w *wake) set(call func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.call = call
}

func (w *wake) at(when time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.call == nil || w.timer != nil && !w.when.After(when) {
		return
	}
	w.halt()
	w.when = when
	w.timer = time.AfterFunc(time.Until(when), func() {
		w.mu.Lock()
		w.timer = nil
		call := w.call
		w.mu.Unlock()
		if call != nil {
			call()
		}
	})
}

func (w *wake) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.call = nil
	w.halt()
}

func (w *wake) halt() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}
