package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"sumun.dev/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to the newest version, each step in a transaction of
// its own. Versions only grow. Nodes that start at once wait for each other.
func migrate(ctx context.Context, conn *pgx.Conn, files fs.FS) (err error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return err
	}
	// CREATE … IF NOT EXISTS is not safe against itself; the lock makes it so.
	const lock = `SELECT pg_advisory_lock(hashtext('sumun migrate ' || coalesce(current_schema(), '')))`
	const unlock = `SELECT pg_advisory_unlock(hashtext('sumun migrate ' || coalesce(current_schema(), '')))`
	if _, err := conn.Exec(ctx, lock); err != nil {
		return err
	}
	defer func() {
		_, unlocked := conn.Exec(ctx, unlock)
		err = errors.Join(err, unlocked)
	}()
	if _, err := conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)`); err != nil {
		return err
	}
	var version int
	if err := conn.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&version); err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", store.ErrNewer, version, len(names))
	}
	for i, name := range names[version:] { // Glob sorts
		if err := step(ctx, conn, files, name, version+i+1); err != nil {
			return fmt.Errorf("migrate with %s: %w", name, err)
		}
	}
	return nil
}

func step(ctx context.Context, conn *pgx.Conn, files fs.FS, name string, version int) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, string(text)); err != nil {
			return failure(err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO schema_version (version) VALUES ($1)`, version)
		return err
	})
}
