package scenario

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sumun.dev/plane/config"
)

// TestServers plays on PostgreSQL and an external NATS server. Without them it is
// skipped, or fails when SUMUN_TEST_REQUIRE=1 says that they must be there.
func TestServers(t *testing.T) {
	database := variable("SUMUN_TEST_POSTGRES", "postgres://root@127.0.0.1:5432/test?sslmode=disable")
	bus := variable("SUMUN_TEST_NATS", "nats://127.0.0.1:4222")
	conn, err := pgx.Connect(within(t, 10*time.Second), database)
	if err != nil {
		absent(t, "no PostgreSQL answers (set SUMUN_TEST_POSTGRES to a URL)", err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	link, err := nats.Connect(bus, nats.Timeout(time.Second))
	if err != nil {
		absent(t, "no NATS server answers (set SUMUN_TEST_NATS to a URL)", err)
	}
	t.Cleanup(link.Close)
	playAll(t, Setting{Durable: true, Elsewhere: func() (config.Store, config.Spine, func(), error) {
		name := "sumun_scenario_" + strings.ToLower(rand.Text()[:16])
		if _, err := conn.Exec(context.Background(), "CREATE SCHEMA "+name); err != nil {
			return config.Store{}, config.Spine{}, nil, err
		}
		u, err := url.Parse(database)
		if err != nil {
			return config.Store{}, config.Spine{}, nil, err
		}
		q := u.Query()
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
		return config.Store{Postgres: u.String()}, config.Spine{NATS: bus, Prefix: prefixOf(name), Replicas: 1, MaxMiB: 64}, func() { wipe(t, conn, link, name) }, nil
	}})
}

func prefixOf(schema string) string { return strings.ReplaceAll(schema, "_", "-") }

func variable(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func absent(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("SUMUN_TEST_REQUIRE") == "1" {
		t.Fatalf("SUMUN_TEST_REQUIRE=1: %s: %v", what, err)
	}
	t.Skipf("%s: %v", what, err)
}

// wipe removes what one script has left on the servers.
func wipe(t *testing.T, conn *pgx.Conn, link *nats.Conn, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
		t.Error(err)
	}
	js, err := jetstream.New(link)
	if err != nil {
		t.Error(err)
		return
	}
	streams := js.StreamNames(ctx)
	for stream := range streams.Name() {
		if strings.HasPrefix(stream, prefixOf(name)) {
			if err := js.DeleteStream(ctx, stream); err != nil {
				t.Error(err)
			}
		}
	}
	if err := streams.Err(); err != nil {
		t.Error(err)
	}
}
