package postgres_test

import (
	"errors"
	"os"
	"testing"

	"sumun.dev/store"
	"sumun.dev/store/postgres"
	"sumun.dev/store/postgres/postgrestest"
)

// TestOpensVersion1 opens a schema as the first release wrote it.
func TestOpensVersion1(t *testing.T) {
	text, err := os.ReadFile("testdata/version1.sql")
	if err != nil {
		t.Fatal(err)
	}
	url := postgrestest.Schema(t)
	if _, err := connect(t, url).Exec(t.Context(), string(text)); err != nil {
		t.Fatal(err)
	}
	b := open(t, url)
	defer b.Close()
	row, err := b.Get(t.Context(), store.Key{Table: "iam.users", Place: place, ID: "ann"})
	if err != nil || row.Rev != 3 || string(row.Doc) != "sealed" {
		t.Errorf("%+v, %v", row, err)
	}
	rows, err := b.Scan(t.Context(), store.Scan{Table: "iam.users", Place: place, Index: "path", Value: "/", Limit: 9})
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
	if err := b.Commit(t.Context(), &store.Batch{Writes: []store.Write{{Key: row.Key, Doc: []byte("new")}}}); err != nil {
		t.Fatal(err)
	}
	if row, err := b.Get(t.Context(), row.Key); err != nil || row.Rev != 6 {
		t.Errorf("the next revision is %d, %v; want 6", row.Rev, err)
	}
}

func TestRefusesANewerSchema(t *testing.T) {
	url := postgrestest.Schema(t)
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, url).Exec(t.Context(), `INSERT INTO schema_version (version) VALUES (999)`); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), url); !errors.Is(err, store.ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
}
