package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"unicode/utf8"

	driver "github.com/go-sql-driver/mysql"
)

type mysql struct{}

func (mysql) try(ctx context.Context, s *Server, as Login) error {
	return s.mysql(ctx, as, func(ctx context.Context, conn *sql.Conn) error {
		var one int
		return conn.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	})
}

// setOwn asks in the words of the server that answers, whatever the settings call
// it: MariaDB lets a user change the own password by SET PASSWORD only, and reads
// ALTER USER CURRENT_USER() of an administrator as one without a password.
func (mysql) setOwn(ctx context.Context, s *Server, as Login, password string) error {
	return s.mysql(ctx, as, func(ctx context.Context, conn *sql.Conn) error {
		var version string
		if err := conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
			return err
		}
		statement := "ALTER USER USER() IDENTIFIED BY ?"
		if strings.Contains(version, "MariaDB") {
			statement = "SET PASSWORD = PASSWORD(?)"
		}
		_, err := conn.ExecContext(ctx, statement, password)
		return err
	})
}

// clone makes name an account for the host of of's account, with copies of its
// grants and its demands on TLS.
func (mysql) clone(ctx context.Context, s *Server, admin, of Login, name, password string) error {
	original, err := s.mysqlAccount(ctx, of)
	if err != nil {
		return err
	}
	copied := account{name, original.host}
	return s.mysql(ctx, admin, func(ctx context.Context, conn *sql.Conn) error {
		grants, err := showGrants(ctx, conn, original)
		if err != nil {
			return err
		}
		statements := make([]string, 0, len(grants))
		for _, g := range grants {
			statement, ok := grantTo(g, copied)
			if !ok {
				return fmt.Errorf("database: a grant of %s is not understood", original.name)
			}
			if statement != "" {
				statements = append(statements, statement)
			}
		}
		demand, err := tlsDemand(ctx, conn, original)
		if err != nil {
			return err
		}
		// MySQL commits after each of these. The password comes last, so that who
		// can log in has all rights, and done again it comes to the same.
		if _, err := conn.ExecContext(ctx, "CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?", copied.name, copied.host, unguessable()); err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		_, err = conn.ExecContext(ctx, "ALTER USER ?@? IDENTIFIED BY ? "+demand.clause, append([]any{copied.name, copied.host, password}, demand.values...)...)
		return err
	})
}

// An account is a user from a host: 'app'@'10.0.0.%'.
type account struct{ name, host string }

// mysqlAccount returns the account that the server lets a user in by.
func (s *Server) mysqlAccount(ctx context.Context, as Login) (a account, err error) {
	err = s.mysql(ctx, as, func(ctx context.Context, conn *sql.Conn) error {
		var text string
		if err := conn.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&text); err != nil {
			return err
		}
		at := strings.LastIndexByte(text, '@') // a host has none
		if at < 0 {
			return fmt.Errorf("database: the server calls %s %q", as.User, text)
		}
		a = account{text[:at], text[at+1:]}
		return nil
	})
	return a, err
}

func showGrants(ctx context.Context, conn *sql.Conn, of account) ([]string, error) {
	rows, err := conn.QueryContext(ctx, "SHOW GRANTS FOR ?@?", of.name, of.host)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var g string
		if err := rows.Scan(&g); err != nil {
			return nil, err
		}
		if len(all) == maxGrants || len(g) > maxGrant {
			return nil, fmt.Errorf("database: %s has more grants than are copied", of.name)
		}
		all = append(all, g)
	}
	return all, rows.Err()
}

// A demand is what an account's connections must have.
type demand struct {
	clause string
	values []any
}

func tlsDemand(ctx context.Context, conn *sql.Conn, of account) (demand, error) {
	var kind, cipher, issuer, subject string
	err := conn.QueryRowContext(ctx, "SELECT ssl_type, ssl_cipher, x509_issuer, x509_subject FROM mysql.user WHERE User = ? AND Host = ?", of.name, of.host).Scan(&kind, &cipher, &issuer, &subject)
	if err != nil {
		return demand{}, err
	}
	switch kind {
	case "ANY":
		return demand{clause: "REQUIRE SSL"}, nil
	case "X509":
		return demand{clause: "REQUIRE X509"}, nil
	case "SPECIFIED":
		var d demand
		for _, part := range []struct{ name, value string }{{"CIPHER", cipher}, {"ISSUER", issuer}, {"SUBJECT", subject}} {
			if part.value != "" {
				d.clause += " " + part.name + " ?"
				d.values = append(d.values, part.value)
			}
		}
		d.clause = "REQUIRE" + d.clause
		return d, nil
	}
	return demand{clause: "REQUIRE NONE"}, nil
}

// checkName holds to MySQL's length; MariaDB's would be 80.
func (mysql) checkName(name string) error {
	if name == "" || utf8.RuneCountInString(name) > 32 || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %q: MySQL's have 1 to 32 characters", ErrName, name)
	}
	return nil
}

func (s *Server) mysql(ctx context.Context, as Login, work func(context.Context, *sql.Conn) error) error {
	c := driver.NewConfig()
	c.User, c.Passwd, c.DBName = as.User, as.Password, as.Database
	c.Net, c.Addr, c.TLS = "tcp", s.address(), s.tls()
	// The driver quotes what stands for "?" as the server's mode demands, since
	// statements about users cannot be prepared.
	c.InterpolateParams = true
	c.Logger = log.New(io.Discard, "", 0)
	connector, err := driver.NewConnector(c)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return mysqlError(err)
	}
	defer conn.Close()
	return mysqlError(work(ctx, conn))
}

// mysqlError says what the server refuses without its words, which quote the
// statement, and with it the password.
func mysqlError(err error) error {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Number {
	case 1045, 1698, 3118, 4151: // access denied, no password, account locked, in MySQL and in MariaDB
		return fmt.Errorf("%w: MySQL error %d", ErrLogin, e.Number)
	case 1044, 1142, 1227, 1410, 1819: // these quote no statement
		return fmt.Errorf("database: MySQL error %d: %s", e.Number, e.Message)
	}
	return fmt.Errorf("database: MySQL error %d (%s)", e.Number, string(e.SQLState[:]))
}
