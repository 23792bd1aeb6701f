package rotate

import (
	"fmt"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/engine/database"
)

// A Database is a server on which the plane may rotate passwords of users whose
// secrets an account holds.
type Database struct {
	database.Server
	Account aws.Account
	Admin   string // ARN of the secret of who may make users; empty: secrets name it
}

// server returns the registered server that a secret names. A secret is written by
// whoever may write it: what it names must not choose whom the plane talks to.
func (r *run) server(c *credential) (*database.Server, error) {
	d, err := r.registered(c)
	if err != nil {
		return nil, err
	}
	return &d.Server, nil
}

func (r *run) registered(c *credential) (*Database, error) {
	arn, err := aws.ParseARN(r.secret)
	if err != nil {
		return nil, fmt.Errorf("rotate: %w", err)
	}
	for i := range r.f.databases {
		d := &r.f.databases[i]
		if d.Account == arn.Account && d.Port == c.port && strings.EqualFold(d.Host, c.host) && string(d.Engine) == c.engine {
			return d, nil
		}
	}
	return nil, fmt.Errorf("rotate: no %s server %s:%d stands in the plane's settings (databases:) for account %s", c.engine, c.host, c.port, arn.Account)
}
