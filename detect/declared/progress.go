package declared

import (
	"container/list"
	"encoding/json"
	"fmt"
	"time"

	"sumun.dev/detect/window"
)

// A progress is how far each key has come in a sequence. Of too many keys, those
// that were quiet longest are forgotten.
type progress struct {
	steps int
	span  time.Duration
	keys  map[string]*list.Element // of *walk
	quiet *list.List
}

// A walk is how far a key has come: the latest event of each step done.
type walk struct {
	Key  string
	Done []window.Event
}

func newProgress(steps int, span time.Duration) *progress {
	return &progress{steps: steps, span: span, keys: map[string]*list.Element{}, quiet: list.New()}
}

// step says that a key did step i. It returns the events of all steps when that
// was the last one, and they came within the span.
func (p *progress) step(key string, i int, e window.Event) []window.Event {
	el := p.keys[key]
	if el == nil {
		if i > 0 {
			return nil
		}
		if len(p.keys) >= maxKeys {
			last := p.quiet.Back()
			p.quiet.Remove(last)
			delete(p.keys, last.Value.(*walk).Key)
		}
		el = p.quiet.PushFront(&walk{Key: key})
		p.keys[key] = el
	}
	p.quiet.MoveToFront(el)
	w := el.Value.(*walk)
	if len(w.Done) > 0 && e.At.Sub(w.Done[0].At) > p.span {
		w.Done = w.Done[:0]
	}
	if i > len(w.Done) {
		return nil
	}
	if i < len(w.Done) {
		if i == 0 && len(w.Done) == 1 {
			w.Done[0] = e // it begins again, later
		}
		return nil
	}
	w.Done = append(w.Done, e)
	if len(w.Done) < p.steps {
		return nil
	}
	done := w.Done
	p.quiet.Remove(el)
	delete(p.keys, key)
	return done
}

// MarshalBinary writes how far all have come.
func (p *progress) MarshalBinary() ([]byte, error) {
	all := make([]*walk, 0, len(p.keys))
	for el := p.quiet.Back(); el != nil; el = el.Prev() {
		all = append(all, el.Value.(*walk))
	}
	return json.Marshal(all)
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (p *progress) UnmarshalBinary(b []byte) error {
	var all []*walk
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("sequence: %w", err)
	}
	p.keys, p.quiet = map[string]*list.Element{}, list.New()
	for _, w := range all {
		if w != nil && len(w.Done) < p.steps && len(p.keys) < maxKeys {
			p.keys[w.Key] = p.quiet.PushFront(w)
		}
	}
	return nil
}
