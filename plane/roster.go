package plane

import (
	"context"
	"sync"
	"time"
)

// How often a node says that it runs, after what silence the others do its work, and
// how old what they know of each other may be. The lease of the spine's reader comes
// on top (spine/nats): a node that died is replaced within half a minute.
const (
	nodeSays   = 3 * time.Second
	nodeSilent = 12 * time.Second
	rosterAge  = time.Second
)

// A roster is which other nodes run: those that go on saying so. What their clocks
// show does not count once they were heard.
type roster struct {
	mu    sync.Mutex
	asked time.Time
	heard map[string]heard // by id
}

// A heard is what a node said last, and when that was by this process's clock.
type heard struct{ said, at time.Time }

// running returns the ids of the other nodes that run.
func (r *roster) running(ctx context.Context, k *Keys) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.asked) >= rosterAge {
		nodes, err := k.others(ctx, nodeForgot)
		r.take(now, nodes, err)
		if err != nil {
			return nil, err
		}
	}
	return r.alive(), nil
}

func (r *roster) alive() (ids []string) {
	for id, h := range r.heard {
		if r.asked.Sub(h.at) < nodeSilent {
			ids = append(ids, id)
		}
	}
	return ids
}

// take notes what the nodes say now. One that is new to this process runs if it spoke
// lately. While nobody can be heard, nobody falls silent.
func (r *roster) take(now time.Time, nodes []Node, err error) {
	was := r.heard
	r.heard = map[string]heard{}
	if err != nil {
		for id, h := range was {
			if r.asked.Sub(h.at) < nodeSilent {
				h.at = now
			}
			r.heard[id] = h
		}
		return
	}
	r.asked = now
	for _, n := range nodes {
		h, known := was[n.id()]
		switch {
		case !known && now.Sub(n.Seen) < nodeGone, known && !h.said.Equal(n.Seen):
			h.at = now
		case !known:
			h.at = now.Add(-nodeSilent)
		}
		h.said = n.Seen
		r.heard[n.id()] = h
	}
}
