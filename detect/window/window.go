// Package window counts what happened within a span of time before now, for many keys, in bounded memory.
package window

import (
	"container/list"
	"encoding/json"
	"fmt"
	"time"
)

// A Counter counts events by key. It knows whether at least a number of them,
// or of distinct values, came within a span; more than that number it does not
// keep. When there are too many keys, those that were quiet longest are
// forgotten. It is not safe for concurrent use.
type Counter struct {
	need  int
	span  time.Duration
	most  int
	keys  map[string]*list.Element // of *counted
	quiet *list.List               // the last one was quiet longest
}

type counted struct {
	Key    string
	Events []Event // at most need, the oldest first
}

// An Event is one that is counted: when it was, and the value that makes it
// distinct.
type Event struct {
	At    time.Time `json:"t"`
	Value string    `json:"v,omitempty"`
	Note  string    `json:"n,omitempty"` // whatever whoever counts wants back
}

// New returns a Counter that knows whether need events came within span, for
// at most most keys.
func New(need int, span time.Duration, most int) *Counter {
	if need < 1 || span <= 0 || most < 1 {
		panic(fmt.Sprintf("window: need %d within %s for %d keys", need, span, most)) // a constant is wrong
	}
	return &Counter{need: need, span: span, most: most, keys: map[string]*list.Element{}, quiet: list.New()}
}

// Add counts an event of a key. Events may come out of order by less than the
// span. An event whose value is not empty counts once for as long as it is kept,
// from its last occurrence. When there are enough of them, Add returns those, the
// oldest first; they are good until the next call.
func (c *Counter) Add(key string, e Event) (enough []Event) {
	n := c.at(key)
	if e.Value != "" {
		for i := range n.Events {
			if n.Events[i].Value == e.Value {
				if e.At.Before(n.Events[i].At) {
					e.At = n.Events[i].At
				}
				n.Events = append(n.Events[:i], n.Events[i+1:]...)
				break
			}
		}
	}
	i := len(n.Events)
	for i > 0 && n.Events[i-1].At.After(e.At) {
		i--
	}
	if i == 0 && len(n.Events) == c.need {
		return nil // older than all that is needed
	}
	n.Events = append(n.Events, Event{})
	copy(n.Events[i+1:], n.Events[i:])
	n.Events[i] = e
	if len(n.Events) > c.need {
		n.Events = append(n.Events[:0], n.Events[1:]...)
	}
	if len(n.Events) == c.need && n.Events[c.need-1].At.Sub(n.Events[0].At) <= c.span {
		return n.Events
	}
	return nil
}

// Forget drops what is known of a key, so that it has to add up anew.
func (c *Counter) Forget(key string) {
	if el := c.keys[key]; el != nil {
		c.quiet.Remove(el)
		delete(c.keys, key)
	}
}

// Len returns how many keys are known.
func (c *Counter) Len() int { return len(c.keys) }

func (c *Counter) at(key string) *counted {
	if el := c.keys[key]; el != nil {
		c.quiet.MoveToFront(el)
		return el.Value.(*counted)
	}
	if len(c.keys) >= c.most {
		last := c.quiet.Back()
		c.quiet.Remove(last)
		delete(c.keys, last.Value.(*counted).Key)
	}
	n := &counted{Key: key}
	c.keys[key] = c.quiet.PushFront(n)
	return n
}

// MarshalBinary writes what is counted.
func (c *Counter) MarshalBinary() ([]byte, error) {
	all := make([]*counted, 0, len(c.keys))
	for el := c.quiet.Back(); el != nil; el = el.Prev() {
		all = append(all, el.Value.(*counted))
	}
	return json.Marshal(all)
}

// UnmarshalBinary reads what MarshalBinary wrote. What this counter does not
// need, it leaves out.
func (c *Counter) UnmarshalBinary(b []byte) error {
	var all []counted
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	c.keys, c.quiet = map[string]*list.Element{}, list.New()
	for _, k := range all {
		for _, e := range k.Events {
			c.Add(k.Key, e)
		}
	}
	return nil
}
