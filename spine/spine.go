// Package spine is the log of all that happens: append, subscribe, replay.
//
// # What is promised
//
// An event whose Publish has returned nil is durable and is delivered at least
// once to every subscription of its stream, in the order of the stream, until
// retention removes it. Retention is by policy: the oldest events go first, a new
// one is never dropped for an old one; a subscription so slow that it loses events
// this way has the gap logged.
//
// An event whose Publish failed may still be kept. An event offered twice with
// the same ID within a short while is kept once; after a crash, or from another
// node, it can be kept twice. So whoever must act once commits the Position of
// what it has read together with what it writes, and skips what it has seen.
//
// Positions of a stream only grow, even when the stream is lost and made anew.
//
// Events belong to the spine once they are published, and to all readers
// together once they are delivered: nobody changes them.
package spine

import (
	"context"
	"errors"
	"iter"
	"time"

	"sumun.dev/aws"
)

// A Spine is one log of several streams. All methods may be called at once.
type Spine interface {
	// Publish appends events and returns when they are durable. Order is kept
	// within a stream. When the queue is full it waits; a context that ends
	// makes it return early, with the event kept or not.
	Publish(ctx context.Context, events ...aws.Event) error

	// Subscribe starts to deliver a stream. stop ends it after the Handle that
	// runs, and waits for that; Handle must not call it.
	Subscribe(s Subscription) (stop func(), err error)

	// Replay reads what a stream has kept of the events that happened at since
	// or later, up to the end as it stands when the first is asked for.
	Replay(ctx context.Context, stream string, since time.Time) iter.Seq2[Delivery, error]

	// Oldest returns when the oldest was written of what a stream keeps sealed: root
	// keys of that time are needed to read it. False when it keeps nothing sealed.
	Oldest(ctx context.Context, stream string) (time.Time, bool, error)

	// Close refuses new events, writes those that wait, ends the subscriptions
	// and lets go of all resources.
	Close(ctx context.Context) error
}

// A Delivery is an event and where it stands.
type Delivery struct {
	aws.Event
	Position uint64 // grows within a stream; the same after redelivery; below 2^63
}

// A Sealer encrypts what the spine writes down. engine/seal has the real one.
type Sealer interface {
	// Seal encrypts plain and binds it to ad.
	Seal(plain, ad []byte) []byte
	// Open decrypts what Seal made with the same ad.
	Open(sealed, ad []byte) ([]byte, error)
	// Lacks reports whether something was sealed under a key that is not here. It is
	// not damaged then; readers wait for the key.
	Lacks(sealed []byte) bool
}

// Errors of every spine.
var (
	ErrClosed   = errors.New("spine: closed")
	ErrTooLarge = errors.New("spine: event is too large")
	ErrTaken    = errors.New("spine: subscription name is in use")
)

// Check refuses an event that no spine can keep: no stream, a stream name
// outside [a-z0-9-], no ID, or too large.
func Check(e *aws.Event) error {
	if err := CheckStream(e.Stream); err != nil {
		return err
	}
	if e.ID == "" {
		return errors.New("spine: event without an ID")
	}
	if e.Size() > aws.MaxEvent {
		return ErrTooLarge
	}
	return nil
}

// CheckStream refuses names outside [a-z0-9-]{1,64}: they become names of files
// and subjects.
func CheckStream(name string) error {
	if name == "" || len(name) > 64 {
		return errors.New("spine: a stream's name has 1 to 64 characters")
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errors.New("spine: a stream's name is made of a-z, 0-9 and -")
		}
	}
	return nil
}
