// Package window counts what happened within a span of time before now, for many keys, in bounded memory.
package window

import (
	"fmt"
	"slices"
	"time"
)

// A Counter counts events by key. It knows whether at least a number of them,
// or of distinct values, came within a span; more than that number it does not
// keep. When there are too many keys, those that were quiet longest are
// forgotten. It is not safe for concurrent use.
type Counter struct {
	need int
	span time.Duration
	keys *Keep[string, Events] // of each at most need, the oldest first
}

// An Event is one that is counted: when it was, and the value that makes it
// distinct.
type Event struct {
	At    time.Time `json:"t"`
	Value string    `json:"v,omitempty"`
	Note  string    `json:"n,omitempty"` // whatever whoever counts wants back
}

// Events are those of a key.
type Events []Event

// Weight is what they take.
func (e *Events) Weight() int { return len(*e) * 128 }

// New returns a Counter that knows whether need events came within span, for
// at most most keys.
func New(need int, span time.Duration, most int) *Counter {
	if need < 1 || span <= 0 {
		panic(fmt.Sprintf("window: need %d within %s", need, span)) // a constant is wrong
	}
	return &Counter{need: need, span: span, keys: NewKeep[string, Events](most)}
}

// Add counts an event of a key. Events may come out of order by less than the
// span. An event whose value is not empty counts once for as long as it is kept,
// from its last occurrence. When there are enough of them, Add returns those, the
// oldest first; they are good until the next call.
func (c *Counter) Add(key string, e Event) (enough []Event) {
	// What is older than two spans counts for nothing that may still come.
	c.keys.Expire(func(old *Events) bool {
		n := len(*old)
		return n == 0 || e.At.Sub((*old)[n-1].At) > 2*c.span
	})
	at := c.keys.At(key)
	events := []Event(*at)
	if e.Value != "" {
		if i := slices.IndexFunc(events, func(old Event) bool { return old.Value == e.Value }); i >= 0 {
			if e.At.Before(events[i].At) {
				e.At = events[i].At
			}
			events = slices.Delete(events, i, i+1)
		}
	}
	i := len(events)
	for i > 0 && events[i-1].At.After(e.At) {
		i--
	}
	if i == 0 && len(events) == c.need {
		return nil // older than all that is needed
	}
	events = slices.Insert(events, i, e)
	if len(events) > c.need {
		events = slices.Delete(events, 0, 1)
	}
	*at = events
	if len(events) == c.need && events[c.need-1].At.Sub(events[0].At) <= c.span {
		return events
	}
	return nil
}

// Forget drops what is known of a key, so that it has to add up anew.
func (c *Counter) Forget(key string) { c.keys.Forget(key) }

// Held returns how many bytes of memory is taken, roughly.
func (c *Counter) Held() int { return c.keys.Held() }

// Shed drops an eighth of the keys, those that were quiet longest.
func (c *Counter) Shed() { c.keys.Shed() }

// Len returns how many keys are known.
func (c *Counter) Len() int { return c.keys.Len() }

// MarshalBinary writes what is counted.
func (c *Counter) MarshalBinary() ([]byte, error) { return c.keys.MarshalBinary() }

// UnmarshalBinary reads what MarshalBinary wrote. What this counter does not
// need, it leaves out.
func (c *Counter) UnmarshalBinary(b []byte) error {
	all, err := read[string, Events](b)
	if err != nil {
		return err
	}
	c.keys = NewKeep[string, Events](c.keys.most)
	for _, k := range all {
		for _, e := range k.Value {
			c.Add(k.Key, e)
		}
	}
	return nil
}
