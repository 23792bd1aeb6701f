package plane

import (
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// Who reads the note may be in another folder than who started the plane.
func TestNoteNamesFilesFromTheRoot(t *testing.T) {
	t.Chdir(t.TempDir())
	p, err := New(t.Context(), listening("data"), Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	if _, err := p.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if data := p.Note().Data; !filepath.IsAbs(data) {
		t.Errorf("the note says %q", data)
	}
}

func TestNearAddressIsOneThatClientsCanCall(t *testing.T) {
	for at, want := range map[string]string{
		"0.0.0.0:4566": "127.0.0.1:4566", "[::]:4566": "127.0.0.1:4566", "127.0.0.1:4566": "127.0.0.1:4566", "[::1]:4566": "[::1]:4566", "192.0.2.1:4566": "192.0.2.1:4566",
	} {
		if got := near(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(at))); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

func TestHalfARootKeyIsRefused(t *testing.T) {
	for name, given := range map[string][2]string{
		"no_secret": {"AKIAABCDEFGHIJKLMNOP", ""},
		"no_id":     {"", "q8Zr4nUuJ1wYt7Kd3Lm9Vx2Pb6Hc5Sf0Ga+Ei/Wo"},
	} {
		if _, err := rootKey("111122223333", given[0], given[1]); err == nil || !strings.Contains(err.Error(), "go together") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
