package sqlite

import (
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"sumun.dev/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to the newest version, each step in a transaction of
// its own. Versions only grow; PRAGMA user_version keeps the last.
func migrate(conn *sql.Conn, files fs.FS) error {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return err
	}
	var version int
	if err := conn.QueryRowContext(background, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", store.ErrNewer, version, len(names))
	}
	for i, name := range names[version:] { // Glob sorts
		if err := step(conn, files, name, version+i+1); err != nil {
			return fmt.Errorf("migrate with %s: %w", name, err)
		}
	}
	return nil
}

// current refuses a schema that is not the newest.
func current(db *sql.DB) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	var version int
	if err := db.QueryRowContext(background, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case version > len(names):
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", store.ErrNewer, version, len(names))
	case version < len(names):
		return fmt.Errorf("sqlite: the schema is version %d, not %d: start this program on it once", version, len(names))
	}
	return nil
}

func step(conn *sql.Conn, files fs.FS, name string, version int) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(background, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(string(text)); err != nil {
		return failure(err)
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return failure(tx.Commit())
}
