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

// Add remembers id, and reports whether it was new.
func (r *Recent) Add(id string) bool {
	k := r.key(id)
	if _, ok := r.now[k]; ok {
		return false
	}
	if _, ok := r.old[k]; ok {
		return false
	}
	if len(r.now) >= Window {
		r.old, r.now = r.now, make(map[[2]uint64]struct{}, Window)
	}
	r.now[k] = struct{}{}
	return true
}

// Forget takes back what Add has remembered lately.
func (r *Recent) Forget(id string) {
	k := r.key(id)
	delete(r.now, k)
	delete(r.old, k)
}

func (r *Recent) key(id string) [2]uint64 {
	return [2]uint64{maphash.String(r.seeds[0], id), maphash.String(r.seeds[1], id)}
}
