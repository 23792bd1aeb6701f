package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sumun.dev/plane"
	"sumun.dev/plane/config"
)

func backup() *cobra.Command {
	cfg := config.Default()
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all state to a file, while the plane runs or not",
		Long: `Backup writes the state as of one instant: accounts, keys, policies, lists,
findings, due work. It stays sealed under the root key, which is not in the
file: keep root.key (or root.kms, root.hsm) and credentials.json safe, apart from
the backup. The event log is not in it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if cfg.InMemory() {
				return errors.New("a plane in memory keeps nothing to back up")
			}
			return writeBackup(c.Context(), &cfg, args[0])
		},
	}
	c.Flags().StringVar(&cfg.Data, "data", cfg.Data, "data folder")
	c.Flags().StringVar(&cfg.Store.Postgres, "postgres", "", "URL of the PostgreSQL database, when state is there")
	return c
}

// writeBackup makes the file whole or not at all.
func writeBackup(ctx context.Context, cfg *config.Config, name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	err = errors.Join(plane.Backup(ctx, cfg, f), f.Sync(), f.Close())
	if err != nil {
		return advise(err, *cfg)
	}
	return os.Rename(f.Name(), name)
}

func restore() *cobra.Command {
	flags, settings := config.Default(), ""
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty data folder from a backup",
		Long: `Restore fills a folder that holds no state yet. Put the root.key that the
backup was sealed under into the folder first, or give it in SUMUN_ROOT_KEY. Where
a KMS or an HSM keeps the root keys, put root.kms or root.hsm there, and name the
settings with --config. It seals what it loads under the newest of the root keys at
hand, and names the key that it lacks. Copy credentials.json too, since 'sumun env' reads the first keys there.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg := config.Default()
			if settings != "" {
				if err := cfg.Read(settings); err != nil {
					return err
				}
			}
			if c.Flags().Changed("data") {
				cfg.Data = flags.Data
			}
			if c.Flags().Changed("postgres") {
				cfg.Store.Postgres = flags.Store.Postgres
			}
			if err := cfg.Check(); err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s: there is no such file", args[0])
			}
			if err != nil {
				return err
			}
			defer f.Close()
			return advise(plane.Restore(c.Context(), &cfg, f), cfg)
		},
	}
	c.Flags().StringVar(&settings, "config", "", "YAML file with settings")
	c.Flags().StringVar(&flags.Data, "data", flags.Data, "data folder, without state")
	c.Flags().StringVar(&flags.Store.Postgres, "postgres", "", "URL of an empty PostgreSQL database, when state shall be there")
	return c
}
