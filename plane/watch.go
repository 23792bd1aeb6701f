package plane

import (
	"context"
	"iter"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// Events reads what a stream of the spine has kept of the events since a time, up
// to its end.
func (p *Plane) Events(ctx context.Context, stream string, since time.Time) iter.Seq2[aws.Event, error] {
	return func(yield func(aws.Event, error) bool) {
		for d, err := range p.current.Load().spine.Replay(ctx, stream, since) {
			if !yield(d.Event, err) {
				return
			}
		}
	}
}

// Watch shows every event of a stream to f, one after the other, until stop. The
// name is the watcher's own.
func (p *Plane) Watch(stream, name string, f func(aws.Event)) (stop func(), err error) {
	return p.current.Load().spine.Subscribe(spine.Subscription{
		Name: name, Stream: stream,
		Handle: func(_ context.Context, batch []spine.Delivery) error {
			for i := range batch {
				f(batch[i].Event)
			}
			return nil
		},
	})
}
