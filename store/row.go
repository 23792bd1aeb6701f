package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// plain is a row before it is sealed: its JSON, and the index entries that lead
// to it. They stand in the row so that they can be taken away again, whatever
// the index function has become since, and be checked when an index led here.
type plain struct {
	index []Entrance
	json  []byte
}

const plainVersion = 1

// openRow returns nil for a row that is not there.
func (s *Store) openRow(ctx context.Context, row Row) (*plain, error) {
	if row.Rev == 0 {
		return nil, nil
	}
	b, err := s.open(ctx, row.Doc, rowData(row.Key))
	if errors.Is(err, ErrNoKey) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, row.Key, err)
	}
	p, err := decodePlain(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, row.Key, err)
	}
	return p, nil
}

// openFound opens a row that a scan found, before which there had been so many
// changes (rows.now). Index entries are not sealed, so the row itself has to confirm
// the entry.
func (s *Store) openFound(ctx context.Context, row Row, by Scan, change uint64) (*plain, error) {
	was, _, hot := s.rows.recall(row.Key)
	r, err := s.opened(ctx, row, was, change, hot)
	if err != nil {
		return nil, err
	}
	if by.Index != "" && !slices.Contains(r.plain.index, Entrance{by.Index, by.Value}) {
		return nil, fmt.Errorf("%w: index %s of %s leads to the wrong row", ErrCorrupt, by.Index, row.Key)
	}
	return r.plain, nil
}

// rowData is a row's associated data: rows cannot be swapped, nor moved between
// accounts. Its kind keeps rows, events and due records apart.
func rowData(k Key) []byte {
	return binding("row", string(k.Place.Account), string(k.Place.Region), k.Table, k.ID)
}

// binding joins parts so that no two lists of parts give the same bytes.
func binding(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + 4
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

func (p *plain) encode() []byte {
	n := len(p.json) + 8
	for _, e := range p.index {
		n += len(e.Index) + len(e.Value) + 8
	}
	b := append(make([]byte, 0, n), plainVersion)
	b = binary.AppendUvarint(b, uint64(len(p.index)))
	for _, e := range p.index {
		b = appendString(appendString(b, e.Index), e.Value)
	}
	return append(b, p.json...)
}

var errShape = errors.New("unknown shape")

func decodePlain(b []byte) (*plain, error) {
	if len(b) == 0 || b[0] != plainVersion {
		return nil, errShape
	}
	n, b, ok := cutUvarint(b[1:])
	if !ok || n > uint64(len(b)) {
		return nil, errShape
	}
	p := &plain{}
	for range n {
		var e Entrance
		if e.Index, b, ok = cutString(b); !ok {
			return nil, errShape
		}
		if e.Value, b, ok = cutString(b); !ok {
			return nil, errShape
		}
		p.index = append(p.index, e)
	}
	p.json = b
	return p, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutUvarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

func cutString(b []byte) (string, []byte, bool) {
	n, b, ok := cutUvarint(b)
	if !ok || n > uint64(len(b)) {
		return "", nil, false
	}
	return string(b[:n]), b[n:], true
}

func badID(what, id, why string) error {
	if len(id) > 64 {
		id = id[:64] + "…"
	}
	return fmt.Errorf("%w: %s %q %s", ErrBadID, what, id, why)
}
