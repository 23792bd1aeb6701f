package guardduty

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"sumun.dev/aws"
	"sumun.dev/detect"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/record"
	"sumun.dev/finding"
	"sumun.dev/service"
	"sumun.dev/spine"
	"sumun.dev/store"
)

// Bounds of what is saved, and when.
const (
	saveEvents  = 10_000           // judged since
	saveAfter   = 30 * time.Second // but never more than a fiftieth of the time
	saveShare   = 50
	savePart    = 512 << 10 // bytes of a row's
	saveAccount = 32 << 20  // of an account
	saveAtOnce  = 24 << 20  // of one unit of work; an account that has more comes alone
	loadAccount = 1 << 30   // unpacked
	maxAccounts = 1024      // in memory, once they are saved
)

// A watcher judges the events of one stream and of the accounts of one share. What
// the engine remembers of each account is saved now and then; findings are kept at
// once, with the position in the stream. So after a crash the events since are
// judged again, to be remembered, and what is found by them is not counted twice.
type watcher struct {
	s      *Service
	stream string
	read   func(*aws.Event, func(*record.Record)) error

	engine   *detect.Engine // nil before the first record: where nobody is watched, rules cost nothing
	accounts map[aws.Account]*remembered
	waiting  []suspected                         // found, and not yet kept
	kin      func(owner, other aws.Account) bool // of one organization, for the batch

	toSave []aws.Account // what a saving still has to save
	saveTo uint64        // position up to which all is saved then
	judged int           // since the last saving
	saved  time.Time     // when the last saving began
	took   time.Duration // of the last saving
}

// A remembered is how much of the stream the engine has seen of an account.
type remembered struct {
	position uint64
	dirty    bool // more than is saved
	recent   recent
}

// A suspected is what was suspicious about an event.
type suspected struct {
	position uint64
	place    store.Place
	what     finding.Suspicion
}

// A remains is the head of what is saved of an account and a stream.
type remains struct {
	Position uint64
	Recent   []byte
	Parts    int
}

// A part is some of what is saved, compressed.
type part struct{ Data []byte }

func (s *Service) newWatcher(stream string, read func(*aws.Event, func(*record.Record)) error) *watcher {
	return &watcher{s: s, stream: stream, read: read, accounts: map[aws.Account]*remembered{}, saved: time.Now()}
}

// Empty reports whether nothing is remembered.
func (m *watcher) Empty() bool { return len(m.accounts) == 0 }

// Take judges events, keeps what is found, and saves what is remembered when it is
// time.
func (m *watcher) Take(ctx context.Context, b service.Batch) (uint64, error) {
	watching := map[store.Place]*detector{}
	where := places{m.s, map[aws.Account][]store.Place{}}
	m.kin = m.s.kinship(store.Outside(ctx))
	if m.engine != nil && m.s.net != nil {
		m.engine.Locate(m.s.net())
	}
	for i := range b.Events {
		e := &b.Events[i]
		concerned, err := where.at(store.Outside(ctx), e)
		if err != nil {
			return 0, err
		}
		var by []watched
		for _, place := range concerned {
			d, asked := watching[place]
			if !asked {
				if d, err = m.s.watching(b.In(place), place); err != nil {
					return 0, err
				}
				watching[place] = d
			}
			if d != nil && !e.Time.Before(d.Created) {
				by = append(by, watched{place, d})
			}
		}
		if len(by) == 0 {
			continue
		}
		if err := m.judge(ctx, e, by, b.Done); err != nil {
			return 0, err
		}
	}
	if err := m.keep(ctx, b, watching); err != nil {
		return 0, err
	}
	return m.save(ctx, b.Last)
}

// A watched is a place and the detector that is enabled there.
type watched struct {
	place store.Place
	by    *detector
}

// watching returns the detector that is enabled in a place, nil for none, once the
// place's lists are at hand.
func (s *Service) watching(ctx context.Context, place store.Place) (*detector, error) {
	d, err := s.detector(ctx)
	if err != nil || d == nil || !d.Enabled {
		return nil, err
	}
	_, err = s.listsOf(place)
	return d, err
}

// judge lets the engine see an event that it has not seen. A record that cannot be
// read, or that a rule cannot bear, is counted and skipped, so that it does not keep
// the others waiting for ever.
func (m *watcher) judge(ctx context.Context, e *spine.Delivery, by []watched, done uint64) error {
	a, err := m.account(ctx, e.Account)
	if err != nil || e.Position <= a.position {
		return err
	}
	a.position, a.dirty = e.Position, true
	m.judged++
	if !a.recent.add(e.ID) {
		return nil
	}
	if err := m.see(e, by, done); err != nil {
		m.s.counts.malformed.Add(1)
		m.s.env.Log.Warn("a record cannot be judged, is skipped", "stream", e.Stream, "event", e.ID, "position", e.Position, "skipped", m.s.Malformed(), "error", err)
	}
	return nil
}

func (m *watcher) see(e *spine.Delivery, by []watched, done uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return m.read(&e.Event, func(r *record.Record) {
		covering := slices.DeleteFunc(slices.Clone(by), func(w watched) bool { return !w.by.covers(r) })
		if len(covering) == 0 {
			return
		}
		r.Account, r.Region = covering[0].place.Account, covering[0].place.Region
		if r.Origin = (record.Origin{File: e.Stream, Line: r.Origin.Line, Offset: int64(e.Position)}); r.ID == "" {
			r.ID = e.ID
		}
		m.engine.See(r, func(s finding.Suspicion) {
			if e.Position <= done {
				return
			}
			for _, w := range covering {
				m.waiting = append(m.waiting, suspected{e.Position, w.place, s})
			}
		})
		m.engine.Learn(r)
	})
}

// keep adds what was found up to the end of a batch to findings. What is not
// committed is found waiting when the events come again.
func (m *watcher) keep(ctx context.Context, b service.Batch, watching map[store.Place]*detector) error {
	by := map[store.Place][]finding.Suspicion{}
	var order []store.Place
	for _, w := range m.waiting {
		if w.position > b.Last || w.position <= b.Done || watching[w.place] == nil {
			continue
		}
		if by[w.place] == nil {
			order = append(order, w.place)
		}
		by[w.place] = append(by[w.place], w.what)
	}
	for _, place := range order {
		if err := m.s.keep(b.In(place), watching[place], by[place], false); err != nil {
			return err
		}
	}
	if len(m.waiting) > 0 {
		store.AfterCommit(ctx, func() {
			m.waiting = slices.DeleteFunc(m.waiting, func(w suspected) bool { return w.position <= b.Last })
		})
	}
	return nil
}

// account returns how much was seen of an account; of one that is not in memory,
// what is saved is taken up.
func (m *watcher) account(ctx context.Context, account aws.Account) (*remembered, error) {
	if a := m.accounts[account]; a != nil {
		return a, nil
	}
	if m.engine == nil {
		m.engine = detect.NewEngine(detect.Options{
			Lists: func(account aws.Account, region aws.Region) intel.Lists {
				return m.s.book.At(store.Place{Account: account, Region: region})
			},
			Kin:   func(owner, other aws.Account) bool { return m.kin(owner, other) },
			Apart: true,
		})
		if m.s.net != nil {
			m.engine.Locate(m.s.net())
		}
	}
	a := &remembered{}
	// What the unit of work relies on is how far the share is, not this.
	content, head, err := m.s.load(store.Outside(ctx), m.stream, account)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case errors.Is(err, errSpoilt) || err == nil && len(content) > 0 && m.engine.Load(account, content) != nil:
		m.s.env.Log.Error("what was remembered of an account cannot be read; it is learnt anew", "account", account, "stream", m.stream, "error", err)
	case err != nil:
		return nil, err
	default:
		a.position, a.recent = head.Position, readRecent(head.Recent)
	}
	m.accounts[account] = a
	return a, nil
}

// save writes what is remembered of the accounts that have something new, when it
// is time, as much at once as a unit of work holds.
func (m *watcher) save(ctx context.Context, last uint64) (uint64, error) {
	// After a batch that was too much for one unit, more is judged than is kept: saved
	// now, the rest would never be found again.
	if slices.ContainsFunc(m.waiting, func(w suspected) bool { return w.position > last }) {
		return 0, nil
	}
	now := time.Now()
	if len(m.toSave) == 0 {
		if m.judged == 0 || m.judged < saveEvents && now.Sub(m.saved) < max(saveAfter, saveShare*m.took) {
			return 0, nil
		}
		m.saveTo, m.saved, m.took, m.judged = last, now, 0, 0
		for account, a := range m.accounts {
			if a.dirty {
				m.toSave = append(m.toSave, account)
			}
		}
		slices.Sort(m.toSave)
	}
	size, n := 0, 0
	for n < len(m.toSave) && size < saveAtOnce {
		account := m.toSave[n]
		content, err := m.engine.Save(account)
		if err != nil {
			return 0, err
		}
		packed := m.s.packer.pack().EncodeAll(content, nil)
		if len(packed) > saveAccount {
			m.s.env.Log.Error("what is remembered of an account is more than is saved; it is learnt anew", "account", account, "stream", m.stream, "bytes", len(packed))
			m.engine.Forget(account)
			packed = nil
		}
		if n > 0 && size+len(packed) > saveAtOnce {
			break
		}
		size += len(packed)
		n++
		if err := m.s.store(ctx, m.stream, account, m.accounts[account], packed); err != nil {
			return 0, err
		}
	}
	m.took += time.Since(now)
	store.AfterCommit(ctx, func() {
		for _, account := range m.toSave[:n] {
			m.accounts[account].dirty = false
		}
		if m.toSave = m.toSave[n:]; len(m.toSave) == 0 {
			m.makeRoom()
		}
	})
	if n < len(m.toSave) {
		return 0, nil
	}
	return m.saveTo, nil
}

// makeRoom drops accounts that are saved when too many are in memory.
func (m *watcher) makeRoom() {
	for account, a := range m.accounts {
		if len(m.accounts) <= maxAccounts {
			return
		}
		if !a.dirty {
			m.engine.Forget(account)
			delete(m.accounts, account)
		}
	}
}

// A packer compresses what is saved; it is made when something is.
type packer struct {
	pack   func() *zstd.Encoder
	unpack func() *zstd.Decoder
}

func newPacker() packer {
	return packer{
		sync.OnceValue(func() *zstd.Encoder {
			z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
			if err != nil {
				panic(err) // an option is wrong
			}
			return z
		}),
		sync.OnceValue(func() *zstd.Decoder {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(loadAccount))
			if err != nil {
				panic(err) // an option is wrong
			}
			return z
		}),
	}
}

// errSpoilt says that what is saved of an account is damaged.
var errSpoilt = errors.New("guardduty: what is saved cannot be read")

// load reads what is saved of an account and a stream.
func (s *Service) load(ctx context.Context, stream string, account aws.Account) ([]byte, *remains, error) {
	at := store.Place{Account: account}
	head, err := s.remains.In(at).Get(ctx, stream)
	if err != nil {
		return nil, nil, err
	}
	var packed []byte
	for n := range head.Parts {
		p, err := s.parts.In(at).Get(ctx, pieceKey(stream, n))
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCorrupt) {
			return nil, nil, fmt.Errorf("%w: %w", errSpoilt, err)
		}
		if err != nil {
			return nil, nil, err
		}
		packed = append(packed, p.Data...)
	}
	content, err := s.packer.unpack().DecodeAll(packed, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errSpoilt, err)
	}
	return content, head, nil
}

// store replaces what is saved of an account and a stream.
func (s *Service) store(ctx context.Context, stream string, account aws.Account, a *remembered, packed []byte) error {
	at := store.Place{Account: account}
	was, err := s.remains.In(at).Get(ctx, stream)
	if errors.Is(err, store.ErrNotFound) {
		was = &remains{}
	} else if err != nil {
		return err
	}
	is := remains{Position: a.position, Recent: a.recent.bytes()}
	for p := range slices.Chunk(packed, savePart) {
		if err := s.parts.In(at).Put(ctx, pieceKey(stream, is.Parts), &part{p}); err != nil {
			return err
		}
		is.Parts++
	}
	for n := is.Parts; n < was.Parts; n++ {
		if err := s.parts.In(at).Delete(ctx, pieceKey(stream, n)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return s.remains.In(at).Put(ctx, stream, &is)
}
