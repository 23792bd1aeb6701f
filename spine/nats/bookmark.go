package nats

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A bookmark is how far a subscription has read, and which node reads it: one
// message per subscription in a stream that keeps only the newest of each. It is
// written with the revision that it replaces, so that of two nodes that both
// believe to be the reader only one goes on.
type bookmark struct {
	spine    *Spine
	name     string
	revision uint64 // sequence of the message; 0: there is none
	node     [8]byte
	position uint64
}

// behind is how long the bookmark lags behind what was read.
const behind = 250 * time.Millisecond

var errOvertaken = errors.New("spine: another node reads this subscription")

func (b *bookmark) subject() string { return b.spine.Prefix + ".bookmarks." + b.name }
func (b *bookmark) bound() []byte   { return []byte("spine-bookmark|" + b.name) }

// load reads the bookmark; one that cannot be read counts as none.
func (b *bookmark) load(ctx context.Context) error {
	js, err := b.spine.bookmarks(ctx)
	if err != nil {
		return err
	}
	msg, err := js.GetLastMsgForSubject(ctx, b.subject())
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		b.revision, b.node, b.position = 0, [8]byte{}, 0
		return nil
	}
	if err != nil {
		return err
	}
	b.revision, b.node, b.position = msg.Sequence, [8]byte{}, 0
	plain, err := b.spine.Seal.Open(msg.Data, b.bound())
	if err != nil || len(plain) != 16 {
		b.spine.Log.Error("spine: a bookmark cannot be read, the subscription begins anew", "subscription", b.name, "error", err)
		return nil
	}
	copy(b.node[:], plain)
	b.position = binary.BigEndian.Uint64(plain[8:])
	return nil
}

// save writes the bookmark for node, which is zero when the reader leaves.
func (b *bookmark) save(ctx context.Context, node [8]byte, position uint64) error {
	plain := binary.BigEndian.AppendUint64(node[:], position)
	msg := &nats.Msg{Subject: b.subject(), Data: b.spine.Seal.Seal(plain, b.bound())}
	ack, err := b.spine.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(b.revision), jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return errOvertaken
	}
	if err != nil {
		return err
	}
	b.revision, b.node, b.position = ack.Sequence, node, position
	return nil
}

// claim returns when this node is the reader.
func (b *bookmark) claim(ctx context.Context) error {
	for {
		if err := b.load(ctx); err != nil {
			return err
		}
		if b.spine.URL == "" { // inside this process nobody else can be reading
			b.node = b.spine.node
			return nil
		}
		if b.node != [8]byte{} && b.node != b.spine.node {
			seen := b.revision
			if err := pause(ctx, b.spine.lease); err != nil {
				return err
			}
			if err := b.load(ctx); err != nil {
				return err
			}
			if b.revision != seen {
				continue
			}
		}
		err := b.save(ctx, b.spine.node, b.position)
		if !errors.Is(err, errOvertaken) {
			return err
		}
	}
}

// bookmarks makes the stream of bookmarks, or finds it.
func (s *Spine) bookmarks(ctx context.Context) (jetstream.Stream, error) {
	s.marksMu.Lock()
	defer s.marksMu.Unlock()
	if s.marks != nil {
		return s.marks, nil
	}
	js, err := s.makeStream(ctx, jetstream.StreamConfig{
		Name:              s.Prefix + "-bookmarks",
		Subjects:          []string{s.Prefix + ".bookmarks.*"},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardOld,
		MaxMsgsPerSubject: 1,
		MaxBytes:          16 << 20,
		Replicas:          s.Replicas,
		AllowDirect:       false, // asks the leader: a claim must see the newest
	})
	if err != nil {
		return nil, err
	}
	s.marks = js
	return js, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
