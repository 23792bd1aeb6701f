// Package natstest gives tests streams of their own on a NATS server.
package natstest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Server returns the URL of a NATS server: the one that SUMUN_TEST_NATS names, else
// that of this machine. Without a server the test is skipped, or fails when
// SUMUN_TEST_REQUIRE=1 says that there must be one.
func Server(t testing.TB) string {
	t.Helper()
	url := os.Getenv("SUMUN_TEST_NATS")
	if url == "" {
		url = "nats://127.0.0.1:4222"
	}
	c, err := nats.Connect(url, nats.Timeout(time.Second))
	if err == nil {
		c.Close()
		return url
	}
	if os.Getenv("SUMUN_TEST_REQUIRE") == "1" {
		t.Fatalf("no NATS server at %s: %v", url, err)
	}
	t.Skipf("no NATS server at %s (start one with: nats-server -js): %v", url, err)
	return ""
}

// Prefix returns a beginning for the names of a test's streams, which are deleted
// at its end.
func Prefix(t testing.TB, url string) string {
	t.Helper()
	prefix := "test" + nats.NewInbox()[7:15]
	t.Cleanup(func() { Remove(t, url, prefix) })
	return prefix
}

// Remove deletes the streams whose names begin with prefix.
func Remove(t testing.TB, url, prefix string) {
	t.Helper()
	c, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	js, err := jetstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	names := js.StreamNames(context.Background())
	for name := range names.Name() {
		if strings.HasPrefix(name, prefix) {
			if err := js.DeleteStream(context.Background(), name); err != nil {
				t.Error(err)
			}
		}
	}
}
