package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/engine/database/databasetest"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/store"
	"sumun.dev/store/sqlite"
)

// A thief takes away all that a plane leaves on disks and in databases, and all that
// it logs: while it runs, after it was killed, and after it has ended. Without the
// root key none of it reveals a secret, a parameter's value or key material, in
// whatever form.
func TestStolenDataRevealsNothing(t *testing.T) {
	for _, where := range []string{"sqlite", "postgres"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			server := databasetest.Postgres(t) // rotates passwords, and keeps the state of the second plane
			v := &victim{t: t, server: server, loot: t.TempDir()}
			settings := fmt.Sprintf(leakSettings, server.Port, server.CA)
			if where == "postgres" {
				v.database = fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/postgres?sslmode=verify-full&sslrootcert=%s",
					server.Admin.User, server.Admin.Password, server.Port, url.QueryEscape(server.CA))
				v.keep("the password of the state's database", []byte(server.Admin.Password))
				settings += fmt.Sprintf("store: {postgres: %q}\n", v.database)
			}
			v.program = newProgram(t, settings)
			v.rob()
		})
	}
}

const leakSettings = `
listen: 127.0.0.1:0
admin: 127.0.0.1:0
account-id: "111122223333"
dns: {listen: ""}
log: {level: debug}
databases:
  - {name: app, engine: postgres, host: 127.0.0.1, port: %d, tls: verify, ca: %s}
`

// A victim is a plane whose secrets are known to the test.
type victim struct {
	*program
	t        *testing.T
	server   *databasetest.Server
	database string // of the plane; empty: SQLite
	loot     string // what was stolen, a folder for each time

	secrets []secretValue
	log     bytes.Buffer
	told    bytes.Buffer // by the admin listener
}

type secretValue struct {
	name  string
	value []byte
}

// clearName is the name of a secret. The plane keeps it in clear text: who does not
// find it looks at the wrong files.
const clearName = "stolen/names-are-not-secret"

// Names of values that some place may tell.
const (
	firstPass   = "the database's first password"
	eventDetail = "an event's detail"
)

func (v *victim) rob() {
	t := v.t
	v.errs = &v.log
	v.start()
	defer func() {
		if v.cmd.ProcessState == nil {
			v.kill()
		}
	}()
	v.use()
	trail := v.trail()
	for _, page := range []string{"/metrics", "/ready", "/health"} {
		v.ask(page)
	}
	v.steal("running")

	v.killWriting()
	v.steal("killed")
	v.start()
	must(v.program, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: clearName})
	v.backup()
	ok(t, v.cmd.Process.Signal(os.Interrupt))
	ok(t, v.cmd.Wait())
	v.steal("ended")
	v.openWithRootKey()

	s, names := newSearch(t), newSearch(t)
	for _, x := range v.secrets {
		s.add(t, x.name, x.value)
	}
	names.add(t, "a name", []byte(clearName))
	for _, when := range []string{"running", "killed", "ended", "backup"} {
		found, size := s.inFolder(t, filepath.Join(v.loot, when))
		for file, what := range found {
			t.Errorf("%s: %s reveals %s", when, file, strings.Join(what, ", "))
		}
		if clear, _ := names.inFolder(t, filepath.Join(v.loot, when)); len(clear) == 0 {
			t.Errorf("%s: not even a name is found", when)
		}
		t.Logf("%s: %d values were looked for in %d bytes", when, len(v.secrets), size)
	}
	for _, place := range []struct {
		name, knows string // what the place may tell
		text        []byte
	}{
		{name: "the log", text: v.log.Bytes()},
		{name: "the trail", text: trail, knows: eventDetail}, // it tells of PutEvents what was put
		{name: "explanations and metrics", text: v.told.Bytes()},
		{name: "the database server's log", text: []byte(v.server.Log()), knows: firstPass}, // the test's own CREATE ROLE
	} {
		for _, what := range s.in(place.text) {
			if place.knows == "" || !strings.HasPrefix(what, place.knows) {
				t.Errorf("%s: reveals %s", place.name, what)
			}
		}
		t.Logf("%s: %d bytes", place.name, len(place.text))
	}
	if !bytes.Contains(v.log.Bytes(), []byte("operation=secretsmanager:CreateSecret")) || !bytes.Contains(trail, []byte("CreateSecret")) || !bytes.Contains(v.told.Bytes(), []byte("secretsmanager:PutSecretValue")) {
		t.Errorf("log, trail and explanations do not tell of what was done:\n%s\n%s", v.log.String(), v.told.String())
	}
	v.control(s)
}

// secret returns a value that is in no other place, of characters that every
// language writes in its own way, and has it looked for.
func (v *victim) secret(name string) string {
	value := name[:3] + `<&"'>\ é+/%` + rand.Text()
	v.keep(name, []byte(value))
	return value
}

// plain is secret for values that must be plain text.
func (v *victim) plain(name string) string {
	value := rand.Text()
	v.keep(name, []byte(value))
	return value
}

func (v *victim) keep(name string, value []byte) {
	v.t.Helper()
	if len(value) == 0 {
		v.t.Fatalf("%s: is empty", name)
	}
	v.secrets = append(v.secrets, secretValue{name, value})
}

// steal copies all that lies in the plane's folder, but for the root key, the settings
// and the keys of the first start, and all of its database: its tables as text and in
// binary, and the server's own files.
func (v *victim) steal(when string) {
	t := v.t
	t.Helper()
	into := filepath.Join(v.loot, when)
	copyFolder(t, v.data, filepath.Join(into, "folder"))
	for _, apart := range []string{plane.RootKeyFile, runtime.CredentialsFile, "sumun.yaml"} {
		if err := os.Remove(filepath.Join(into, "folder", apart)); err != nil {
			t.Fatal(err)
		}
	}
	if v.database == "" {
		return
	}
	copyFolder(t, strings.TrimSpace(v.server.Exec(t, "SHOW data_directory")), filepath.Join(into, "server"))
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, v.database)
	ok(t, err)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()")
	ok(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	ok(t, err)
	for _, table := range tables {
		for _, format := range []string{"text", "binary"} {
			var out bytes.Buffer
			_, err := conn.PgConn().CopyTo(ctx, &out, "COPY "+pgx.Identifier{table}.Sanitize()+" TO STDOUT (FORMAT "+format+")")
			ok(t, err)
			ok(t, os.WriteFile(filepath.Join(into, table+"."+format), out.Bytes(), 0o600))
		}
	}
}

// copyFolder copies what is there. Files that go meanwhile are nobody's loot.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		at, rerr := filepath.Rel(from, name)
		if err = errors.Join(err, rerr); err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, at), 0o700)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, at), data, 0o600)
	})
	ok(t, err)
}

// backup has the program write a backup while it runs.
func (v *victim) backup() {
	folder := filepath.Join(v.loot, "backup")
	ok(v.t, os.Mkdir(folder, 0o700))
	cmd := exec.Command(os.Args[0], "backup", filepath.Join(folder, "file"), "--data", v.data, "--postgres", v.database)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		v.t.Fatalf("%v: %s", err, out)
	}
}

// openWithRootKey learns what only the plane knows: material that KMS made, and the
// keys of the first start.
func (v *victim) openWithRootKey() {
	t, ctx := v.t, v.t.Context()
	cfg := config.Default()
	cfg.Data, cfg.Store.Postgres = v.data, v.database
	st, _, err := plane.OpenStore(ctx, &cfg)
	ok(t, err)
	made := 0
	for e, err := range store.NewTable[struct {
		Spec      string
		Materials []struct{ Bytes []byte }
	}](st, "kms.keys").Everywhere(ctx) {
		ok(t, err)
		for _, m := range e.Value.Materials {
			v.keepKey("material of "+e.Value.Spec, m.Bytes)
			made++
		}
	}
	for e, err := range store.NewTable[struct{ Wrapping []byte }](st, "kms.imports").Everywhere(ctx) {
		ok(t, err)
		v.keepKey("the private key of an import", e.Value.Wrapping)
		made++
	}
	ok(t, st.Close())
	if made < 12 {
		t.Errorf("the plane holds %d materials", made)
	}

	text, err := os.ReadFile(filepath.Join(v.data, plane.RootKeyFile))
	ok(t, err)
	for line := range strings.Lines(string(text)) {
		if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line)); err == nil && len(key) > 0 {
			v.keep("the root key", key)
		}
	}
	text, err = os.ReadFile(filepath.Join(v.data, runtime.CredentialsFile))
	ok(t, err)
	var first map[string]runtime.Key
	ok(t, json.Unmarshal(text, &first))
	for name, key := range first {
		v.keep("the first start's key of "+name, []byte(key.SecretAccessKey))
	}
}

// control plants a value where the others were looked for, in every form, bare and
// packed: a search that misses one proves nothing.
func (v *victim) control(missed *search) {
	t := v.t
	value := []byte(`con<&"'>\ é+/%` + rand.Text())
	s := newSearch(t)
	s.add(t, "the control", value)
	junk := []byte(rand.Text()[:7])
	for _, f := range forms(value) {
		for packing, pack := range packings {
			planted := append(append(append([]byte{}, junk...), pack(t, append(append(append([]byte{}, junk...), f.text...), junk...))...), junk...)
			if found := s.in(planted); len(found) == 0 {
				t.Errorf("the control as %s %s is not found", f.name, packing)
			}
			if found := missed.in(planted); len(found) > 0 {
				t.Errorf("the control is taken for %q", found)
			}
		}
	}
	where := v.plant(value)
	v.steal("control")
	found, _ := s.inFolder(t, filepath.Join(v.loot, "control"))
	for _, part := range where {
		if len(found[part]) == 0 {
			t.Errorf("the control is not found in %s, only in %v", part, found)
		}
	}
}

var packings = map[string]func(testing.TB, []byte) []byte{
	"bare": func(_ testing.TB, b []byte) []byte { return b },
	"in gzip": func(t testing.TB, b []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, err := w.Write(b)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	},
	"in zlib": func(t testing.TB, b []byte) []byte {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		_, err := w.Write(b)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	},
	"in zstd": func(t testing.TB, b []byte) []byte {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		return w.EncodeAll(b, nil)
	},
}

// plant has the value kept where the plane keeps its state, unsealed, and returns the
// stolen files that must show it.
func (v *victim) plant(value []byte) []string {
	t, ctx := v.t, context.WithoutCancel(v.t.Context())
	ok(t, os.WriteFile(filepath.Join(v.data, "spine", "planted"), value, 0o600))
	if v.database != "" {
		conn, err := pgx.Connect(ctx, v.database)
		ok(t, err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "CREATE TABLE planted (doc bytea)")
		ok(t, err)
		_, err = conn.Exec(ctx, "INSERT INTO planted VALUES ($1)", value)
		ok(t, err)
		var wal string
		ok(t, conn.QueryRow(ctx, "SELECT pg_walfile_name(pg_current_wal_lsn())").Scan(&wal))
		return []string{"folder/spine/planted", "planted.text", "planted.binary", "server/pg_wal/" + wal}
	}
	db, err := sql.Open("sqlite", filepath.Join(v.data, sqlite.File))
	ok(t, err)
	t.Cleanup(func() { db.Close() }) // the write-ahead log holds the row until then
	_, err = db.ExecContext(ctx, "CREATE TABLE planted (doc BLOB)")
	ok(t, err)
	_, err = db.ExecContext(ctx, "INSERT INTO planted VALUES (?)", value)
	ok(t, err)
	return []string{"folder/spine/planted", "folder/" + sqlite.File + "-wal"}
}
