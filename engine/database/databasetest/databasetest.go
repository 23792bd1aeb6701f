// Package databasetest gives tests real database servers of their own.
package databasetest

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"sumun.dev/engine/certtest"
	"sumun.dev/engine/database"
	"sumun.dev/engine/database/launch"
)

// A Server is a database server of the test's own. Its users prove who they are
// by passwords, also from loopback.
type Server struct {
	*launch.Server
	CA    string // PEM file of the authority of the server's certificate
	Roots *x509.CertPool
}

// Postgres starts a PostgreSQL that ends with the test; its log has all
// statements. Without the programs the test is skipped, or fails when
// SUMUN_TEST_REQUIRE=1 says that they must be there.
func Postgres(t testing.TB) *Server { return start(t, launch.Postgres) }

// MariaDB starts a MariaDB that ends with the test, as Postgres does.
func MariaDB(t testing.TB) *Server { return start(t, launch.MariaDB) }

func start(t testing.TB, make func(context.Context, launch.Options) (*launch.Server, error)) *Server {
	t.Helper()
	c := certtest.New(t, "database")
	server, err := make(context.Background(), launch.Options{CA: c.CA, Cert: c.Cert, Key: c.Key, Statements: true})
	if errors.Is(err, launch.ErrMissing) && os.Getenv("SUMUN_TEST_REQUIRE") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &Server{Server: server, CA: filepath.Join(server.Folder, "ca.pem"), Roots: x509.NewCertPool()}
	s.Roots.AppendCertsFromPEM(c.CA)
	return s
}

// Exec runs statements as the administrator, with the engine's own client: what
// is tested does not prepare its tests.
func (s *Server) Exec(t testing.TB, statements ...string) string {
	t.Helper()
	return s.ExecAs(t, s.Admin, statements...)
}

// ExecAs is Exec for another user, in the database that the login names.
func (s *Server) ExecAs(t testing.TB, as database.Login, statements ...string) string {
	t.Helper()
	var all string
	for _, statement := range statements {
		cmd := exec.Command("mariadb", "--no-defaults", "-h", s.Host, "-P", strconv.Itoa(s.Port), "-u", as.User, "-N", "-B", "-e", statement)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+as.Password)
		if s.Engine == database.Postgres {
			cmd = exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", s.Host, "-p", strconv.Itoa(s.Port), "-U", as.User, "-d", "postgres", "-c", statement)
			cmd.Env = append(os.Environ(), "PGPASSWORD="+as.Password)
		} else if as.Database != "" {
			cmd.Args = append(cmd.Args, as.Database)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", statement, err, out)
		}
		all += string(out)
	}
	return all
}
