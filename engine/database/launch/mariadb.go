package launch

import (
	"context"
	"fmt"
	"os/exec"
	"os/user"
	"strconv"

	"sumun.dev/engine/database"
)

// MariaDB makes a MariaDB and starts it.
func MariaDB(ctx context.Context, o Options) (*Server, error) {
	program, err := exec.LookPath("mariadbd")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/mariadbd")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: mariadbd is not installed (Debian: mariadb-server)", ErrMissing)
	}
	s := &Server{Server: database.Server{Engine: database.MariaDB}, Admin: database.Login{User: "root", Password: newPassword()}, program: program}
	return s.finish(s.mariadb(ctx, o))
}

func (s *Server) mariadb(ctx context.Context, o Options) error {
	if err := s.prepare("", o); err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return err
	}
	data := s.file("data")
	if err := s.run(ctx, "mariadb-install-db", "--no-defaults", "--datadir="+data, "--user="+me.Username, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"); err != nil {
		return err
	}
	// Before it listens, the server reads who the administrator is.
	var first string
	for _, host := range []string{"localhost", s.Host} {
		first += "CREATE OR REPLACE USER root@'" + host + "' IDENTIFIED BY '" + s.Admin.Password + "';\nGRANT ALL ON *.* TO root@'" + host + "' WITH GRANT OPTION;\n"
	}
	if err := s.write("first.sql", []byte(first)); err != nil {
		return err
	}
	s.args = []string{"--no-defaults", "--datadir=" + data, "--user=" + me.Username, "--port=" + strconv.Itoa(s.Port), "--bind-address=" + s.Host,
		"--socket=" + s.file("socket"), "--pid-file=" + s.file("pid"), "--init-file=" + s.file("first.sql"), "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"}
	if o.Cert != nil {
		s.args = append(s.args, "--ssl-ca="+s.file("ca.pem"), "--ssl-cert="+s.file("server.pem"), "--ssl-key="+s.file("server.key"))
	}
	return s.Start(ctx)
}
