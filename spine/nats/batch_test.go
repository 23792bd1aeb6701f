package nats

import (
	"reflect"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/spine/spinetest"
)

// bare seals nothing, so that the fuzzer reaches what is below.
type bare struct{}

func (bare) Seal(plain, _ []byte) []byte          { return plain }
func (bare) Open(plain, _ []byte) ([]byte, error) { return plain, nil }

func TestPackKeepsEvents(t *testing.T) {
	c, err := newCodec(spinetest.Sealer(key))
	if err != nil {
		t.Fatal(err)
	}
	events := spinetest.Events("dns", 0, maxEvents)
	for i := range events {
		events[i].Time = events[i].Time.Round(0).UTC()
	}
	packed := c.pack("dns", events)
	got, err := c.unpack("dns", packed)
	if err != nil || !reflect.DeepEqual(got, events) {
		t.Errorf("%d events came back, %v", len(got), err)
	}
	if _, err := c.unpack("trail", packed); err == nil {
		t.Error("a message of one stream was read as one of another")
	}
	for _, i := range []int{0, len(packed) / 2, len(packed) - 1} {
		packed[i] ^= 1
		if _, err := c.unpack("dns", packed); err == nil {
			t.Errorf("a message with byte %d changed was read", i)
		}
		packed[i] ^= 1
	}
}

func FuzzUnpack(f *testing.F) {
	c, err := newCodec(bare{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.pack("dns", []aws.Event{{ID: "a", Time: time.Unix(1, 0)}, spinetest.Event("dns", 1)}), false)
	f.Add([]byte{version, 2, 1, 'a'}, true)
	f.Fuzz(func(_ *testing.T, b []byte, plain bool) {
		if plain { // below the compression
			b = c.enc.EncodeAll(b, nil)
		}
		_, _ = c.unpack("dns", b)
	})
}

// Lacks is false: there are no keys.
func (bare) Lacks([]byte) bool { return false }
