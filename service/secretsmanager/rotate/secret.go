package rotate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/aws"
	"sumun.dev/engine/database"
)

const (
	current  = "AWSCURRENT"
	pending  = "AWSPENDING"
	previous = "AWSPREVIOUS"
)

// A credential is what the text of a secret says. User Guide, "JSON structure of
// AWS Secrets Manager secrets".
type credential struct {
	engine, host, user, password, database, master string
	port                                           int
	all                                            map[string]any // what the customer keeps beside
}

// Format keeps the password out of logs, whatever the verb.
func (c *credential) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.user) }

func (c *credential) login() database.Login {
	return database.Login{User: c.user, Password: c.password, Database: c.database}
}

// same reports whether both are of the same server.
func (c *credential) same(o *credential) bool {
	return strings.EqualFold(c.host, o.host) && c.port == o.port
}

// with returns the text of the secret with another user and password.
func (c *credential) with(user, password string) (string, error) {
	c.all["username"], c.all["password"] = user, password
	b, err := json.Marshal(c.all)
	return string(b), err
}

// value reads the version of the secret that has a stage; as pending, this rotation's only.
func (r *run) value(ctx context.Context, stage string) (*credential, error) {
	in := &secretsmanagerapi.GetSecretValueRequest{SecretId: r.secret, VersionStage: &stage}
	if stage == pending {
		in.VersionId = &r.token
	}
	return r.read(ctx, in, string(r.template.engine))
}

// read refuses a secret of another engine; an empty one leaves it open.
func (r *run) read(ctx context.Context, in *secretsmanagerapi.GetSecretValueRequest, engine string) (*credential, error) {
	out, err := secretsmanagerapi.GetSecretValue.Call(ctx, r.f.aws, in)
	if err != nil {
		return nil, err
	}
	if out.SecretString == nil {
		return nil, fmt.Errorf("rotate: %s holds no text", in.SecretId)
	}
	c, err := parse(string(*out.SecretString))
	if err != nil {
		return nil, fmt.Errorf("rotate: %s: %w", in.SecretId, err)
	}
	if engine != "" && c.engine != engine {
		return nil, fmt.Errorf("rotate: %s: 'engine' is not %q, which %s rotates", in.SecretId, engine, r.template.name)
	}
	return c, nil
}

// parse reads the text of a secret. It never says what stands in it.
func parse(text string) (*credential, error) {
	c := &credential{}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber() // as the customer wrote it
	if err := d.Decode(&c.all); err != nil || c.all == nil {
		return nil, errors.New("the secret is not a JSON object")
	}
	for key, to := range map[string]*string{"engine": &c.engine, "host": &c.host, "username": &c.user, "password": &c.password, "dbname": &c.database, "masterarn": &c.master} {
		v, there := c.all[key]
		text, ok := v.(string)
		if there && !ok {
			return nil, fmt.Errorf("%q is not a text", key)
		}
		*to = text
	}
	for _, must := range []struct{ key, value string }{{"engine", c.engine}, {"host", c.host}, {"username", c.user}, {"password", c.password}} {
		if must.value == "" {
			return nil, fmt.Errorf("%q is missing", must.key)
		}
	}
	c.port = 3306
	if c.engine == string(database.Postgres) {
		c.port = 5432
	}
	if v, there := c.all["port"]; there && v != nil {
		port, err := strconv.ParseUint(fmt.Sprint(v), 10, 16)
		if err != nil || port == 0 {
			return nil, errors.New(`"port" is not a port`)
		}
		c.port = int(port)
	}
	return c, nil
}

// missing reports whether a version, or its value, is not there yet.
func missing(err error) bool {
	var e *aws.Error
	return errors.As(err, &e) && e.Code == secretsmanagerapi.ResourceNotFoundException.Code
}
