// Package postgrestest gives tests a PostgreSQL schema of their own.
package postgrestest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Schema makes a schema for one test, dropped at its end, and returns the URL
// that leads into it. The server is the one that SUMUN_TEST_POSTGRES names, else
// the database "test" on this machine. Without a server the test is skipped, or
// fails when SUMUN_TEST_REQUIRE=1 says that there must be one.
func Schema(t testing.TB) string {
	t.Helper()
	server := os.Getenv("SUMUN_TEST_POSTGRES")
	if server == "" {
		server = "postgres://root@127.0.0.1:5432/test?sslmode=disable"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		if os.Getenv("SUMUN_TEST_REQUIRE") == "1" {
			t.Fatalf("SUMUN_TEST_REQUIRE=1, and no PostgreSQL answers: %v", err)
		}
		t.Skipf("no PostgreSQL answers (set SUMUN_TEST_POSTGRES to a URL): %v", err)
	}
	defer conn.Close(ctx)
	name := "sumun_test_" + strings.ToLower(rand.Text()[:16])
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drop(t, server, name) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func drop(t testing.TB, server, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
		t.Error(err)
	}
}
