package declared

import (
	"time"

	"sumun.dev/detect/window"
)

// A progress is how far each key has come in a sequence: the latest event of each
// step done. Of too many keys, those that were quiet longest are forgotten.
type progress struct {
	*window.Keep[string, window.Events]
	steps int
	span  time.Duration
}

func newProgress(steps int, span time.Duration) *progress {
	return &progress{window.NewKeep[string, window.Events](maxKeys), steps, span}
}

// step says that a key did step i. It returns the events of all steps when that
// was the last one, and they came within the span.
func (p *progress) step(key string, i int, e window.Event) []window.Event {
	// What is older than two spans is the beginning of nothing that may still come.
	p.Expire(func(old *window.Events) bool {
		n := len(*old)
		return n == 0 || e.At.Sub((*old)[n-1].At) > 2*p.span
	})
	at := p.Find(key)
	if at == nil {
		if i > 0 {
			return nil
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
	case i == 0 && len(done) == 1:
		done[0] = e // it begins again, later
	}
	*at = done
	if i != len(done)-1 || len(done) != p.steps {
		return nil
	}
	p.Forget(key)
	return done
}
