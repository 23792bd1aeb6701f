package plane

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"sumun.dev/detect/enrich"
	"sumun.dev/plane/config"
)

// addresses is what the settings' files say of addresses. The files are read again
// once they change, as an updater of GeoLite2 changes them every week.
type addresses struct {
	files enrich.Files
	net   atomic.Pointer[enrich.Net]
	seen  string // what the files looked like when they were read last
	log   *slog.Logger
}

// lookAgain is the time between two looks at the files.
const lookAgain = time.Minute

// openAddresses reads the files. At the start a file that cannot be read is an
// error: whoever names it counts on it.
func openAddresses(cfg *config.Config, log *slog.Logger) (*addresses, error) {
	c := cfg.Addresses
	a := &addresses{files: enrich.Files{MMDB: c.MMDB, Clouds: c.Clouds, Tor: c.Tor, VPN: c.VPNs, Proxy: c.Proxies}, log: log}
	a.seen = a.stamp()
	net, err := enrich.Open(a.files)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	a.net.Store(net)
	return a, nil
}

// stamp tells files that have changed from those that have not.
func (a *addresses) stamp() string {
	all := ""
	for _, name := range a.files.All() {
		info, err := os.Stat(name)
		if err != nil {
			all += fmt.Sprintf("%s: %v\n", name, err)
			continue
		}
		all += fmt.Sprintf("%s: %d bytes of %s\n", name, info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
	}
	return all
}

// follow looks after the files until ctx ends. What was good stays in use until all
// of them are good again.
func (a *addresses) follow(ctx context.Context) {
	if len(a.files.All()) == 0 {
		return
	}
	for sleep(ctx, lookAgain); ctx.Err() == nil; sleep(ctx, lookAgain) {
		a.again()
	}
}

func (a *addresses) again() {
	now := a.stamp()
	if now == a.seen {
		return
	}
	net, err := enrich.Open(a.files)
	if err != nil {
		a.log.Warn("what is known of addresses cannot be read again, what was read before stays in use", "error", err)
		return // and is tried again: it may be nothing but a file half written
	}
	a.seen = now
	a.net.Store(net)
	a.log.Info("what is known of addresses was read again")
}
