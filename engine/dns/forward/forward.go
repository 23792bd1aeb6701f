// Package forward asks upstream servers, and believes only what answers the question.
package forward

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	mdns "github.com/miekg/dns"

	"sumun.dev/engine/dns"
)

// A Config says whom to ask and how much at once.
type Config struct {
	Upstreams []netip.AddrPort // asked in this order; none means that every question fails
	Try       time.Duration    // for one attempt with one upstream; 0 means 1.5 s
	Total     time.Duration    // for a question; 0 means 5 s
	InFlight  int              // different questions under way; 0 means 1024
}

// A Forwarder asks upstream servers. It is safe for concurrent use.
//
// Against forged answers it has: a new socket per attempt, so that the kernel
// picks a random port, connected, so that other senders do not reach it; a
// random id from a generator that is seeded by the system and cannot be
// predicted; random letter case in the name, which the answer must repeat
// (draft-vixie-dnsext-dns0x20); TCP once a socket has seen a few answers that
// do not fit; and of the answer only the records that the question leads to
// (accept). Servers that change the letter case are asked again by TCP, not
// believed by UDP.
type Forwarder struct {
	config Config

	mu      sync.Mutex
	flights map[dns.Key]*flight
	random  *rand.ChaCha8
}

// A flight is one question under way, with all who wait for it.
type flight struct {
	done   chan struct{}
	answer *dns.Answer
	err    error
}

// ErrBusy says that as many questions are under way as may be.
var ErrBusy = errors.New("too many questions under way")

var errNone = errors.New("no upstream server is configured")

// New returns a forwarder. seed comes from crypto/rand.
func New(c Config, seed [32]byte) *Forwarder {
	if c.Try == 0 {
		c.Try = 1500 * time.Millisecond
	}
	if c.Total == 0 {
		c.Total = 5 * time.Second
	}
	if c.InFlight == 0 {
		c.InFlight = 1024
	}
	return &Forwarder{config: c, flights: map[dns.Key]*flight{}, random: rand.NewChaCha8(seed)}
}

// Ask answers the question from an upstream server. Those who ask the same at
// the same time share one attempt, which goes on when one of them gives up.
// held is asked before an attempt begins: what an attempt that ended a moment ago
// has left needs no second one. done is called once per attempt that succeeds,
// before anyone gets the answer.
func (f *Forwarder) Ask(ctx context.Context, key dns.Key, held func() *dns.Answer, done func(*dns.Answer)) (*dns.Answer, error) {
	if len(f.config.Upstreams) == 0 {
		return nil, errNone
	}
	f.mu.Lock()
	fl := f.flights[key]
	if fl == nil {
		if len(f.flights) >= f.config.InFlight {
			f.mu.Unlock()
			return nil, ErrBusy
		}
		fl = &flight{done: make(chan struct{})}
		f.flights[key] = fl
		go f.fly(key, fl, held, done)
	}
	f.mu.Unlock()
	select {
	case <-fl.done:
		return fl.answer, fl.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *Forwarder) fly(key dns.Key, fl *flight, held func() *dns.Answer, done func(*dns.Answer)) {
	ctx, cancel := context.WithTimeout(context.Background(), f.config.Total)
	defer cancel()
	if fl.answer = held(); fl.answer == nil {
		if fl.answer, fl.err = f.ask(ctx, key); fl.err == nil {
			done(fl.answer)
		}
	}
	f.mu.Lock()
	delete(f.flights, key)
	f.mu.Unlock()
	close(fl.done)
}

// ask goes round the upstreams twice.
func (f *Forwarder) ask(ctx context.Context, key dns.Key) (*dns.Answer, error) {
	var err error
	for range 2 {
		for _, server := range f.config.Upstreams {
			var a *dns.Answer
			if a, err = f.try(ctx, server, key); err == nil {
				return a, nil
			}
			if ctx.Err() != nil {
				return nil, err
			}
		}
	}
	return nil, err
}

func (f *Forwarder) try(ctx context.Context, server netip.AddrPort, key dns.Key) (*dns.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, f.config.Try)
	defer cancel()
	q := f.question(key)
	m, err := askUDP(ctx, server, q)
	if err == errAskTCP {
		m, err = askTCP(ctx, server, q)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", server, err)
	}
	a, err := accept(key, m, time.Now())
	if err != nil {
		return nil, fmt.Errorf("answer of %s: %w", server, err)
	}
	return a, nil
}

// question makes the message: random id, random letter case, recursion
// desired, no client subnet.
func (f *Forwarder) question(key dns.Key) *mdns.Msg {
	f.mu.Lock()
	id := uint16(f.random.Uint64())
	name := []byte(dns.Name(key.Name).String())
	var dice uint64
	for i, c := range name {
		if i%64 == 0 {
			dice = f.random.Uint64()
		}
		if 'a' <= c && c <= 'z' && dice>>(i%64)&1 != 0 {
			name[i] = c - 'a' + 'A'
		}
	}
	f.mu.Unlock()
	m := &mdns.Msg{
		MsgHdr:   mdns.MsgHdr{Id: id, RecursionDesired: true, CheckingDisabled: key.CD},
		Question: []mdns.Question{{Name: string(name), Qtype: key.Type, Qclass: mdns.ClassINET}},
	}
	return m.SetEdns0(receiveSize, key.DO)
}
