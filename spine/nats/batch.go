package nats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"sumun.dev/aws"
	"sumun.dev/spine"
)

// A stored message holds up to maxEvents events or about maxBytes, in the order
// they came: one version byte, the number of events, then each event's fields
// with their lengths before them; compressed, then sealed and bound to the stream.
const (
	version   = 1
	maxEvents = 512
	maxBytes  = 512 << 10
)

type codec struct {
	seal  spine.Sealer
	enc   *zstd.Encoder
	dec   *zstd.Decoder
	plain sync.Pool // of *[]byte: what is packed next
}

func newCodec(seal spine.Sealer) (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &codec{seal: seal, enc: enc, dec: dec, plain: sync.Pool{New: func() any { return new([]byte) }}}, nil
}

func (c *codec) pack(stream string, events []aws.Event) []byte {
	buffer := c.plain.Get().(*[]byte)
	defer c.plain.Put(buffer)
	plain := append((*buffer)[:0], version)
	plain = binary.AppendUvarint(plain, uint64(len(events)))
	for i := range events {
		plain = appendEvent(plain, &events[i])
	}
	*buffer = plain
	return c.seal.Seal(c.enc.EncodeAll(plain, make([]byte, 0, len(plain)/8+64)), c.bound(stream))
}

func (c *codec) unpack(stream string, sealed []byte) ([]aws.Event, error) {
	packed, err := c.seal.Open(sealed, c.bound(stream))
	if err != nil {
		return nil, fmt.Errorf("spine: unseal a message of %s: %w", stream, err)
	}
	plain, err := c.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("spine: unpack a message of %s: %w", stream, err)
	}
	r := reading{rest: plain}
	if v := r.uvarint(); v != version {
		return nil, fmt.Errorf("spine: a message of %s has version %d, this program knows %d", stream, v, version)
	}
	n := r.uvarint()
	if n > maxEvents {
		return nil, errDamaged
	}
	events := make([]aws.Event, n)
	for i := range events {
		r.event(stream, &events[i])
	}
	if r.bad || len(r.rest) != 0 {
		return nil, errDamaged
	}
	return events, nil
}

func (c *codec) bound(stream string) []byte { return []byte("spine|" + stream) }

var errDamaged = errors.New("spine: a stored message is damaged")

func appendEvent(b []byte, e *aws.Event) []byte {
	b = appendString(b, e.ID)
	b = appendString(b, e.Type)
	b = appendString(b, string(e.Account))
	b = appendString(b, string(e.Region))
	b = binary.AppendVarint(b, e.Time.UnixNano())
	b = binary.AppendUvarint(b, uint64(len(e.Attrs)))
	for k, v := range e.Attrs {
		b = appendString(appendString(b, k), v)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Data)))
	return append(b, e.Data...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reading takes fields off rest; bad tells that some were not there.
type reading struct {
	rest []byte
	bad  bool
}

func (r *reading) event(stream string, e *aws.Event) {
	e.Stream = stream
	e.ID = string(r.bytes())
	e.Type = string(r.bytes())
	e.Account = aws.Account(r.bytes())
	e.Region = aws.Region(r.bytes())
	e.Time = time.Unix(0, r.varint()).UTC()
	if n := r.uvarint(); n > 0 && n <= uint64(len(r.rest)) {
		e.Attrs = make(map[string]string, n)
		for range n {
			k := string(r.bytes())
			e.Attrs[k] = string(r.bytes())
		}
	}
	e.Data = r.bytes()
}

func (r *reading) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *reading) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *reading) skip(n int) {
	if n <= 0 {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

// bytes shares the array of the message: events are never changed.
func (r *reading) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
