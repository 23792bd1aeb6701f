package nats

import (
	"sync"

	"sumun.dev/aws"
)

// late holds the newest messages of a stream as events, so that its readers,
// who usually are close behind, neither unseal nor unpack them each for itself.
type late struct {
	mu   sync.Mutex
	ring [16]struct {
		seq    uint64
		events []aws.Event
	}
}

func (l *late) put(seq uint64, events []aws.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slot := &l.ring[seq%uint64(len(l.ring))]
	slot.seq, slot.events = seq, events
}

func (l *late) get(seq uint64) ([]aws.Event, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slot := &l.ring[seq%uint64(len(l.ring))]
	return slot.events, slot.seq == seq && slot.events != nil
}
