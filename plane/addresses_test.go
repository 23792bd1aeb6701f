package plane

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sumun.dev/plane/config"
)

func TestAddressesAreReadAgainOnceTheirFilesChange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exits.txt")
	moment := time.Now()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		moment = moment.Add(time.Minute) // clocks of file systems are coarse
		if err := os.Chtimes(file, moment, moment); err != nil {
			t.Fatal(err)
		}
	}
	cfg := config.Default()
	cfg.Addresses.Tor = []string{file}
	if _, err := openAddresses(&cfg, slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal("a file that is not there is passed over at the start")
	}
	write("203.0.113.66\n")
	a, err := openAddresses(&cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tor := func(address string) bool { return a.net.Load().Look(netip.MustParseAddr(address)).Tor }
	if !tor("203.0.113.66") || tor("203.0.113.67") {
		t.Error("not what the file says")
	}
	write("203.0.113.67\n")
	before := a.net.Load()
	if a.again(); tor("203.0.113.66") || !tor("203.0.113.67") {
		t.Error("not what the file says now")
	}
	after := a.net.Load()
	if a.again(); after == before || a.net.Load() != after {
		t.Error("read again without a change")
	}
	for _, broken := range []string{"no address\n", "", "0.0.0.0/0\n"} {
		write(broken)
		if a.again(); !tor("203.0.113.67") || tor("198.51.100.1") {
			t.Errorf("%q took away what was good", broken)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if a.again(); !tor("203.0.113.67") {
		t.Error("a file that is gone took away what was good")
	}
}
