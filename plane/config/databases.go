package config

import (
	"fmt"
	"net"
	"strings"

	"sumun.dev/aws"
)

// Database is a database server whose users Secrets Manager looks after.
type Database struct {
	Name        string `yaml:"name" doc:"What people call it."`
	Engine      string `yaml:"engine" doc:"'postgres', 'mysql' or 'mariadb'."`
	Host        string `yaml:"host" doc:"Name or IP address, as 'host' in secrets has it."`
	Port        int    `yaml:"port" doc:"TCP port." default:"5432 for postgres, else 3306" min:"1" max:"65535"`
	Account     string `yaml:"account" doc:"Number of the account whose secrets hold users of this server." default:"the management account"`
	AdminSecret string `yaml:"admin-secret" doc:"ARN of the secret of who may make users, for rotation of alternating users whose own secrets name none by 'masterarn'."`
	TLS         string `yaml:"tls" doc:"'verify': the server's certificate must name host and be vouched for by ca. 'off': no TLS, for loopback addresses only." default:"off for loopback, else verify"`
	CA          string `yaml:"ca" doc:"PEM file of the authorities that may vouch for the server." default:"the system's"`
}

// maxDatabases bounds what each rotation looks through.
const maxDatabases = 1000

func (c *Config) checkDatabases() error {
	if len(c.Databases) > maxDatabases {
		return fmt.Errorf("databases: %d are listed, at most %d are allowed", len(c.Databases), maxDatabases)
	}
	names, places := map[string]bool{}, map[string]bool{}
	for i := range c.Databases {
		d := &c.Databases[i]
		if err := d.check(); err != nil {
			return fmt.Errorf("databases[%d].%w", i, err)
		}
		place := fmt.Sprintf("%s:%d", strings.ToLower(d.Host), d.PortOrDefault())
		switch {
		case names[d.Name]:
			return fmt.Errorf("databases[%d].name: %q is listed twice", i, d.Name)
		case places[place]:
			return fmt.Errorf("databases[%d].host: %s is listed twice", i, place)
		}
		names[d.Name], places[place] = true, true
	}
	return nil
}

func (d *Database) check() error {
	loop, err := loopback(net.JoinHostPort(d.Host, "0"))
	switch {
	case d.Name == "" || len(d.Name) > 100:
		return fmt.Errorf("name: has between 1 and 100 characters")
	case d.Engine != "postgres" && d.Engine != "mysql" && d.Engine != "mariadb":
		return fmt.Errorf("engine: %q is none of 'postgres', 'mysql', 'mariadb'", d.Engine)
	case net.ParseIP(d.Host) == nil && !hostName(d.Host):
		return fmt.Errorf("host: %q is neither a host's name nor an IP address", d.Host)
	case d.Port < 0 || d.Port > 65535:
		return fmt.Errorf("port: %d is not between 1 and 65535", d.Port)
	case d.TLS != "" && d.TLS != "verify" && d.TLS != "off":
		return fmt.Errorf("tls: %q is neither 'verify' nor 'off'", d.TLS)
	case d.TLS == "off" && (err != nil || !loop):
		return fmt.Errorf("tls: a password is not sent without TLS beyond loopback")
	}
	if d.AdminSecret != "" {
		if arn, err := aws.ParseARN(d.AdminSecret); err != nil || arn.Service != "secretsmanager" || !strings.HasPrefix(arn.Resource, "secret:") {
			return fmt.Errorf("admin-secret: %q is not the ARN of a secret", d.AdminSecret)
		}
	}
	return checkOwner(d.Account, "")
}

// hostName reports whether s may name a host.
func hostName(s string) bool {
	return s != "" && len(s) <= 253 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// PortOrDefault is the engine's usual port when none is set.
func (d *Database) PortOrDefault() int {
	switch {
	case d.Port != 0:
		return d.Port
	case d.Engine == "postgres":
		return 5432
	}
	return 3306
}

// Encrypted reports whether the server is spoken to over TLS.
func (d *Database) Encrypted() bool {
	if d.TLS != "" {
		return d.TLS == "verify"
	}
	loop, err := loopback(net.JoinHostPort(d.Host, "0"))
	return err != nil || !loop
}
