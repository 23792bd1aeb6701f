package tunnel

import (
	"bytes"
	"container/list"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sumun.dev/engine/dga"
	"sumun.dev/engine/dns"
)

// A Watch judges questions while they are asked, before they are answered. It
// remembers a Zone for each client and registered domain. What was found to be a
// tunnel stays one until its client leaves it alone for an hour: all that the client
// asks for below the mouth, the name that its data stood before. Memory is bounded;
// of what is too much, those that were quiet longest are forgotten. The zero Watch is
// not ready: see NewWatch. It is safe for concurrent use.
type Watch struct {
	seed   maphash.Seed
	shards [64]shard
	most   int                           // bytes of a shard's zones
	mouths atomic.Int64                  // known to all shards
	looked [1 << 10]atomic.Pointer[look] // at names, by hash
}

const (
	hold     = time.Hour
	perZone  = 320    // bytes that a zone takes with its places in map and list
	perName  = 64     // bytes that a name takes, and its address
	perMouth = 100    // bytes that a mouth takes
	perShard = 1 << 8 // mouths of a shard
)

// A shard has the clients whose hashes are alike.
type shard struct {
	mu     sync.Mutex
	zones  map[uint64]*list.Element // of *watched, by client and registered domain
	quiet  *list.List               // the last one was quiet longest
	held   int                      // bytes
	mouths map[uint64]*mouth        // by client and name
}

type watched struct {
	Zone

	key   uint64
	held  int
	mouth dns.Name // that all data stood before
}

type mouth struct {
	level Level
	until int64 // seconds
}

// NewWatch returns a Watch that takes about size bytes at most for zones.
func NewWatch(size int) *Watch {
	w := &Watch{seed: maphash.MakeSeed(), most: max(size/len((&Watch{}).shards), perZone+Kept*perName)}
	w.Forget()
	return w
}

// Forget drops all that was seen.
func (w *Watch) Forget() {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		w.mouths.Add(-int64(len(s.mouths)))
		s.zones, s.quiet, s.held, s.mouths = map[uint64]*list.Element{}, list.New(), 0, map[uint64]*mouth{}
		s.mu.Unlock()
	}
}

// A look is what a name carries. It never changes.
type look struct {
	name       dns.Name
	rare       bool // asked for in a type that only tunnels ask for
	octets     int
	registered uint64 // hash of the domain
	sub        string // what stands before it
	mouth      dns.Name
}

// look looks at a name, or remembers what it saw.
func (w *Watch) look(n dns.Name, k Kind) *look {
	slot := &w.looked[maphash.Bytes(w.seed, n)%uint64(len(w.looked))]
	if l := slot.Load(); l != nil && l.rare == (k == Rare) && bytes.Equal(l.name, n) {
		return l
	}
	l := &look{name: slices.Clone(n), rare: k == Rare}
	domain := strings.TrimSuffix(n.String(), ".")
	if registered, sub, octets := carried(domain, k); octets > 0 && !dga.Internal(domain) {
		l.octets, l.registered, l.sub, l.mouth = octets, maphash.String(w.seed, registered), sub, mouthOf(l.name, registered, k)
	}
	slot.Store(l)
	return l
}

// A Sight is a question that Ask has seen. The zero Sight is of one without data.
type Sight struct {
	client, key uint64
	name        uint32
	data        bool
}

// Carries reports whether the question has data, so that its answer matters.
func (s Sight) Carries() bool { return s.data }

// Ask sees a question, and says how sure it is that it goes through a tunnel. client is
// a hash of who asks. The same question again changes nothing.
func (w *Watch) Ask(client uint64, n dns.Name, qtype uint16, at time.Time) (Level, Sight) {
	k := KindOfType(qtype)
	known := None
	if w.mouths.Load() > 0 {
		if known = w.below(client, n, at.Unix()); known == High {
			return High, Sight{}
		}
	}
	if !Carries(n, k) {
		return known, Sight{}
	}
	l := w.look(n, k)
	if l.octets == 0 {
		return known, Sight{}
	}
	seen := Sight{client, mix(client, l.registered), HashOf([]byte(l.sub)), true}
	s := w.shard(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.zone(seen.key)
	if !z.Add(at, l.sub, l.octets, k, uint32(qtype)) {
		i := z.find(seen.name) // elsewhere only its numbers differ from another's
		seen.data = i >= 0 && !z.Names[i].answered
		return known, seen
	}
	if len(z.Names) == 1 {
		z.mouth = l.mouth
	} else {
		z.mouth = z.mouth.Last(min(z.mouth.Common(n), l.mouth.Labels()))
	}
	s.weigh(z, w.most)
	if level := z.Level(); level > known {
		w.opened(s, mix(client, maphash.Bytes(w.seed, z.mouth)), level, at.Unix())
		known = level
	}
	return known, seen
}

// Answered tells the first address of the answer to a question that Ask has seen, none
// when there is none. A name that was answered with a loopback address does not count:
// so answer those who are asked whether something is on a list of theirs. Who gets data
// may answer so, too, so that names count whatever the answer when they carry more than
// it takes to name something.
func (w *Watch) Answered(seen Sight, address netip.Addr) {
	if !seen.data {
		return
	}
	s := w.shard(seen.client)
	s.mu.Lock()
	defer s.mu.Unlock()
	el := s.zones[seen.key]
	if el == nil {
		return
	}
	z := el.Value.(*watched)
	i := z.find(seen.name)
	if i < 0 {
		return
	}
	if address.IsLoopback() && z.Names[i].Octets <= mostLookedUp {
		z.Names = slices.Delete(z.Names, i, i+1)
	} else if z.Names[i].answered = true; address.IsValid() {
		z.Zone.Answered(seen.name, address)
	}
	s.weigh(z, w.most)
}

func (w *Watch) shard(client uint64) *shard { return &w.shards[client%uint64(len(w.shards))] }

// zone finds a zone, or makes it.
func (s *shard) zone(key uint64) *watched {
	if el := s.zones[key]; el != nil {
		s.quiet.MoveToFront(el)
		return el.Value.(*watched)
	}
	z := &watched{key: key}
	s.zones[key] = s.quiet.PushFront(z)
	return z
}

// weigh counts what a zone has come to take, and drops others for it.
func (s *shard) weigh(z *watched, most int) {
	s.held -= z.held
	z.held = perZone + perName*len(z.Names)
	s.held += z.held
	for s.held > most && s.quiet.Len() > 1 {
		el := s.quiet.Back()
		old := el.Value.(*watched)
		s.held -= old.held
		s.quiet.Remove(el)
		delete(s.zones, old.key)
	}
}

// below says what is known of the names above n, and that the tunnel is in use.
func (w *Watch) below(client uint64, n dns.Name, now int64) (level Level) {
	s := w.shard(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mouths) == 0 {
		return None
	}
	for p := n.Parent(); len(p) > 1; p = p.Parent() {
		key := mix(client, maphash.Bytes(w.seed, p))
		switch m := s.mouths[key]; {
		case m == nil:
		case now >= m.until:
			delete(s.mouths, key)
			w.mouths.Add(-1)
		default:
			m.until = now + int64(hold/time.Second)
			level = max(level, m.level)
		}
	}
	return level
}

// opened remembers a mouth.
func (w *Watch) opened(s *shard, key uint64, level Level, now int64) {
	m := s.mouths[key]
	if m == nil {
		if len(s.mouths) >= perShard {
			w.close(s)
		}
		m = &mouth{}
		s.mouths[key] = m
		w.mouths.Add(1)
	}
	m.level, m.until = max(m.level, level), now+int64(hold/time.Second)
}

// close forgets the mouth of a shard that was left alone longest.
func (w *Watch) close(s *shard) {
	var oldest uint64
	first := true
	for key, m := range s.mouths {
		if first || m.until < s.mouths[oldest].until {
			oldest, first = key, false
		}
	}
	delete(s.mouths, oldest)
	w.mouths.Add(-1)
}

// mouthOf returns the name that the data in n stands before.
func mouthOf(n dns.Name, registered string, k Kind) dns.Name {
	least := strings.Count(registered, ".") + 1
	mouth := n.Last(least)
	for left := n.Labels(); left > least; left-- {
		if data(strings.TrimSuffix(dns.Name(n[:1+n[0]]).String(), "."), k) {
			mouth = n.Parent()
		}
		n = n.Parent()
	}
	return mouth
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1b54a32d192ed03)
	return hi ^ lo ^ bits.RotateLeft64(a, 23)
}

// Held returns how many bytes of memory is taken, roughly.
func (w *Watch) Held() (n int) {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		n += s.held + perMouth*len(s.mouths)
		s.mu.Unlock()
	}
	return n
}
