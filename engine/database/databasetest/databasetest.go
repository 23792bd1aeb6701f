// Package databasetest runs real database servers for tests.
package databasetest

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"sumun.dev/engine/certtest"
	"sumun.dev/engine/database"
)

// A Server is a database server of the test's own. Its users prove who they are
// by passwords, also from loopback.
type Server struct {
	database.Server
	Admin database.Login // may do everything
	CA    string         // PEM file of the authority of the server's certificate
	Roots *x509.CertPool

	log guarded
}

// Log returns what the server has written to its log. Statements stand in it.
func (s *Server) Log() string { return s.log.String() }

// Postgres starts a PostgreSQL that ends with the test. Without the programs the
// test is skipped, or fails when SUMUN_TEST_REQUIRE=1 says that they must be there.
func Postgres(t testing.TB) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		missing(t, "PostgreSQL's programs are not in /usr/lib/postgresql (install postgresql)")
	}
	bin := filepath.Dir(slices.Max(found))
	folder := folder(t)
	who := nobodyElse(t, folder)
	admin := database.Login{User: "root", Password: rand.Text()}
	write(t, filepath.Join(folder, "password"), []byte(admin.Password), who)
	data := filepath.Join(folder, "data")
	run(t, who, filepath.Join(bin, "initdb"), "--no-sync", "-D", data, "-U", admin.User, "--pwfile", filepath.Join(folder, "password"), "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8")
	s := &Server{Server: database.Server{Engine: database.Postgres, Host: "127.0.0.1", Port: freePort(t)}, Admin: admin}
	s.certify(t, folder, who)
	s.start(t, who, filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(s.Port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
		"-c", "log_statement=all", "-c", "ssl=on", "-c", "ssl_cert_file="+filepath.Join(folder, "server.pem"), "-c", "ssl_key_file="+filepath.Join(folder, "server.key"))
	return s
}

// MariaDB starts a MariaDB that ends with the test, as Postgres does.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	program, err := exec.LookPath("mariadbd")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/mariadbd")
	}
	if err != nil {
		missing(t, "mariadbd is not installed (install mariadb-server)")
	}
	folder := folder(t)
	who := (*syscall.SysProcAttr)(nil)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(folder, "data")
	admin := database.Login{User: "root"}
	run(t, who, "mariadb-install-db", "--no-defaults", "--datadir="+data, "--user="+me.Username, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	s := &Server{Server: database.Server{Engine: database.MariaDB, Host: "127.0.0.1", Port: freePort(t)}, Admin: admin}
	s.certify(t, folder, who)
	s.start(t, who, program, "--no-defaults", "--datadir="+data, "--user="+me.Username, "--port="+strconv.Itoa(s.Port), "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(folder, "socket"), "--pid-file="+filepath.Join(folder, "pid"), "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0",
		"--ssl-ca="+s.CA, "--ssl-cert="+filepath.Join(folder, "server.pem"), "--ssl-key="+filepath.Join(folder, "server.key"))
	s.Admin.Password = rand.Text()
	s.ExecAs(t, admin, "SET PASSWORD = PASSWORD('"+s.Admin.Password+"')")
	return s
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("SUMUN_TEST_REQUIRE") == "1" {
		t.Fatalf("SUMUN_TEST_REQUIRE=1, and %s", what)
	}
	t.Skip(what)
}

// start runs the server until the test ends, and returns when it answers.
func (s *Server) start(t testing.TB, who *syscall.SysProcAttr, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	out := &s.log
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, who
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGQUIT) // at once
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
		}
	})
	for range 300 {
		if s.Try(context.Background(), s.Admin) == nil {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s: %v\n%s", program, err, out.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer: %v\n%s", program, s.Try(context.Background(), s.Admin), out.String())
}

func run(t testing.TB, who *syscall.SysProcAttr, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = who, "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// folder has a short name, which sockets need.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sumun-db-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// nobodyElse gives the folder to the user as whom the server is run: PostgreSQL
// refuses to run as root.
func nobodyElse(t testing.TB, folder string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		missing(t, "there is no user 'postgres', and root may not run PostgreSQL")
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func write(t testing.TB, file string, b []byte, who *syscall.SysProcAttr) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if who != nil {
		if err := os.Chown(file, int(who.Credential.Uid), int(who.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// certify makes the server's certificate and the authority that signs it.
func (s *Server) certify(t testing.TB, folder string, who *syscall.SysProcAttr) {
	t.Helper()
	c := certtest.New(t, "database")
	s.CA, s.Roots = filepath.Join(folder, "ca.pem"), x509.NewCertPool()
	s.Roots.AppendCertsFromPEM(c.CA)
	write(t, s.CA, c.CA, who)
	write(t, filepath.Join(folder, "server.pem"), c.Cert, who)
	write(t, filepath.Join(folder, "server.key"), c.Key, who)
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
