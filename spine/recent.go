package spine

import "hash/maphash"

// Recent remembers the latest event IDs, so that an event offered again is kept
// once. It holds between Window and 2 × Window of them, as 128-bit hashes:
// about 1 MiB when full. It is not safe for concurrent use.
type Recent struct {
	seeds    [2]maphash.Seed
	now, old map[[2]uint64]struct{}
}

// Window is how many IDs a Recent remembers at least, once it has seen them.
const Window = 16 << 10

// NewRecent returns an empty memory.
func NewRecent() *Recent {
	return &Recent{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		now:   map[[2]uint64]struct{}{},
	}
}

// Has reports whether id was added lately.
func (r *Recent) Has(id string) bool {
	k := r.key(id)
	if _, ok := r.now[k]; ok {
		return true
	}
	_, ok := r.old[k]
	return ok
}

// Add remembers id.
func (r *Recent) Add(id string) {
	if len(r.now) >= Window {
		r.old, r.now = r.now, make(map[[2]uint64]struct{}, Window)
	}
	r.now[r.key(id)] = struct{}{}
}

func (r *Recent) key(id string) [2]uint64 {
	return [2]uint64{maphash.String(r.seeds[0], id), maphash.String(r.seeds[1], id)}
}
