package launch

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"sumun.dev/engine/database"
)

// where distributions keep PostgreSQL's programs, which often stand in no PATH:
// Debian, Fedora, Homebrew.
var where = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"}

// Postgres makes a PostgreSQL and starts it. As root it runs as the user postgres,
// since PostgreSQL refuses root.
func Postgres(ctx context.Context, o Options) (*Server, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	s := &Server{Server: database.Server{Engine: database.Postgres}, Admin: database.Login{User: "root", Password: newPassword()}}
	return s.finish(s.postgres(ctx, bin, o))
}

func (s *Server) postgres(ctx context.Context, bin string, o Options) error {
	if err := s.prepare("postgres", o); err != nil {
		return err
	}
	if err := s.write("password", []byte(s.Admin.Password)); err != nil {
		return err
	}
	err := s.run(ctx, filepath.Join(bin, "initdb"), "--no-sync", "-D", s.file("data"), "-U", s.Admin.User, "--pwfile", s.file("password"),
		"-A", "scram-sha-256", "-E", "UTF8", "--locale", "C")
	if err != nil {
		return err
	}
	s.program = filepath.Join(bin, "postgres")
	s.args = []string{"-D", s.file("data"), "-p", strconv.Itoa(s.Port), "-k", s.Folder, "-c", "listen_addresses=" + s.Host, "-c", "fsync=off"}
	if o.Statements {
		s.args = append(s.args, "-c", "log_statement=all")
	}
	if o.Cert != nil {
		s.args = append(s.args, "-c", "ssl=on", "-c", "ssl_cert_file="+s.file("server.pem"), "-c", "ssl_key_file="+s.file("server.key"))
	}
	return s.Start(ctx)
}

// postgresPrograms returns the folder of initdb and postgres.
func postgresPrograms() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		found, err = filepath.EvalSymlinks(found)
		return filepath.Dir(found), err
	}
	for _, pattern := range where {
		found, err := filepath.Glob(filepath.Join(pattern, "initdb"))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return filepath.Dir(slices.Max(found)), nil
		}
	}
	return "", fmt.Errorf("%w: PostgreSQL's programs initdb and postgres are not installed (Debian: postgresql)", ErrMissing)
}
