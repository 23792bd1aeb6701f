package scenario

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"sumun.dev/engine/database"
	"sumun.dev/engine/database/launch"
)

const (
	// ofRehearsals begins the names of the users that are made.
	ofRehearsals = "sumun_rehearsal_"
	// borrowing is how long an answer of the server is waited for.
	borrowing = 15 * time.Second
	// lapses is when the password of a user that could not be removed is worth nothing.
	lapses = time.Hour
)

// Postgres makes a user of a PostgreSQL server: of the one that a URL names, as its
// administrator, or with an empty URL of one that it starts from the programs that
// are installed. On a server that is somebody's it touches nothing but this user.
func Postgres(ctx context.Context, address string) (*Database, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if address != "" {
		return borrowed(ctx, address)
	}
	own, err := launch.Postgres(ctx, launch.Options{})
	if errors.Is(err, launch.ErrMissing) {
		return nil, fmt.Errorf("there is no PostgreSQL to rehearse with: install one (Debian: 'apt install postgresql'), which is started for the rehearsal, or name one by --postgres postgres://ADMIN@HOST/DATABASE (%w)", err)
	}
	if err != nil {
		return nil, err
	}
	admin := &url.URL{Scheme: "postgres", User: url.UserPassword(own.Admin.User, own.Admin.Password), Host: fmt.Sprintf("%s:%d", own.Host, own.Port), Path: "/postgres", RawQuery: "sslmode=disable"}
	d, err := borrowed(ctx, admin.String())
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	d.Close = own.Close // with all of it
	return d, nil
}

// borrowed makes a user on somebody's server.
func borrowed(ctx context.Context, address string) (*Database, error) {
	admin, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("--postgres: %w", err) // it keeps the password to itself
	}
	d, err := serverOf(admin, address)
	if err != nil {
		return nil, fmt.Errorf("--postgres: %w", err)
	}
	d.User = database.Login{User: ofRehearsals + strings.ToLower(rand.Text()[:10]), Password: rand.Text(), Database: admin.Database}
	name := pgx.Identifier{d.User.User}.Sanitize()
	// The password may come into the server's log; the first rotation makes it worthless.
	until := time.Now().Add(lapses).UTC().Format(time.RFC3339)
	if err := execute(ctx, admin, "CREATE ROLE "+name+" LOGIN PASSWORD '"+d.User.Password+"' VALID UNTIL '"+until+"'"); err != nil {
		return nil, fmt.Errorf("make a user for the rehearsal: %w", err)
	}
	d.Close = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), borrowing)
		defer cancel()
		if err := execute(ctx, admin, "DROP ROLE IF EXISTS "+name); err != nil {
			return fmt.Errorf("the rehearsal's user %s could not be removed: %w", d.User.User, err)
		}
		return nil
	}
	if err := d.check(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// check makes sure that the server asks its users for passwords.
func (d *Database) check(ctx context.Context) error {
	if err := d.Server.Try(ctx, d.User); err != nil {
		return fmt.Errorf("the rehearsal's user cannot log in: %w", err)
	}
	wrong := d.User
	wrong.Password = rand.Text()
	err := d.Server.Try(ctx, wrong)
	if err == nil {
		return errors.New("this PostgreSQL lets users in whatever password they give ('trust' in its pg_hba.conf), so that no rotation can be seen; without --postgres one is started that asks")
	}
	if !errors.Is(err, database.ErrLogin) {
		return err
	}
	return nil
}

// serverOf is the server as the plane is to reach it: beyond loopback over TLS only.
func serverOf(admin *pgx.ConnConfig, address string) (*Database, error) {
	if strings.HasPrefix(admin.Host, "/") {
		return nil, errors.New("a server is named by its host, not by a socket")
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("not a URL such as postgres://ADMIN@HOST/DATABASE")
	}
	d := &Database{Server: database.Server{Engine: database.Postgres, Host: admin.Host, Port: int(admin.Port), Timeout: borrowing}, CA: u.Query().Get("sslrootcert")}
	ip := net.ParseIP(admin.Host)
	loopback := admin.Host == "localhost" || ip != nil && ip.IsLoopback()
	d.Server.TLS = !loopback || strings.HasPrefix(u.Query().Get("sslmode"), "verify")
	if d.CA == "" {
		return d, nil
	}
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, err
	}
	d.Server.Roots = x509.NewCertPool()
	if !d.Server.Roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", d.CA)
	}
	return d, nil
}

func execute(ctx context.Context, as *pgx.ConnConfig, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, borrowing)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, as)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
