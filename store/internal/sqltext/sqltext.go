// Package sqltext is the SQL that SQLite and PostgreSQL share, word for word.
package sqltext

import "sumun.dev/store"

// The statements. Numbers that are never used twice (revisions, fences, outbox
// sequences) come from one counter; its row is also the lock that puts commits
// in order where several processes write.
const (
	Take = `UPDATE counter SET n = n + $1 WHERE name = 'revision' RETURNING n`
	Last = `SELECT n FROM counter WHERE name = 'revision'`
	Set  = `UPDATE counter SET n = $1 WHERE name = 'revision'`

	Get = `SELECT rev, doc FROM rows WHERE tbl = $1 AND account = $2 AND region = $3 AND id = $4`
	Rev = `SELECT rev FROM rows WHERE tbl = $1 AND account = $2 AND region = $3 AND id = $4`
	All = `SELECT account, region, id, rev, doc FROM rows
		WHERE tbl = $1 AND (account, region, id) > ($2, $3, $4)
		ORDER BY account, region, id LIMIT $5`

	Put = `INSERT INTO rows (tbl, account, region, id, rev, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tbl, account, region, id) DO UPDATE SET rev = excluded.rev, doc = excluded.doc`
	Delete = `DELETE FROM rows WHERE tbl = $1 AND account = $2 AND region = $3 AND id = $4`

	AddEntry = `INSERT INTO entries (tbl, account, region, name, value, id) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tbl, account, region, name, value, id) DO NOTHING`
	DropEntry = `DELETE FROM entries
		WHERE tbl = $1 AND account = $2 AND region = $3 AND name = $4 AND value = $5 AND id = $6`

	AddRecord  = `INSERT INTO outbox (seq, event, doc) VALUES ($1, $2, $3)`
	DropRecord = `DELETE FROM outbox WHERE seq = $1`

	NextDue  = `SELECT min(ready) FROM dues`
	FenceOf  = `SELECT fence FROM dues WHERE kind = $1 AND account = $2 AND region = $3 AND id = $4`
	DropDue  = `DELETE FROM dues WHERE kind = $1 AND account = $2 AND region = $3 AND id = $4`
	Schedule = `INSERT INTO dues (kind, account, region, id, at, ready, fence, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (kind, account, region, id)
		DO UPDATE SET at = excluded.at, ready = excluded.ready, fence = excluded.fence, doc = excluded.doc`
	EndLeases = `UPDATE dues SET ready = at WHERE ready > at`
	DueNow    = `SELECT kind, account, region, id, at, doc FROM dues WHERE ready <= $1 ORDER BY ready LIMIT $2`
	Lease     = `UPDATE dues SET ready = $1, fence = $2 WHERE kind = $3 AND account = $4 AND region = $5 AND id = $6`

	Fact    = `SELECT value FROM facts WHERE name = $1`
	FactIs  = `SELECT count(*) FROM facts WHERE name = $1 AND value = $2`
	AddFact = `INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`

	SealedRows = `SELECT tbl, account, region, id, rev, doc FROM rows
		WHERE (tbl, account, region, id) > ($1, $2, $3, $4) ORDER BY tbl, account, region, id LIMIT $5`
	SealedDues = `SELECT kind, account, region, id, at, fence, doc FROM dues
		WHERE (kind, account, region, id) > ($1, $2, $3, $4) ORDER BY kind, account, region, id LIMIT $5`
	SealedOutbox = `SELECT seq, event, doc FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2`
	SealedFacts  = `SELECT name, value FROM facts WHERE name > $1 ORDER BY name LIMIT $2`

	SwapRow  = `UPDATE rows SET doc = $1 WHERE doc = $2 AND tbl = $3 AND account = $4 AND region = $5 AND id = $6`
	SwapDue  = `UPDATE dues SET doc = $1 WHERE doc = $2 AND kind = $3 AND account = $4 AND region = $5 AND id = $6`
	SwapFact = `UPDATE facts SET value = $1 WHERE value = $2 AND name = $3`

	Used = `SELECT EXISTS (SELECT 1 FROM rows) OR EXISTS (SELECT 1 FROM outbox)
		OR EXISTS (SELECT 1 FROM dues) OR EXISTS (SELECT 1 FROM facts)`

	DumpFacts   = `SELECT name, value FROM facts ORDER BY name`
	DumpRows    = `SELECT tbl, account, region, id, rev, doc FROM rows ORDER BY tbl, account, region, id`
	DumpEntries = `SELECT tbl, account, region, id, name, value FROM entries ORDER BY tbl, account, region, name, value, id`
	DumpOutbox  = `SELECT seq, event, doc FROM outbox ORDER BY seq`
	DumpDues    = `SELECT kind, account, region, id, at, fence, doc FROM dues ORDER BY kind, account, region, id`
)

// Scan returns the statement for s and its arguments. Its columns are id and
// rev, and doc when docs is true.
func Scan(s store.Scan, docs bool) (string, []any) {
	lo, open, hi := s.Bounds()
	columns, above, order := "r.id, r.rev", ">=", "ASC"
	if docs {
		columns = "r.id, r.rev, r.doc"
	}
	if open {
		above = ">"
	}
	if s.Desc {
		order = "DESC"
	}
	if s.Index == "" {
		return `SELECT ` + columns + ` FROM rows r
			WHERE r.tbl = $1 AND r.account = $2 AND r.region = $3 AND r.id ` + above + ` $4 AND r.id < $5
			ORDER BY r.id ` + order + ` LIMIT $6`,
			[]any{s.Table, string(s.Place.Account), string(s.Place.Region), lo, hi, s.Limit}
	}
	// CROSS JOIN makes SQLite begin with the index entries.
	return `SELECT ` + columns + ` FROM entries e CROSS JOIN rows r
		WHERE e.tbl = $1 AND e.account = $2 AND e.region = $3 AND e.name = $4 AND e.value = $5
			AND e.id ` + above + ` $6 AND e.id < $7
			AND r.tbl = e.tbl AND r.account = e.account AND r.region = e.region AND r.id = e.id
		ORDER BY e.id ` + order + ` LIMIT $8`,
		[]any{s.Table, string(s.Place.Account), string(s.Place.Region), s.Index, s.Value, lo, hi, s.Limit}
}

// Key returns a row's key as arguments, with more after it.
func Key(k store.Key, more ...any) []any {
	return append([]any{k.Table, string(k.Place.Account), string(k.Place.Region), k.ID}, more...)
}

// Entry returns an index entry as arguments of AddEntry and DropEntry.
func Entry(k store.Key, e store.Entrance) []any {
	return []any{k.Table, string(k.Place.Account), string(k.Place.Region), e.Index, e.Value, k.ID}
}

// Sealed returns the statement for the sealed things after a cursor and its
// arguments. Its columns are those of the dump of that part.
func Sealed(after store.Cursor, limit int) (string, []any) {
	switch after.Part {
	case store.SealedRows:
		return SealedRows, Key(after.Last, limit)
	case store.SealedDues:
		return SealedDues, Key(after.Last, limit)
	case store.SealedOutbox:
		return SealedOutbox, []any{after.Seq, limit}
	}
	return SealedFacts, []any{after.Last.ID, limit}
}

// Swap returns the statement that makes a swap and its arguments; outbox is the one
// for records.
func Swap(s store.Swap, outbox string) (string, []any) {
	switch i := s.Item; {
	case i.Row != nil:
		return SwapRow, append([]any{s.New, i.Row.Doc}, Key(i.Row.Key)...)
	case i.Due != nil:
		return SwapDue, append([]any{s.New, i.Due.Doc}, Due(i.Due.DueKey)...)
	case i.Record != nil:
		return outbox, []any{s.New, i.Record.Doc, i.Record.Seq}
	default:
		return SwapFact, []any{s.New, i.Fact.Value, i.Fact.Name}
	}
}

// Due returns a due record's key as arguments, with more after it.
func Due(k store.DueKey, more ...any) []any {
	return append([]any{k.Kind, string(k.Place.Account), string(k.Place.Region), k.ID}, more...)
}
