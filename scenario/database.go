package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sumun.dev/engine/database"
	"sumun.dev/plane/config"
)

// A Database is a user of a database server, who is there for one script.
type Database struct {
	Server database.Server
	CA     string // PEM file of the authorities that may vouch for the server; empty: the system's
	User   database.Login
	Close  func() error // removes the user
}

// setting is the server as the plane's settings name it.
func (d *Database) setting() config.Database {
	c := config.Database{Name: "scenario", Engine: string(d.Server.Engine), Host: d.Server.Host, Port: d.Server.Port, TLS: "off", CA: d.CA}
	if d.Server.TLS {
		c.TLS = "verify"
	}
	return c
}

// A credential is the text of a database user's secret. Secrets Manager User Guide,
// "JSON structure of AWS Secrets Manager secrets".
type credential struct {
	Engine   string `json:"engine"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Username string `json:"username"`
	Password string `json:"password"`
	Database string `json:"dbname,omitempty"`
}

// database user | database login TEXT
//
// database prints the text of a secret of the script's database user, or logs in to
// the server with such a text.
func (s *step) logins(args []string) error {
	switch {
	case s.database == nil:
		return misused("database: there is no database server here; play this scenario with 'sumun rehearse'")
	case len(args) == 1 && args[0] == "user":
		at := s.database.Server
		return json.NewEncoder(s.out).Encode(credential{string(at.Engine), at.Host, at.Port, s.database.User.User, s.database.User.Password, s.database.User.Database})
	case len(args) == 2 && args[0] == "login":
		var c credential
		if err := json.Unmarshal([]byte(args[1]), &c); err != nil {
			return misused("database login: this is not the text of a database user's secret")
		}
		return s.login(c)
	}
	return misused("usage: database user, or database login TEXT")
}

func (s *step) login(c credential) error {
	at := &s.database.Server
	if !strings.EqualFold(c.Host, at.Host) || c.Port != at.Port {
		return misused("database login: the secret is of another server than the script's")
	}
	err := at.Try(s.ctx, database.Login{User: c.Username, Password: c.Password, Database: c.Database})
	m := Moment{At: time.Now(), Kind: "login", Who: c.Username, What: c.Engine, Then: "the password is right"}
	switch {
	case errors.Is(err, database.ErrLogin):
		m.Then, m.Bad = "the password is wrong", true
	case err != nil:
		return err
	}
	s.tell(m)
	if m.Bad {
		fmt.Fprintf(s.errs, "%s is refused: %s\n", c.Username, m.Then)
		return errFailed
	}
	fmt.Fprintf(s.out, "%s is logged in\n", c.Username)
	return nil
}
