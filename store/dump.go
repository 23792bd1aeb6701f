package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"sumun.dev/aws"
)

// A backup is
//
//	"SUMUNBK1" · item … · end · SHA-256 of all before
//
// where an item is its length (uvarint), a kind byte and its fields, strings and
// bytes with their lengths before them, numbers as uvarints. The end is an item
// of kind kindEnd with the number of items. Rows, events and due records stay
// sealed, so a backup is as secret as the database: ids and index values are in
// clear text. The root key is not in it and has to be kept elsewhere.
const backupMagic = "SUMUNBK1"

// ErrBackup says that a file is no backup, or not a whole one.
var ErrBackup = errors.New("store: not a whole backup")

const (
	kindRow byte = iota + 1
	kindEntry
	kindRecord
	kindDue
	kindFact
	kindRevision
	kindEnd
)

// maxItem bounds what Load reads at once: a row, its seal and its names.
const maxItem = 2*MaxBatch + 64<<10

// A Dumper yields all that is kept, as of one instant: a backend, or a reader of
// what another process has open.
type Dumper interface {
	Dump(ctx context.Context, yield func(Item) error) error
}

// Dump writes all that d keeps to w, as of one instant, while others go on
// writing. Any backend can Load it.
func Dump(ctx context.Context, d Dumper, w io.Writer) error {
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
	if _, err := out.WriteString(backupMagic); err != nil {
		return err
	}
	var count uint64
	var buf []byte
	err := d.Dump(ctx, func(item Item) error {
		count++
		buf = appendItem(buf[:0], item)
		return writeItem(out, buf)
	})
	if err != nil {
		return fmt.Errorf("dump the store: %w", err)
	}
	if err := writeItem(out, binary.AppendUvarint([]byte{kindEnd}, count)); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// Restore is Load for root keys that are at hand: ErrWrongKey, which names the key
// that is missing, and nothing loaded, when the backup needs another. What was sealed
// under an earlier key is sealed again under the current one, so that the store needs
// no other; what is damaged stays as it is. When all had been sealed again under the
// backup's own key, whatever still names another is damaged too: it needs no key.
func Restore(ctx context.Context, b Backend, seal Sealer, r io.Reader) error {
	var whole bool     // all was sealed again: the note says so
	var missing string // a key that a fact before the note names
	var own string     // the backup's own key
	needs := func(id string) error {
		return fmt.Errorf("%w: the backup needs the root key with the id %s", ErrWrongKey, id)
	}
	return load(ctx, b, r, func(i *Item) error {
		if missing != "" && i.Fact == nil {
			return needs(missing)
		}
		doc, _ := i.sealed()
		if doc == nil {
			return nil
		}
		id := seal.KeyOf(*doc)
		known := id == "" || seal.Knows(id)
		switch {
		case i.Fact != nil && i.Fact.Name == KeyCheck:
			own = id
			if !known {
				return needs(id)
			}
			if err := opens(seal, i.Fact.Value); err != nil {
				return err
			}
		case known && i.Fact != nil && i.Fact.Name == keyNoteName:
			n, err := readNote(seal, i.Fact.Value)
			if whole = err == nil && n.Key == own && !n.Resealed.IsZero(); whole {
				missing = ""
			}
			return restoreNote(seal, i.Fact)
		case !known && i.Fact != nil: // facts come first, and the note among the last of them
			missing = id
			return nil
		case !known && !whole:
			return needs(id)
		}
		if again, changed := resealed(seal, i); changed {
			*doc = again
		}
		return nil
	})
}

// readNote opens what is noted of the root keys.
func readNote(seal Sealer, sealed []byte) (n keyNote, err error) {
	plain, err := seal.Open(sealed, binding(keyNoteName))
	if err == nil {
		err = json.Unmarshal(plain, &n)
	}
	return n, err
}

// restoreNote says of a store that is restored that all is sealed under the current
// key.
func restoreNote(seal Sealer, f *Fact) error {
	n, err := readNote(seal, f.Value)
	if err != nil {
		return nil // a damaged one stays as it is
	}
	current := seal.Current()
	if n.Key == current && !n.Resealed.IsZero() && seal.KeyOf(f.Value) == current {
		return nil
	}
	n.Key, n.Cursor, n.Resealed = current, Cursor{}, time.Now().UTC()
	f.Value, err = n.sealed(seal)
	return err
}

// Load fills b, which must be empty, from a backup: all of it, or nothing when
// the backup is damaged. A store opened on b then needs the root key that the
// backup's was sealed with; CheckKey tells.
func Load(ctx context.Context, b Backend, r io.Reader) error {
	return load(ctx, b, r, func(*Item) error { return nil })
}

func load(ctx context.Context, b Backend, r io.Reader, each func(*Item) error) error {
	l := &loader{sum: sha256.New(), raw: bufio.NewReaderSize(r, 64<<10)}
	magic := make([]byte, len(backupMagic))
	if err := l.read(magic); err != nil || string(magic) != backupMagic {
		return fmt.Errorf("%w: it does not begin as one", ErrBackup)
	}
	err := b.Load(ctx, func() (Item, error) {
		item, err := l.next()
		if err == nil {
			err = each(&item)
		}
		return item, err
	})
	if err != nil {
		return fmt.Errorf("load the store: %w", err)
	}
	return nil
}

func writeItem(w *bufio.Writer, b []byte) error {
	if _, err := w.Write(binary.AppendUvarint(nil, uint64(len(b)))); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

// A loader reads items and checks the sum before it says that there are no more.
type loader struct {
	raw   *bufio.Reader
	sum   hash.Hash
	count uint64
	top   uint64 // the highest revision in use
	given uint64 // the last revision given, which is the dump's last item
}

func (l *loader) read(b []byte) error {
	if _, err := io.ReadFull(l.raw, b); err != nil {
		return fmt.Errorf("%w: it ends early: %w", ErrBackup, io.ErrUnexpectedEOF)
	}
	l.sum.Write(b)
	return nil
}

// ReadByte lets binary.ReadUvarint read through the sum.
func (l *loader) ReadByte() (byte, error) {
	var b [1]byte
	err := l.read(b[:])
	return b[0], err
}

func (l *loader) next() (Item, error) {
	n, err := binary.ReadUvarint(l)
	if err != nil {
		return Item{}, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if n == 0 || n > maxItem {
		return Item{}, fmt.Errorf("%w: an item of %d bytes", ErrBackup, n)
	}
	// A length that lies must not make us allocate before the bytes are there.
	var body bytes.Buffer
	if _, err := io.CopyN(io.MultiWriter(&body, l.sum), l.raw, int64(n)); err != nil {
		return Item{}, fmt.Errorf("%w: it ends early: %w", ErrBackup, io.ErrUnexpectedEOF)
	}
	b := body.Bytes()
	if b[0] == kindEnd {
		return Item{}, l.end(b[1:])
	}
	l.count++
	item, err := readItem(b)
	switch {
	case item.Row != nil:
		l.top = max(l.top, item.Row.Rev)
	case item.Due != nil:
		l.top = max(l.top, item.Due.Fence)
	}
	l.given = max(l.given, item.Revision)
	return item, err
}

// end returns io.EOF when all has arrived as it was written.
func (l *loader) end(b []byte) error {
	count, rest, ok := cutUvarint(b)
	if !ok || len(rest) > 0 || count != l.count {
		return fmt.Errorf("%w: items are missing", ErrBackup)
	}
	if l.given < l.top {
		return fmt.Errorf("%w: revisions would be used twice", ErrBackup)
	}
	want := l.sum.Sum(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(l.raw, got); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("%w: the checksum does not match", ErrBackup)
	}
	if _, err := l.raw.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows it", ErrBackup)
	}
	return io.EOF
}

func appendItem(b []byte, item Item) []byte {
	switch {
	case item.Row != nil:
		b = appendKey(append(b, kindRow), item.Row.Key)
		b = binary.AppendUvarint(b, item.Row.Rev)
		return appendString(b, string(item.Row.Doc))
	case item.Entry != nil:
		b = appendKey(append(b, kindEntry), item.Entry.Key)
		return appendString(appendString(b, item.Entry.Index), item.Entry.Value)
	case item.Record != nil:
		b = binary.AppendUvarint(append(b, kindRecord), item.Record.Seq)
		return appendString(appendString(b, item.Record.ID), string(item.Record.Doc))
	case item.Due != nil:
		d := item.Due
		b = appendKey(append(b, kindDue), Key{d.Kind, d.Place, d.ID})
		b = binary.AppendUvarint(b, uint64(d.At.UnixNano()))
		b = binary.AppendUvarint(b, d.Fence)
		return appendString(b, string(d.Doc))
	case item.Fact != nil:
		return appendString(appendString(append(b, kindFact), item.Fact.Name), string(item.Fact.Value))
	}
	return binary.AppendUvarint(append(b, kindRevision), item.Revision)
}

func appendKey(b []byte, k Key) []byte {
	b = appendString(b, k.Table)
	b = appendString(b, string(k.Place.Account))
	b = appendString(b, string(k.Place.Region))
	return appendString(b, k.ID)
}

func readItem(b []byte) (Item, error) {
	f := fields{rest: b[1:]}
	var item Item
	switch b[0] {
	case kindRow:
		item.Row = &Row{Key: f.key(), Rev: f.number(), Doc: f.bytes()}
		f.bad = f.bad || item.Row.Rev == 0
	case kindEntry:
		item.Entry = &IndexRow{f.key(), Entrance{f.name(), f.name()}}
	case kindRecord:
		item.Record = &Record{Seq: f.number(), ID: f.name(), Doc: f.bytes()}
	case kindDue:
		k := f.key()
		d := &DueRow{DueKey: DueKey{k.Table, k.Place, k.ID}, At: f.time(), Fence: f.number(), Doc: f.bytes()}
		d.Ready = d.At // who held a lease is gone
		item.Due = d
	case kindFact:
		item.Fact = &Fact{f.name(), f.bytes()}
	case kindRevision:
		item.Revision = f.number()
	default:
		return item, fmt.Errorf("%w: an item of unknown kind %d", ErrBackup, b[0])
	}
	if f.bad || len(f.rest) > 0 {
		return item, fmt.Errorf("%w: an item of kind %d that cannot be read", ErrBackup, b[0])
	}
	return item, nil
}

// fields reads an item's fields one after the other; bad stays true after the
// first that cannot be read or kept.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) number() uint64 {
	n, rest, ok := cutUvarint(f.rest)
	if !ok || n > 1<<63-1 {
		f.bad = true
		return 0
	}
	f.rest = rest
	return n
}

func (f *fields) time() time.Time { return time.Unix(0, int64(f.number())) }

func (f *fields) bytes() []byte {
	s, rest, ok := cutString(f.rest)
	if !ok {
		f.bad = true
		return nil
	}
	f.rest = rest
	return []byte(s)
}

func (f *fields) name() string {
	s := string(f.bytes())
	if checkID("name", s) != nil {
		f.bad = true
	}
	return s
}

func (f *fields) key() Key {
	return Key{f.name(), Place{aws.Account(f.name()), aws.Region(f.name())}, f.name()}
}
