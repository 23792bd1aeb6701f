package plane

import (
	"context"
	"errors"
	"io"
	"os"

	"sumun.dev/plane/config"
	"sumun.dev/store"
)

// Backup writes the state of a durable plane as of one instant, whether it runs
// or not.
func Backup(ctx context.Context, cfg *config.Config, w io.Writer) error {
	b, err := openBackend(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(store.Dump(ctx, b, w), b.Close())
}

// Restore fills a plane's empty store from a backup, when the root key at hand
// is the one that the backup was sealed under.
func Restore(ctx context.Context, cfg *config.Config, r io.Reader) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	b, err := openBackend(ctx, cfg)
	if err != nil {
		return err
	}
	if err := store.Load(ctx, b, r); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := b.Close(); err != nil {
		return err
	}
	st, _, err := OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	return st.Close()
}
