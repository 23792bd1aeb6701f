package gateway

import (
	"sync"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// What the gate remembers of decided calls, each of denials and of the others: so
// many calls, and so many bytes of what they asked.
const (
	rememberedCalls = 1024
	rememberedBytes = 8 << 20
)

// A memory holds what went into the newest decisions, so that they can be made
// again by policy.Explain. Denials have a ring of their own: allowed traffic does
// not push them out.
type memory struct {
	mu              sync.Mutex
	denied, allowed ring
}

// A recollection is what went into the decisions about one call. Nothing of it
// changes: calls, touches and policies are immutable once they are decided about.
type recollection struct {
	call    *aws.Call
	about   *wire.Meta
	touches []wire.Touch
	own     *policy.Policies
	mine    *policy.Membership
	theirs  []*policy.Membership
	err     *aws.Error
	size    int
}

// ring keeps the newest of what is put in. It grows to its bound and stays there.
type ring struct {
	kept  []recollection
	next  int // where the oldest is, once all places are taken
	bytes int
}

// note remembers a call whose touches were decided about.
func (m *memory) note(d *deed) {
	if len(d.touches) == 0 {
		return
	}
	r := recollection{d.call, d.about, d.touches, d.own, d.mine, d.theirs, d.err, weight(d)}
	if r.size > rememberedBytes/16 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.denied {
		m.denied.put(r)
		return
	}
	m.allowed.put(r)
}

// find returns the call with this request id; the newest denial when id is empty.
func (m *memory) find(id string) (recollection, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.denied.find(id); ok || id == "" {
		return r, ok
	}
	return m.allowed.find(id)
}

func (r *ring) put(c recollection) {
	if len(r.kept) < rememberedCalls {
		r.kept = append(r.kept, c)
		r.bytes += c.size
	} else {
		r.bytes += c.size - r.kept[r.next].size
		r.kept[r.next] = c
		r.next = (r.next + 1) % rememberedCalls
	}
	for i := r.next; r.bytes > rememberedBytes; i = (i + 1) % len(r.kept) {
		r.bytes -= r.kept[i].size
		r.kept[i] = recollection{}
	}
}

func (r *ring) find(id string) (recollection, bool) {
	for n := range r.kept {
		c := &r.kept[(r.next+len(r.kept)-1-n)%len(r.kept)]
		if c.call != nil && (id == "" || c.call.RequestID == id) {
			return *c, true
		}
	}
	return recollection{}, false
}

// weight is about how many bytes a call's recollection keeps from being freed.
func weight(d *deed) int {
	n := 512 + len(d.call.UserAgent) + len(d.call.Host) + len(d.call.Referer)
	for i := range d.touches {
		t := &d.touches[i]
		n += 256 + len(t.Resource.Resource) + len(t.Policy)
		for key, all := range t.Conditions {
			n += 64 + len(key)
			for _, v := range all {
				n += 16 + len(v)
			}
		}
		for key, v := range t.Tags {
			n += 64 + len(key) + len(v)
		}
	}
	return n
}
