package scenario

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/config"
	"sumun.dev/scenario/cli"
)

// A Setting says how scripts are played. The zero Setting is real time, with all
// state in memory.
type Setting struct {
	Virtual   bool // each script in a bubble of its own, whose clock it moves
	Durable   bool // SQLite; with embedded NATS unless Virtual
	AllowExec bool // scripts may run programs
	Programs  bool // scripts may use programs that are installed and made for it: iodine
	Update    bool // rewrite what cmp compares with, instead of failing

	// Elsewhere moves state to a PostgreSQL database and a NATS cluster, given by
	// settings.store and settings.spine. It is called once for each script, and
	// what it returns is called when the script's plane has closed.
	Elsewhere func() (config.Store, config.Spine, func(), error)

	// Database makes the user of a database server that a script with 'database'
	// plays with; it is called once for each script. Nil: there is none.
	Database func() (*Database, error)

	// Watch is told what happens, as it happens; nil for nobody.
	Watch func(Moment)

	// open makes the stage, when not inside this process.
	open func(ctx context.Context, cfg config.Config, log *slog.Logger) (stage, error)
}

// Can says why a script cannot be played in this setting; nil when it can.
func (s *Setting) Can(script *Script) error {
	switch {
	case script.Uses("advance") && !s.Virtual:
		return misused("%s: needs virtual time ('advance'); play it with 'sumun test'", script.File)
	case script.Uses("restart") && !s.Durable:
		return misused("%s: needs a durable store ('restart')", script.File)
	case script.Uses("database") && s.Database == nil:
		return misused("%s: needs a database server ('database'); play it with 'sumun rehearse'", script.File)
	case script.Uses("idp") && s.open != nil:
		return misused("%s: needs an identity provider inside the process ('idp')", script.File)
	case script.Uses("ingest") && (s.Virtual || s.open != nil):
		return misused("%s: needs a plane with listeners inside the process ('ingest'); play it with 'sumun rehearse'", script.File)
	case script.Uses("tunnel") && s.open != nil:
		return misused("%s: needs a plane inside the process ('tunnel')", script.File)
	case (script.Uses("from") || script.Uses("metadata")) && s.open != nil:
		return misused("%s: needs a plane inside the process ('from', 'metadata')", script.File)
	case script.Uses("evidence") && s.open != nil:
		return misused("%s: sees the query log from inside ('evidence')", script.File)
	case script.Uses("events") && s.open != nil:
		return misused("%s: sees the buses from inside ('events')", script.File)
	}
	return nil
}

// Play plays scripts. t decides what becomes of each, and in Virtual settings
// must run each in a bubble: see Bubble.
func Play(t testscript.T, setting Setting, scripts ...*Script) {
	var files []string
	for _, s := range scripts {
		files = append(files, s.File)
	}
	words := newCLI()
	testscript.RunT(t, testscript.Params{
		Files: files, Cmds: commands(), RequireUniqueNames: true, UpdateScripts: setting.Update,
		Setup:     func(env *testscript.Env) error { return setting.setup(env, words) },
		Condition: setting.condition,
	})
}

// condition knows [virtual], [durable], [real] and [iodine].
func (s *Setting) condition(name string) (bool, error) {
	switch name {
	case "capture":
		return s.Programs && !s.Virtual && canCapture() == nil, nil
	case "nmap":
		_, missing := findProgram("nmap")
		return s.Programs && !s.Virtual && missing == nil && canCapture() == nil, nil
	case "iodine":
		_, why := s.tunnels()
		return why == nil, nil
	case "virtual":
		return s.Virtual, nil
	case "durable":
		return s.Durable, nil
	case "real":
		return s.open != nil, nil
	}
	return false, misused("unknown condition %q: virtual, durable, real, capture, nmap and iodine are known", name)
}

// tunnels returns iodine when scripts may use it, else why not.
func (s *Setting) tunnels() (*iodine, error) {
	if !s.Programs || s.Virtual || s.open != nil {
		return nil, errors.New("programs are not used here")
	}
	return findIodine()
}

// first is who calls until the script says otherwise.
const first = "administrator"

// setup opens the plane of one script.
func (s *Setting) setup(env *testscript.Env, words *cli.CLI) error {
	ctx := context.Background()
	database, err := s.databaseOf(env)
	if err != nil {
		return err
	}
	if s.Virtual {
		time.Sleep(time.Until(Start))
	}
	cfg, err := settings(env.WorkDir)
	if err != nil {
		return err
	}
	if s.Durable {
		cfg.Data = filepath.Join(env.WorkDir, ".tmp", "data")
	}
	if s.Elsewhere != nil {
		var done func()
		if cfg.Store, cfg.Spine, done, err = s.Elsewhere(); err != nil {
			return err
		}
		env.Defer(done)
	}
	if database != nil {
		cfg.Databases = append(cfg.Databases, database.setting())
	}
	log := slog.New(slog.NewTextHandler(testLog{env.T()}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w := &world{
		ctx: ctx, cli: words, config: cfg, log: log, tell: s.Watch, virtual: s.Virtual,
		account: cfg.AccountID, region: cfg.Region, keys: map[string]sigv4.Credentials{},
		database: database, programs: s.Programs,
	}
	if w.tell == nil {
		w.tell = func(Moment) {}
	}
	if w.files, err = os.OpenRoot(env.WorkDir); err != nil {
		return err
	}
	env.Defer(func() { w.files.Close() })
	if w.iodine, err = s.tunnels(); err == nil {
		// What no zone answers, the tunnel's server does; else nobody, as always.
		w.config.DNS.Upstreams = []string{w.iodine.far.String()}
	} else {
		w.iodine = nil
	}
	if err := s.enter(w); err != nil {
		return err
	}
	env.Defer(func() {
		if s.Watch != nil {
			time.Sleep(settling)
		}
		if err := w.stage.close(ctx); err != nil {
			env.T().Fatal("the plane did not close: ", err)
		}
	})
	env.Values[worldKey{}] = w
	env.Setenv("ACCOUNT", w.account)
	env.Setenv("REGION", w.region)
	w.stage.settle()
	return w.begin(cfg.NoAdmin)
}

// databaseOf makes the user of a database server for a script, until it ends.
func (s *Setting) databaseOf(env *testscript.Env) (*Database, error) {
	if s.Database == nil {
		return nil, nil
	}
	d, err := s.Database()
	if err != nil {
		return nil, err
	}
	env.Defer(func() {
		if err := d.Close(); err != nil {
			env.T().Fatal(err)
		}
	})
	return d, nil
}

// enter opens the stage.
func (s *Setting) enter(w *world) (err error) {
	if s.open != nil {
		w.stage, err = s.open(w.ctx, w.config, w.log)
		return err
	}
	in, err := openInside(w.ctx, w.config, filepath.Join(w.files.Name(), listsFolder), s.Virtual, w.log)
	if err != nil {
		return err
	}
	w.stage = in
	if s.Watch != nil {
		return watch(in.plane, s.Watch)
	}
	return nil
}

// begin makes the administrator the caller, or root when there is none.
func (w *world) begin(noAdministrator bool) error {
	keys, err := w.stage.keys()
	if err != nil {
		return err
	}
	for name, key := range keys {
		w.keys[name] = key
	}
	w.who = first
	if noAdministrator {
		w.who = "root"
	}
	w.current = w.keys[w.who]
	return nil
}

// testLog passes the plane's warnings to whoever runs the script.
type testLog struct{ t testscript.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
