package plane

import (
	"context"
	"errors"

	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store"
)

// A mark is how far a consumer has read its stream. It is committed with what
// the consumer wrote, so that a redelivered event is not handled twice.
type mark struct{ Position uint64 }

// subscribe lets a service's consumer read its stream.
func (c *core) subscribe(ctx context.Context, principal string, consumer service.Consumer) error {
	done, err := c.marks.Get(ctx, consumer.Name)
	if errors.Is(err, store.ErrNotFound) {
		done = &mark{}
	} else if err != nil {
		return err
	}
	stop, err := c.spine.Subscribe(spine.Subscription{
		Name: consumer.Name, Stream: consumer.Stream, After: done.Position, MaxBatch: consumer.MaxBatch, Linger: consumer.Linger,
		Handle: func(ctx context.Context, batch []spine.Delivery) error {
			return c.consumeInParts(ctx, principal, consumer, batch)
		},
	})
	if err != nil {
		return err
	}
	c.stops = append(c.stops, stop)
	return nil
}

// consumeInParts handles a batch; when that is more than one unit of work may
// write, it handles its halves.
func (c *core) consumeInParts(ctx context.Context, principal string, consumer service.Consumer, batch []spine.Delivery) error {
	return inParts(batch, func(batch []spine.Delivery) error { return c.consume(ctx, principal, consumer, batch) }, func(batch []spine.Delivery, err error) error {
		c.passOver(consumer.Name, consumer.Stream, batch, err)
		pass := service.Consumer{Name: consumer.Name, Handle: func(context.Context, []aws.Event) error { return nil }}
		return c.consume(ctx, principal, pass, batch)
	})
}

// inParts handles a batch, or its halves when that is more than one unit of work
// may write. An event that is too much by itself is passed over: all that comes
// after it would wait for ever.
func inParts(batch []spine.Delivery, handle func([]spine.Delivery) error, pass func([]spine.Delivery, error) error) error {
	err := handle(batch)
	if !errors.Is(err, store.ErrTooLarge) {
		return err
	}
	half := len(batch) / 2
	if half == 0 {
		return pass(batch, err)
	}
	if err := inParts(batch[:half], handle, pass); err != nil {
		return err
	}
	return inParts(batch[half:], handle, pass)
}

// passOver tells in the log what nobody reads.
func (c *core) passOver(reader, stream string, batch []spine.Delivery, err error) {
	c.log.Error("an event is more than its reader can write at once; it is passed over", "reader", reader, "stream", stream,
		"event", batch[0].ID, "position", batch[0].Position, "error", err)
}

// markLag is how far a consumer that writes nothing may be ahead of its mark: a
// quiet one reads no more than this again when the plane starts. On the durable
// spine it is 1,000 messages, whose number stands above 16 bits for the event in it.
const markLag = 1000 << 16

// consume handles a batch in one unit of work. When the consumer writes nothing,
// neither does the mark, as long as it lags little: to handle such events again
// does no harm.
func (c *core) consume(ctx context.Context, principal string, consumer service.Consumer, batch []spine.Delivery) error {
	return c.store.Update(ctx, func(ctx context.Context) error {
		done, err := c.marks.Get(ctx, consumer.Name)
		if errors.Is(err, store.ErrNotFound) {
			done = &mark{}
		} else if err != nil {
			return err
		}
		for _, group := range byPlace(batch, done.Position) {
			if err := unpanicked(func() error { return consumer.Handle(asService(ctx, principal, group.at), group.events) }); err != nil {
				return err
			}
		}
		last := batch[len(batch)-1].Position
		if last <= done.Position || store.UnitOf(ctx).Empty() && last-done.Position < markLag {
			return nil
		}
		return c.marks.Put(ctx, consumer.Name, &mark{Position: last})
	})
}

type placed struct {
	at     store.Place
	events []aws.Event
}

// byPlace groups the events after position by account and region, in order.
func byPlace(batch []spine.Delivery, position uint64) []placed {
	var groups []placed
	index := map[store.Place]int{}
	for i := range batch {
		if batch[i].Position <= position {
			continue
		}
		at := store.Place{Account: batch[i].Account, Region: batch[i].Region}
		n, ok := index[at]
		if !ok {
			n = len(groups)
			index[at] = n
			groups = append(groups, placed{at: at, events: make([]aws.Event, 0, (len(batch)-i)/(n+1))})
		}
		groups[n].events = append(groups[n].events, batch[i].Event)
	}
	return groups
}
