package guardduty

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// recent are the latest events of an account, by their ids: after a crash the spine
// may keep an event twice, which happened once. The zero value is empty.
type recent struct {
	ring []uint64 // the oldest is at next, once it is full
	next int
	seen map[uint64]struct{}
}

// maxRecent is more than the events whose keeping a crash can leave in doubt.
const maxRecent = 1024

// add notes an event, and reports whether it is new.
func (r *recent) add(id string) bool {
	sum := sha256.Sum256([]byte(id))
	return r.put(binary.BigEndian.Uint64(sum[:]))
}

func (r *recent) put(n uint64) bool {
	if _, ok := r.seen[n]; ok {
		return false
	}
	if r.seen == nil {
		r.seen = map[uint64]struct{}{}
	}
	r.seen[n] = struct{}{}
	if len(r.ring) < maxRecent {
		r.ring = append(r.ring, n)
		return true
	}
	delete(r.seen, r.ring[r.next])
	r.ring[r.next] = n
	r.next = (r.next + 1) % maxRecent
	return true
}

// bytes writes them down, the oldest first.
func (r *recent) bytes() []byte {
	out := make([]byte, 0, 8*len(r.ring))
	for _, n := range slices.Concat(r.ring[r.next:], r.ring[:r.next]) {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	return out
}

// readRecent reads what bytes wrote.
func readRecent(b []byte) recent {
	var r recent
	for ; len(b) >= 8; b = b[8:] {
		r.put(binary.BigEndian.Uint64(b))
	}
	return r
}
