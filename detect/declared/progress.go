package declared

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"sumun.dev/detect/window"
)

// A progress is how far each key has come in a sequence: the latest event of each
// step done. Of too many keys, those that were quiet longest are forgotten.
type progress struct {
	*window.Keep[string, window.Events]
	steps int
	span  time.Duration
	early early
}

// An early is what came of one moment before the steps that it follows: CloudTrail
// tells seconds, and does not say which of their calls came first.
type early struct {
	At   time.Time         `json:"t"`
	Keys map[string][]done `json:"k,omitempty"`
}

// A done is a step that came early.
type done struct {
	Step  int          `json:"s"`
	Event window.Event `json:"e"`
}

// maxEarly bounds the keys of one moment.
const maxEarly = 256

func newProgress(steps int, span time.Duration) *progress {
	return &progress{Keep: window.NewKeep[string, window.Events](maxKeys), steps: steps, span: span}
}

// step says that a key did step i. It returns the events of all steps when that
// was the last one, and they came within the span. Steps of one moment may come in
// any order.
func (p *progress) step(key string, i int, e window.Event) []window.Event {
	if !e.At.Equal(p.early.At) {
		p.early = early{At: e.At}
	}
	taken, all := p.advance(key, i, e)
	if !taken {
		p.wait(key, done{i, e})
		return nil
	}
	for all == nil {
		waiting := p.early.Keys[key]
		next := p.next(key)
		n := slices.IndexFunc(waiting, func(d done) bool { return d.Step == next && d.Event.Note != e.Note }) // one record is one step
		if n < 0 {
			return nil
		}
		e = waiting[n].Event
		p.early.Keys[key] = slices.Delete(waiting, n, n+1)
		_, all = p.advance(key, next, e)
	}
	delete(p.early.Keys, key)
	return all
}

// wait keeps a step that came before those that it follows, for the moment.
func (p *progress) wait(key string, d done) {
	waiting := p.early.Keys[key]
	if len(waiting) >= p.steps || len(waiting) == 0 && len(p.early.Keys) >= maxEarly {
		return
	}
	if p.early.Keys == nil {
		p.early.Keys = map[string][]done{}
	}
	p.early.Keys[key] = append(waiting, d)
}

// next is the step that a key has to do.
func (p *progress) next(key string) int {
	if at := p.Find(key); at != nil {
		return len(*at)
	}
	return 0
}

// advance takes a step when it is the one that a key has to do, or the first again.
func (p *progress) advance(key string, i int, e window.Event) (taken bool, all []window.Event) {
	// What is older than two spans is the beginning of nothing that may still come.
	p.Expire(func(old *window.Events) bool {
		n := len(*old)
		return n == 0 || e.At.Sub((*old)[n-1].At) > 2*p.span
	})
	at := p.Find(key)
	if at == nil {
		if i > 0 {
			return false, nil
		}
		at = p.At(key)
	}
	done := *at
	if len(done) > 0 && e.At.Sub(done[0].At) > p.span {
		done = done[:0]
	}
	switch {
	case i == len(done):
		done = append(done, e)
		taken = true
	case i == 0 && len(done) == 1:
		done[0] = e // it begins again, later
		taken = true
	}
	*at = done
	if !taken || len(done) != p.steps {
		return taken, nil
	}
	p.Forget(key)
	return true, done
}

// Held returns how many bytes of memory is taken, roughly.
func (p *progress) Held() int {
	n := 0
	for _, waiting := range p.early.Keys {
		n += 256 + 128*len(waiting)
	}
	return n + p.Keep.Held()
}

// written is a progress as it is written down.
type written struct {
	Keys  json.RawMessage `json:"keys"`
	Early early           `json:"early,omitzero"`
}

// MarshalBinary writes how far all have come.
func (p *progress) MarshalBinary() ([]byte, error) {
	keys, err := p.Keep.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return json.Marshal(written{keys, p.early})
}

// UnmarshalBinary reads what MarshalBinary wrote, also before steps could wait.
func (p *progress) UnmarshalBinary(b []byte) error {
	if bytes.HasPrefix(b, []byte("[")) {
		p.early = early{}
		return p.Keep.UnmarshalBinary(b)
	}
	var in written
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if err := p.Keep.UnmarshalBinary(in.Keys); err != nil {
		return err
	}
	for key, waiting := range in.Early.Keys {
		if len(waiting) > p.steps {
			in.Early.Keys[key] = waiting[:p.steps]
		}
	}
	p.early = in.Early
	return nil
}
