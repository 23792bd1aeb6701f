package store

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// A Backend is a database that keeps rows it cannot read. Ids and index values
// are valid UTF-8 without NUL and order by their bytes. A backend may keep the
// slices it is given; nobody changes them.
type Backend interface {
	// Get returns the row, with Rev 0 when there is none.
	Get(ctx context.Context, k Key) (Row, error)
	// Scan returns up to s.Limit rows of one place.
	Scan(ctx context.Context, s Scan) ([]Row, error)
	// ScanAll returns up to limit rows of a table in all places that come after
	// the key, ordered by account, region and id. The zero Key is before all.
	ScanAll(ctx context.Context, table string, after Key, limit int) ([]Row, error)
	// Commit does all that the batch says, durably, or nothing. It answers
	// ErrConflict when an expectation does not hold (ErrLost when it is a fence),
	// ErrRekeyed when the key check is another, and ErrFull when there is no space.
	// Each commit gives the rows it writes a revision that no row had before.
	Commit(ctx context.Context, b *Batch) error

	// ClaimOutbox returns up to n outbox records in the order of their commits
	// that nobody holds; they are the caller's until done, released or the lease
	// ends. A backend of one process may hold claims in memory for good, and then never
	// says Again.
	ClaimOutbox(ctx context.Context, n int, lease time.Duration) ([]Record, error)
	// DoneOutbox deletes records.
	DoneOutbox(ctx context.Context, seqs []uint64) error
	// ReleaseOutbox gives records back.
	ReleaseOutbox(ctx context.Context, seqs []uint64) error

	// NextDue returns when the next due record can be claimed; false when there is none.
	NextDue(ctx context.Context) (time.Time, bool, error)
	// ClaimDue returns up to n records that are due at now, earliest first, each
	// with a new fence. They cannot be claimed again before now+lease.
	ClaimDue(ctx context.Context, now time.Time, lease time.Duration, n int) ([]DueRow, error)

	// Fact returns a named value kept beside the rows; nil when there is none.
	Fact(ctx context.Context, name string) ([]byte, error)
	// KeepFact keeps a named value, durably, unless there is one already, and
	// returns the one that is kept.
	KeepFact(ctx context.Context, name string, value []byte) ([]byte, error)

	// Sealed returns up to limit of the sealed things of the cursor's part that come
	// after it, in an order that stays.
	Sealed(ctx context.Context, after Cursor, limit int) ([]Item, error)
	// Swap puts new sealed forms in the place of others, durably and together, and
	// changes nothing else: no revision, no fence, no claim. It leaves alone what is
	// not any more as it was said to be, or held by somebody, and says which it put.
	// It stands in the order of commits: ErrRekeyed, and nothing put, when the fact
	// KeyCheck is not check, which says under which root key the new forms are sealed.
	Swap(ctx context.Context, check []byte, swaps []Swap) ([]bool, error)

	// Dump yields all that is kept, as of one instant, while others write.
	Dump(ctx context.Context, yield func(Item) error) error
	// Load fills an empty backend with what next returns until io.EOF; any other
	// error leaves it empty. ErrNotEmpty when it holds rows, records or facts.
	Load(ctx context.Context, next func() (Item, error)) error

	// Notify sets who is told of commits by other processes. It is called once,
	// before the backend is used.
	Notify(heard func(News))
	// Close ends the backend's goroutines and lets go of its files.
	Close() error
}

// A Wiper is a backend that can be emptied at once.
type Wiper interface {
	Wipe(ctx context.Context) error
}

// A Confirmer is a backend that several processes share. Each knows until when it
// has heard of all that the others have committed.
type Confirmer interface {
	// Silence returns how long ago that was.
	Silence() time.Duration
}

// A Key names one row.
type Key struct {
	Table string
	Place Place
	ID    string
}

func (k Key) String() string { return k.Table + " " + k.Place.String() + "/" + k.ID }

// A Row is what a backend keeps under a key: a revision that is never used
// twice, and sealed bytes.
type Row struct {
	Key
	Rev uint64
	Doc []byte
}

// A Scan asks for rows of one place in the order of their ids; with an Index,
// only for those that have the value there.
type Scan struct {
	Table  string
	Place  Place
	Index  string
	Value  string
	Prefix string
	After  string // where the page before ended
	Limit  int
	Desc   bool
}

// pastAll comes after every id: ids do not begin with this noncharacter.
const pastAll = "\U0010FFFF"

// Bounds returns the ids that the scan covers: those before hi, and after lo, or
// lo itself when open is false. Both are valid UTF-8.
func (s Scan) Bounds() (lo string, open bool, hi string) {
	lo, hi = s.Prefix, prefixEnd(s.Prefix)
	switch {
	case s.After == "":
	case s.Desc:
		hi = min(hi, s.After)
	case s.After >= lo:
		lo, open = s.After, true
	}
	return lo, open, hi
}

// prefixEnd returns the least string after all that begin with prefix. It steps
// by characters, not bytes, since PostgreSQL takes valid UTF-8 only; the two
// orders are the same.
func prefixEnd(prefix string) string {
	for prefix != "" {
		r, n := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-n]
		switch {
		case r == 0xD7FF:
			return prefix + "\uE000" // the surrogates between are no characters
		case r < utf8.MaxRune:
			return prefix + string(r+1)
		}
	}
	return pastAll
}

// A Batch is what one unit of work asks of the backend.
type Batch struct {
	Expect     []Expect
	Scans      []Seen
	Writes     []Write // at most one for each key
	Outbox     []Record
	Complete   []Fence // due records done by this unit: deleted, unless scheduled anew
	Unschedule []DueKey
	Schedule   []DueRow // replaces a record of the same key

	// Check is the value that the fact KeyCheck must have, since it says which root
	// key the batch has to be sealed under; nil when nobody has looked.
	Check []byte
}

// Expect says which revision of a row the unit has read: 0 for none.
type Expect struct {
	Key
	Rev uint64
}

// Seen says what the unit saw when it scanned. The scan must give the same rows
// at commit, so nobody can have added one either.
type Seen struct {
	Scan
	Rows []SeenRow
}

// A SeenRow is a row in a scan's result.
type SeenRow struct {
	ID  string
	Rev uint64
}

// A Write puts Doc under Key, or deletes the row when Doc is nil, and changes its
// index entries.
type Write struct {
	Key
	Doc  []byte
	Drop []Entrance
	Add  []Entrance
}

// An Entrance is an index entry of a row, kept in clear text.
type Entrance struct{ Index, Value string }

// A Record is an event on its way to the spine.
type Record struct {
	Seq uint64 // given by the backend; grows with the commits
	ID  string // the event's own id
	Doc []byte

	// Again says that it was claimed before and not done: the spine may have it.
	Again bool
}

// A DueKey names a due record.
type DueKey struct {
	Kind  string
	Place Place
	ID    string
}

func (k DueKey) String() string { return k.Kind + " " + k.Place.String() + "/" + k.ID }

// A DueRow is a due record as kept. Fence changes with every claim and every
// replacement and is never used twice.
type DueRow struct {
	DueKey
	At    time.Time
	Ready time.Time // when it can be claimed: At, or the end of a lease
	Fence uint64
	Doc   []byte
}

// A Fence is the right to complete a due record: lost when it is claimed by
// someone else or replaced.
type Fence struct {
	DueKey
	Fence uint64
}

// An Item is one thing in a backup; exactly one member is set.
type Item struct {
	Row      *Row
	Entry    *IndexRow
	Record   *Record
	Due      *DueRow
	Fact     *Fact
	Revision uint64 // the last one given; the last item
}

// An IndexRow is an index entry with the row it leads to.
type IndexRow struct {
	Key
	Entrance
}

// A Fact is a named value.
type Fact struct {
	Name  string
	Value []byte
}

// News is what a backend hears of other processes.
type News struct {
	Changes []Change
	Lost    bool // news may have been missed: anything can have changed
	Outbox  bool // there are new outbox records, or leases have ended
	Due     bool // due records were scheduled
}

// checkID refuses what not every backend can keep or order.
func checkID(what, id string) error {
	switch {
	case len(id) > MaxID:
		return badID(what, id, "is longer than 2048 bytes")
	case !utf8.ValidString(id):
		return badID(what, id, "is not UTF-8")
	case strings.IndexByte(id, 0) >= 0:
		return badID(what, id, "has a NUL in it")
	case strings.HasPrefix(id, pastAll):
		return badID(what, id, "begins with U+10FFFF")
	}
	return nil
}
