package plane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/plane/config"
	"sumun.dev/spine"
	spinememory "sumun.dev/spine/memory"
	spinenats "sumun.dev/spine/nats"
	"sumun.dev/store"
	"sumun.dev/store/memory"
	"sumun.dev/store/postgres"
	"sumun.dev/store/sqlite"
)

// openBackends opens the store and the spine that the settings name, and the root keys
// of a plane that keeps something.
func openBackends(ctx context.Context, cfg *config.Config, o Options, log *slog.Logger) (*store.Store, spine.Spine, *Keys, error) {
	if cfg.InMemory() {
		st := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
		st.Log = log
		return st, spinememory.New(spinememory.Options{Log: log}), nil, nil
	}
	st, root, err := openStore(ctx, cfg, o.backend)
	if err != nil {
		return nil, nil, nil, err
	}
	st.Log = log
	sp, err := openSpine(ctx, cfg, o, root, log)
	if err != nil {
		return nil, nil, nil, errors.Join(err, st.Close())
	}
	keys, err := newKeys(cfg, st, sp, root, log)
	if err != nil {
		return nil, nil, nil, errors.Join(err, sp.Close(ctx), st.Close())
	}
	return st, sp, keys, nil
}

// OpenStore opens the store of a durable plane and makes sure of its root key.
func OpenStore(ctx context.Context, cfg *config.Config) (*store.Store, *seal.Root, error) {
	return openStore(ctx, cfg, nil)
}

func openStore(ctx context.Context, cfg *config.Config, between func(store.Backend) store.Backend) (*store.Store, *seal.Root, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, nil, err
	}
	backend, err := openBackend(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	if between != nil {
		backend = between(backend)
	}
	fresh, err := store.Fresh(ctx, backend)
	if err != nil {
		return nil, nil, errors.Join(err, backend.Close())
	}
	root, err := OpenRoot(ctx, cfg, fresh)
	if err != nil {
		return nil, nil, errors.Join(err, backend.Close())
	}
	st := store.Open(backend, root)
	if err := st.CheckKey(ctx); err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return st, root, nil
}

func openBackend(ctx context.Context, cfg *config.Config) (store.Backend, error) {
	if cfg.Store.Postgres != "" {
		return postgres.Open(ctx, cfg.Store.Postgres)
	}
	return sqlite.Open(cfg.Data)
}

func openSpine(ctx context.Context, cfg *config.Config, o Options, root *seal.Root, log *slog.Logger) (spine.Spine, error) {
	if o.MemorySpine {
		return spinememory.New(spinememory.Options{Log: log}), nil
	}
	opts := spinenats.Options{Seal: root, Log: log, Prefix: cfg.Spine.Prefix, Retain: retention(cfg.Spine)}
	if cfg.Spine.NATS != "" {
		opts.URL, opts.Replicas = cfg.Spine.NATS, cfg.Spine.Replicas
	} else {
		opts.Dir = filepath.Join(cfg.Data, "spine")
	}
	sp, err := spinenats.Open(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("spine: %w", err)
	}
	return sp, nil
}

// retention says what the streams keep.
func retention(cfg config.Spine) map[string]spine.Retention {
	kept := map[string]spine.Retention{}
	for stream, told := range map[string]config.Keep{
		aws.TrailStream: cfg.Retention.Trail, aws.DNSStream: cfg.Retention.DNS,
		aws.FindingsStream: cfg.Retention.Findings, aws.BusStream: cfg.Retention.Bus,
		aws.IngestStream: {},
	} {
		r := spine.DefaultRetention(stream)
		if told.Age != 0 {
			r.Age = told.Age
		}
		switch {
		case told.MaxMiB != 0:
			r.Bytes = int64(told.MaxMiB) << 20
		case cfg.MaxMiB != 0:
			r.Bytes = min(r.Bytes, int64(cfg.MaxMiB)<<20)
		}
		kept[stream] = r
	}
	return kept
}
