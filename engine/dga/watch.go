package dga

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

// A Watch judges clients by the domains that they ask for: those that do not exist,
// since of an algorithm's domains hardly any is registered, and all. It remembers the
// last 30 distinct domains of a client, of an hour. Their scores add up; when they are
// enough, the client is taken to ask for an algorithm's domains until it has not done so
// for an hour. Memory is bounded: the clients that were quiet longest are forgotten. The
// zero Watch is not ready: see NewWatch. It is safe for concurrent use.
type Watch struct {
	shards [64]shard
	most   int // clients of a shard
}

// What domains have to tell together.
const (
	Recent  = 30        // domains of a client that count
	span    = time.Hour // for which they do
	clamp   = 4.0       // bounds what one tells: domains of one kind are no independent witnesses
	enough  = 8.0       // the sum of their scores
	missing = 5         // distinct domains that do not exist, at least
	fewest  = 12        // distinct domains, at least

	// Of so many distinct domains that do not exist, most are made of words: whoever
	// mistypes, or goes after dead links, asks for all kinds.
	gone, mostGone = 10, 0.8
)

// A Kind is what domains are made of.
type Kind int

// The kinds.
const (
	OfLetters Kind = iota
	OfWords
	kinds
)

// Scores are those of a domain's label: of Model for letters, of Dictionary for words.
type Scores [kinds]float32

// ScoresOf scores a label with the built-in model and dictionary.
func ScoresOf(label string) Scores {
	return Scores{float32(Default().Score(label)), float32(Words().Score(label))}
}

type shard struct {
	mu      sync.Mutex
	clients map[uint64]*list.Element // of *client
	quiet   *list.List               // the last one was quiet longest
}

type client struct {
	id    uint64
	asked []asked      // the oldest first
	until [kinds]int64 // seconds; the client is known until then
}

type asked struct {
	domain  uint32
	at      uint32 // seconds
	scores  Scores
	missing bool
}

// NewWatch returns a Watch for about as many clients.
func NewWatch(clients int) *Watch {
	w := &Watch{most: max(1, clients/len((&Watch{}).shards))}
	w.Forget()
	return w
}

// Forget drops all that was seen.
func (w *Watch) Forget() {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		s.clients, s.quiet = map[uint64]*list.Element{}, list.New()
		s.mu.Unlock()
	}
}

// Ask sees that a client asks for a domain, by hashes of both, and reports of what kind the
// domains are that the client is known to ask for.
func (w *Watch) Ask(id uint64, domain uint32, scores Scores, at time.Time) (known [kinds]bool) {
	s := &w.shards[id%uint64(len(w.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.client(id, w.most)
	now := at.Unix()
	if i := c.find(domain); i < 0 || now-int64(c.asked[i].at) > int64(span/time.Second) {
		c.asked = slices.DeleteFunc(c.asked, func(a asked) bool { return a.domain == domain || now-int64(a.at) > int64(span/time.Second) })
		if len(c.asked) >= Recent {
			c.asked = slices.Delete(c.asked, 0, 1)
		}
		c.asked = append(c.asked, asked{domain: domain, at: uint32(now), scores: scores})
		c.judge(now)
	}
	for k := range known {
		if known[k] = now < c.until[k]; known[k] && scores[k] > 0 {
			c.until[k] = now + int64(span/time.Second)
		}
	}
	return known
}

// Missing tells that a domain which Ask has seen does not exist.
func (w *Watch) Missing(id uint64, domain uint32, at time.Time) {
	s := &w.shards[id%uint64(len(w.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	el := s.clients[id]
	if el == nil {
		return
	}
	c := el.Value.(*client)
	if i := c.find(domain); i >= 0 && !c.asked[i].missing {
		c.asked[i].missing = true
		c.judge(at.Unix())
	}
}

// client finds a client, or begins to remember it.
func (s *shard) client(id uint64, most int) *client {
	if el := s.clients[id]; el != nil {
		s.quiet.MoveToFront(el)
		return el.Value.(*client)
	}
	if s.quiet.Len() >= most {
		el := s.quiet.Back()
		delete(s.clients, el.Value.(*client).id)
		s.quiet.Remove(el)
	}
	c := &client{id: id}
	s.clients[id] = s.quiet.PushFront(c)
	return c
}

func (c *client) find(domain uint32) int {
	for i := len(c.asked) - 1; i >= 0; i-- {
		if c.asked[i].domain == domain {
			return i
		}
	}
	return -1
}

// judge adds up.
func (c *client) judge(now int64) {
	var all, absent Scores
	n, ofWords := 0, 0
	for i := range c.asked {
		a := &c.asked[i]
		if a.missing {
			n++
			if a.scores[OfWords] > Unknown {
				ofWords++
			}
		}
		for k := range a.scores {
			x := max(-clamp, min(clamp, a.scores[k]))
			all[k] += x
			if a.missing {
				absent[k] += x
			}
		}
	}
	for k := range all {
		if n >= missing && absent[k] >= enough || len(c.asked) >= fewest && all[k] >= enough ||
			Kind(k) == OfWords && n >= gone && float64(ofWords) >= mostGone*float64(n) {
			c.until[k] = now + int64(span/time.Second)
		}
	}
}

// Len returns how many clients are remembered.
func (w *Watch) Len() (n int) {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		n += len(s.clients)
		s.mu.Unlock()
	}
	return n
}
