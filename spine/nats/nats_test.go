package nats

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sumun.dev/spine"
	"sumun.dev/spine/nats/natstest"
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

func TestExternal(t *testing.T) {
	url := natstest.Server(t)
	run := natstest.Prefix(t, url)
	spinetest.Run(t, spinetest.Opener{Again: true, Open: func(t *testing.T, name string) spine.Spine {
		prefix := strings.ReplaceAll(run+"-"+name, "_", "-")
		t.Cleanup(func() { natstest.Remove(t, url, prefix) })
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
