package gateway

import (
	"context"
	"sync"

	"sumun.dev/aws"
)

// turns lets calls that fight over a record come one after another. Calls that do
// not fight never wait here: only who has met conflicts takes a turn.
type turns struct {
	mu    sync.Mutex
	lines map[lineKey]*line
}

// A lineKey is where calls fight: those of one account's service in one region.
type lineKey struct {
	account aws.Account
	region  aws.Region
	service string
}

type line struct {
	turn    chan struct{} // holds one while somebody has the turn
	waiting int           // in the line, with who has the turn
}

// wait returns when it is the call's turn; done ends it.
func (t *turns) wait(ctx context.Context, c *aws.Call) (done func(), err error) {
	key := lineKey{c.Account, c.Region, c.Service}
	t.mu.Lock()
	l := t.lines[key]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		if t.lines == nil {
			t.lines = map[lineKey]*line{}
		}
		t.lines[key] = l
	}
	l.waiting++
	t.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; t.leave(key, l) }, nil
	case <-ctx.Done():
		t.leave(key, l)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(key lineKey, l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.waiting--; l.waiting == 0 {
		delete(t.lines, key)
	}
}
