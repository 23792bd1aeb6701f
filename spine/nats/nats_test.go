package nats

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sumun.dev/spine"
	"sumun.dev/spine/spinetest"
)

var key = []byte("a key for tests, and only for it")

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func TestEmbedded(t *testing.T) {
	root := t.TempDir()
	spinetest.Run(t, spinetest.Opener{Again: true, Open: func(t *testing.T, name string) spine.Spine {
		s, err := Open(t.Context(), Options{Dir: filepath.Join(root, name), Seal: spinetest.Sealer(key), Log: quiet(t)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}

// external returns the address of a NATS server for tests.
func external(t *testing.T) string {
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

func TestExternal(t *testing.T) {
	url := external(t)
	run := "test" + nats.NewInbox()[7:15]
	spinetest.Run(t, spinetest.Opener{Again: true, Open: func(t *testing.T, name string) spine.Spine {
		prefix := strings.ReplaceAll(run+"-"+name, "_", "-")
		t.Cleanup(func() { remove(t, url, prefix) })
		s, err := Open(t.Context(), Options{URL: url, Prefix: prefix, Seal: spinetest.Sealer(key), Log: quiet(t), Retain: small})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}

// small keeps the streams of tests from reserving gigabytes on a server that
// other tests use too.
var small = map[string]spine.Retention{"trail": {Age: time.Hour, Bytes: 64 << 20}, "dns": {Age: time.Hour, Bytes: 64 << 20}, "bare": {Age: time.Hour, Bytes: 64 << 20}}

// remove deletes the streams of a test.
func remove(t *testing.T, url, prefix string) {
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

// An acknowledged event must survive the loss of power, which JetStream's own
// default does not promise.
func TestEmbeddedSyncsBeforeItAnswers(t *testing.T) {
	o := serverOptions(t.TempDir())
	if !o.SyncAlways {
		t.Error("SyncAlways is off")
	}
	if !o.DontListen {
		t.Error("the embedded server opens a port")
	}
}

func TestFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spine")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Dir: dir, Seal: spinetest.Sealer(key), Log: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %o", info.Mode().Perm())
	}
}
