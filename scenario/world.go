package scenario

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"sumun.dev/engine/saml/idp"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/config"
	"sumun.dev/scenario/cli"
)

type worldKey struct{}

// A world is what one script plays in: a plane, who calls it, and where.
type world struct {
	ctx    context.Context
	stage  stage
	cli    *cli.CLI
	files  *os.Root // the script's folder
	config config.Config
	log    *slog.Logger
	tell   func(Moment)

	virtual bool // the script moves the clock

	database *Database // nil: the script uses none

	programs bool    // may be used
	iodine   *iodine // nil: not to be used

	window *window  // a browser; nil until it is opened
	idp    *idp.IdP // the script's own identity provider; nil until it is asked

	account string // the management account
	region  string
	who     string
	origin  netip.Addr                   // where calls come from; zero: from this machine
	keys    map[string]sigv4.Credentials // by the name of who holds them
	current sigv4.Credentials            // KeyID empty: calls are not signed
}

// Start is when virtual time begins for a script.
var Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ReadFile and WriteFile make the script's folder all that the CLI sees.

func (w *world) ReadFile(name string) ([]byte, error) { return w.files.ReadFile(name) }

func (w *world) WriteFile(name string, data []byte) error {
	return w.files.WriteFile(name, data, 0o600)
}
