package plane

import (
	"context"
	"errors"
	"io"
	"os"

	"sumun.dev/plane/config"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

// Backup writes the state of a durable plane as of one instant, whether it runs
// or not.
func Backup(ctx context.Context, cfg *config.Config, w io.Writer) error {
	if cfg.Store.Postgres == "" {
		return store.Dump(ctx, sqlite.Read(cfg.Data), w) // a running plane has the folder locked
	}
	b, err := openBackend(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(store.Dump(ctx, b, w), b.Close())
}

// CheckRootKey reports store.ErrWrongKey when the state in the data folder was
// sealed under another root key than the one at hand. It changes nothing, and the
// plane may run meanwhile.
func CheckRootKey(ctx context.Context, cfg *config.Config) error {
	root, err := OpenRoot(ctx, cfg, false)
	if err != nil {
		return err
	}
	return store.CheckDump(ctx, sqlite.Read(cfg.Data), root)
}

// Restore fills a plane's empty store from a backup, when the root key at hand
// is the one that the backup was sealed under.
func Restore(ctx context.Context, cfg *config.Config, r io.Reader) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	root, err := OpenRoot(ctx, cfg, false) // a new key would open nothing
	if err != nil {
		return err
	}
	b, err := openBackend(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(store.Restore(ctx, b, root, r), b.Close())
}
