package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"sumun.dev/store"
)

// TestOpensVersion1 opens a database as the first release wrote it.
func TestOpensVersion1(t *testing.T) {
	text, err := os.ReadFile("testdata/version1.sql")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	db, err := connect(filepath.Join(dir, File), "journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	here := store.Place{Account: "111122223333", Region: "eu-central-1"}
	row, err := b.Get(t.Context(), store.Key{Table: "iam.users", Place: here, ID: "ann"})
	if err != nil || row.Rev != 3 || string(row.Doc) != "sealed" {
		t.Errorf("%+v, %v", row, err)
	}
	rows, err := b.Scan(t.Context(), store.Scan{Table: "iam.users", Place: here, Index: "path", Value: "/", Limit: 9})
	if err != nil || len(rows) != 1 {
		t.Errorf("by index: %+v, %v", rows, err)
	}
	records, err := b.ClaimOutbox(t.Context(), 9, 0)
	if err != nil || len(records) != 1 || records[0].Seq != 4 || records[0].ID != "event" {
		t.Errorf("outbox: %+v, %v", records, err)
	}
	at, some, err := b.NextDue(t.Context())
	if err != nil || !some || at.UnixNano() != 1800000000000000000 {
		t.Errorf("due at %v, %t, %v", at, some, err)
	}
	if fact, err := b.Fact(t.Context(), "key-check"); err != nil || string(fact) != "check" {
		t.Errorf("fact %q, %v", fact, err)
	}
	if err := b.Commit(t.Context(), &store.Batch{Writes: []store.Write{{Key: row.Key, Doc: []byte("new")}}}); err != nil {
		t.Fatal(err)
	}
	if row, err := b.Get(t.Context(), row.Key); err != nil || row.Rev != 6 {
		t.Errorf("the next revision is %d, %v; want 6", row.Rev, err)
	}
}

func TestMigrationsGoForward(t *testing.T) {
	first, err := fs.ReadFile(migrations, "migrations/0001.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"migrations/0001.sql": {Data: first}}
	conn := single(t, filepath.Join(t.TempDir(), File))
	if err := migrate(conn, files); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(background, `INSERT INTO facts (name, value) VALUES ('a', 'b')`); err != nil {
		t.Fatal(err)
	}
	files["migrations/0002.sql"] = &fstest.MapFile{Data: []byte(`ALTER TABLE facts ADD COLUMN note TEXT; UPDATE facts SET note = 'moved'`)}
	files["migrations/0003.sql"] = &fstest.MapFile{Data: []byte(`UPDATE facts SET note = 'half'; SELECT * FROM nowhere`)}
	if err := migrate(conn, files); err == nil {
		t.Error("a migration that fails goes unnoticed")
	}
	var note string
	if err := conn.QueryRowContext(background, `SELECT note FROM facts`).Scan(&note); err != nil || note != "moved" {
		t.Errorf("note %q, %v; the second applies, the third leaves nothing", note, err)
	}
	files["migrations/0003.sql"] = &fstest.MapFile{Data: []byte(`UPDATE facts SET note = 'third'`)}
	for range 2 { // again changes nothing
		if err := migrate(conn, files); err != nil {
			t.Fatal(err)
		}
	}
	delete(files, "migrations/0003.sql")
	if err := migrate(conn, files); !errors.Is(err, store.ErrNewer) {
		t.Errorf("an older program: %v, want ErrNewer", err)
	}
}

func single(t *testing.T, file string) *sql.Conn {
	t.Helper()
	db, err := connect(file)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(background)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { errors.Join(conn.Close(), db.Close()) })
	return conn
}
