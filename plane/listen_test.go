package plane

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

// listening are settings with free ports on loopback.
func listening(data string) config.Config {
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.Admin, cfg.DNS.Listen = data, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	return cfg
}

// unused returns an address that nobody listens on. Its port is below those that
// systems give to whoever asks for any, which other tests do all the time.
func unused(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 15000+rand.IntN(17000)))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func TestTakenPortLeavesNothingBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free := unused(t)
	cfg := listening(t.TempDir())
	cfg.Listen, cfg.Admin = free, taken.Addr().String()
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	if _, err := p.Listen(t.Context()); err == nil {
		t.Fatal("it listens on a port that is taken")
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "runtime.json")); err == nil {
		t.Error("a note is left")
	}
	if c, err := net.Dial("tcp", free); err == nil {
		c.Close()
		t.Error("the other listener is left open")
	}
}

func TestNoteIsItsOwnersAndGoesWithThePlane(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for name, data := range map[string]string{"memory": config.Memory, "durable": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			p, err := New(t.Context(), listening(data), Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Listen(t.Context()); err != nil {
				t.Fatal(err)
			}
			folder, err := runtime.Folder(data)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(folder, "runtime.json")
			if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
				t.Errorf("the note: %v", err)
			}
			n, err := runtime.Read(data)
			if err != nil || n.API != p.Note().API || n.Account != string(p.Account()) || (len(n.Credentials) > 0) != (data == config.Memory) {
				t.Errorf("the note says %+v, %v", n, err)
			}
			answer, err := http.Post(n.Admin+"/reset", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if reset := answer.StatusCode < 300; reset != (data == config.Memory) {
				t.Errorf("POST /reset answers %s", answer.Status)
			}
			end(t, p)
			if _, err := os.Stat(file); err == nil {
				t.Error("the note outlives the plane")
			}
			if c, err := net.Dial("tcp", n.API[len("http://"):]); err == nil {
				c.Close()
				t.Error("the API is still open")
			}
		})
	}
}
