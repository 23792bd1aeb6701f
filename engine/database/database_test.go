package database_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sumun.dev/engine/database"
	"sumun.dev/engine/database/databasetest"
)

// Names and passwords that break statements that are put together carelessly.
var (
	awkwardName     = "o'Brien \"x\" `y` \\"
	awkwardPassword = "a'b\"c`d\\e%s$1;-- "
)

func TestPostgreSQL(t *testing.T) {
	s := databasetest.Postgres(t)
	s.Exec(t, `CREATE ROLE app LOGIN PASSWORD 'first'`, `CREATE ROLE "`+strings.ReplaceAll(awkwardName, `"`, `""`)+`" LOGIN PASSWORD 'first'`,
		`CREATE TABLE mine (x int)`, `INSERT INTO mine VALUES (42)`, `GRANT SELECT ON mine TO app`)
	suite(t, s)

	if got := s.ExecAs(t, database.Login{User: "app_clone", Password: "second clone"}, "SELECT x FROM mine"); got != "42\n" {
		t.Errorf("the clone reads %q", got)
	}
	log := s.Log()
	for _, password := range []string{"a'b", "second", "first-clone"} {
		if strings.Contains(log, password) {
			t.Errorf("the password %s… stands in the server's log", password)
		}
	}
	if !strings.Contains(log, "ALTER ROLE") {
		t.Error("the server's log does not show the statements, so it proves nothing")
	}
}

func TestMariaDB(t *testing.T) {
	s := databasetest.MariaDB(t)
	s.Exec(t, `CREATE DATABASE d`, `CREATE TABLE d.mine (x int)`, `INSERT INTO d.mine VALUES (42)`, "CREATE DATABASE `x TO y``z`", "CREATE TABLE `x TO y``z`.u (x int)",
		`CREATE USER app@'127.0.0.1' IDENTIFIED BY 'first' WITH MAX_USER_CONNECTIONS 7`, `GRANT SELECT, INSERT ON d.* TO app@'127.0.0.1' WITH GRANT OPTION`,
		"GRANT SELECT (x) ON `x TO y``z`.u TO app@'127.0.0.1'", `CREATE ROLE reader`, `GRANT reader TO app@'127.0.0.1'`, `SET DEFAULT ROLE reader FOR app@'127.0.0.1'`,
		"CREATE USER 'o\\'Brien \"x\" `y` \\\\'@'%' IDENTIFIED BY 'first'")
	suite(t, s)

	clone := database.Login{User: "app_clone", Password: "second clone", Database: "d"}
	if got := s.ExecAs(t, clone, "SELECT x FROM mine"); got != "42\n" {
		t.Errorf("the clone reads %q", got)
	}
	grants := func(user string) string {
		text := s.Exec(t, "SHOW GRANTS FOR "+user+"@'127.0.0.1'")
		lines := strings.Split(text, "\n")
		for i, l := range lines {
			if at := strings.Index(l, " IDENTIFIED BY PASSWORD '"); at >= 0 {
				lines[i] = l[:at] + l[at+len(" IDENTIFIED BY PASSWORD '")+42:]
			}
		}
		return strings.Join(lines, "\n")
	}
	if got, want := strings.ReplaceAll(grants("app_clone"), "app_clone", "app"), grants("app"); got != want {
		t.Errorf("the clone has\n%s\nthe original has\n%s", got, want)
	}
}

// suite is what each engine must do; the server has the users app and awkwardName, with the password "first".
func suite(t *testing.T, s *databasetest.Server) {
	ctx := context.Background()
	app := func(password string) database.Login { return database.Login{User: "app", Password: password} }
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	refused := func(what string, as database.Login) {
		t.Helper()
		if err := s.Try(ctx, as); !errors.Is(err, database.ErrLogin) {
			t.Errorf("%s: %v, want ErrLogin", what, err)
		}
	}

	must("the first password logs in", s.Try(ctx, app("first")))
	refused("another", app("wrong"))
	refused("nobody", database.Login{User: "nobody", Password: "first"})

	must("change", s.SetPassword(ctx, app("first"), awkwardPassword))
	must("the new password logs in", s.Try(ctx, app(awkwardPassword)))
	refused("the old password", app("first"))

	odd := database.Login{User: awkwardName, Password: "first"}
	must("change of an awkward name", s.SetPassword(ctx, odd, "second"))
	must("its new password logs in", s.Try(ctx, database.Login{User: awkwardName, Password: "second"}))
	refused("its old password", odd)

	must("clone", s.Clone(ctx, s.Admin, app(awkwardPassword), "app_clone", "first-clone"))
	must("the clone logs in", s.Try(ctx, database.Login{User: "app_clone", Password: "first-clone"}))
	must("clone again", s.Clone(ctx, s.Admin, app(awkwardPassword), "app_clone", "second clone"))
	must("the clone's new password logs in", s.Try(ctx, database.Login{User: "app_clone", Password: "second clone"}))
	refused("the clone's old password", database.Login{User: "app_clone", Password: "first-clone"})
	must("the original is as before", s.Try(ctx, app(awkwardPassword)))
	if err := s.Clone(ctx, s.Admin, app("wrong"), "other_clone", "x"); !errors.Is(err, database.ErrLogin) {
		t.Errorf("a clone of who cannot log in: %v", err)
	}
	must("clone of an awkward name", s.Clone(ctx, s.Admin, database.Login{User: awkwardName, Password: "second"}, awkwardName+"_clone", awkwardPassword))
	must("it logs in", s.Try(ctx, database.Login{User: awkwardName + "_clone", Password: awkwardPassword}))

	for _, bad := range []string{"", "a\x00b", "pässwörd", "a\nb", strings.Repeat("a", 129)} {
		if err := s.SetPassword(ctx, app(awkwardPassword), bad); !errors.Is(err, database.ErrPassword) {
			t.Errorf("password %q: %v", bad, err)
		}
	}
	if err := s.Clone(ctx, s.Admin, app(awkwardPassword), strings.Repeat("a", 90), "x"); !errors.Is(err, database.ErrName) {
		t.Errorf("a long name: %v", err)
	}

	over := s.Server.Server
	over.TLS, over.Roots = true, s.Roots
	must("over TLS", over.Try(ctx, app(awkwardPassword)))
	over.Roots = nil
	if err := over.Try(ctx, app(awkwardPassword)); err == nil || errors.Is(err, database.ErrLogin) {
		t.Errorf("an authority that nobody knows: %v", err)
	}
}

func TestNoPasswordIsSentInTheClear(t *testing.T) {
	for _, host := range []string{"192.0.2.1", "db.example.com", "0.0.0.0"} {
		s := database.Server{Engine: database.Postgres, Host: host, Port: 5432}
		if err := s.Try(context.Background(), database.Login{User: "x", Password: "y"}); !errors.Is(err, database.ErrPlain) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestASilentServerIsNotWaitedForLong(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, e := range []database.Engine{database.Postgres, database.MySQL} {
		s := database.Server{Engine: e, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Timeout: 200 * time.Millisecond}
		began := time.Now()
		if err := s.Try(context.Background(), database.Login{User: "x", Password: "y"}); err == nil || errors.Is(err, database.ErrLogin) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %s", e, err, time.Since(began))
		}
	}
}

func TestALoginKeepsItsPassword(t *testing.T) {
	l := database.Login{User: "app", Password: rand.Text()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, l); strings.Contains(got, l.Password) {
			t.Errorf("%s shows it", verb)
		}
	}
}
