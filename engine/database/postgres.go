package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

type postgres struct{}

func (postgres) try(ctx context.Context, s *Server, as Login) error {
	return s.postgres(ctx, as, func(ctx context.Context, conn *pgx.Conn) error {
		var one int
		return conn.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
}

func (postgres) setOwn(ctx context.Context, s *Server, as Login, password string) error {
	return s.postgres(ctx, as, func(ctx context.Context, conn *pgx.Conn) error {
		return setRole(ctx, conn, "ALTER ROLE", as.User, password)
	})
}

// clone makes name a member of of, as the rotation function of AWS does: it has
// of's rights by membership, not copies of them.
func (p postgres) clone(ctx context.Context, s *Server, admin, of Login, name, password string) error {
	if err := p.try(ctx, s, of); err != nil {
		return err
	}
	return s.postgres(ctx, admin, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var there bool
			if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)", name).Scan(&there); err != nil {
				return err
			}
			if there {
				return setRole(ctx, conn, "ALTER ROLE", name, password)
			}
			if err := setRole(ctx, conn, "CREATE USER", name, password); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "GRANT "+identifier(of.User)+" TO "+identifier(name))
			return err
		})
	})
}

func setRole(ctx context.Context, conn *pgx.Conn, what, name, password string) error {
	kept, err := verifier(password)
	if err != nil {
		return err
	}
	// A verifier is of characters that need no quoting.
	_, err = conn.Exec(ctx, what+" "+identifier(name)+" PASSWORD '"+kept+"'")
	return err
}

// identifier quotes a name. PostgreSQL, "Identifiers and Key Words".
func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// checkName holds a name to the length that the server does not cut off.
func (postgres) checkName(name string) error {
	if name == "" || len(name) > 63 || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%w: %q: PostgreSQL's have 1 to 63 bytes", ErrName, name)
	}
	return nil
}

func (s *Server) postgres(ctx context.Context, as Login, work func(context.Context, *pgx.Conn) error) error {
	if err := (postgres{}).checkName(as.User); err != nil {
		return err
	}
	// What the environment says (PGHOST, PGPASSFILE …) is not meant for this server.
	c, err := pgx.ParseConfig("host=localhost port=5432 user=x dbname=x sslmode=disable")
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	c.Host, c.Port, c.User, c.Password, c.Database = s.Host, uint16(s.Port), as.User, as.Password, as.Database
	if c.Database == "" {
		c.Database = "postgres"
	}
	c.TLSConfig, c.Fallbacks, c.ValidateConnect, c.AfterConnect = s.tls(), nil, nil, nil
	c.RuntimeParams = map[string]string{"application_name": "sumun"}
	c.DefaultQueryExecMode = pgx.QueryExecModeExec // poolers between us and the server know no prepared statements
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return postgresError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if v := conn.PgConn().ParameterStatus("server_version"); len(v) > 1 && (v[1] == '.' && v[0] <= '9') {
		return ErrOld
	}
	return postgresError(work(ctx, conn))
}

func postgresError(err error) error {
	switch sqlState(err) {
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return fmt.Errorf("%w: %w", ErrLogin, err)
	}
	return err
}

func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
