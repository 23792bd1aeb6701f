package scenario

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

//go:embed rehearsals
var rehearsals embed.FS

// A Rehearsal is a scenario that comes with the program.
type Rehearsal struct{ Name, About string }

// Rehearsals lists the scenarios that come with the program.
func Rehearsals() ([]Rehearsal, error) {
	files, err := fs.Glob(rehearsals, "rehearsals/*.txtar")
	if err != nil {
		return nil, err
	}
	var all []Rehearsal
	for _, file := range files {
		text, err := rehearsals.ReadFile(file)
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		all = append(all, Rehearsal{strings.TrimSuffix(filepath.Base(file), ".txtar"), strings.TrimPrefix(first, "# ")})
	}
	return all, nil
}

// ErrUnknown means that no rehearsal has the name, and no file.
var ErrUnknown = errors.New("no such rehearsal")

// settling is how long a rehearsal waits for what still happens after its end.
const settling = 500 * time.Millisecond

// Rehearse plays a scenario, which comes with the program or is a file, in real
// time on a fresh plane with real listeners, and prints a timeline of all that
// happened. The plane sends nothing beyond loopback, but to the database server of
// a scenario that has one.
func Rehearse(name string, setting Setting, out io.Writer) error {
	folder, err := os.MkdirTemp("", "sumun-rehearsal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	script, err := stageCopy(name, folder, setting.AllowExec)
	if err != nil {
		return err
	}
	setting.Durable = setting.Durable || script.Uses("restart")
	if err := setting.Can(script); err != nil {
		script.File = name
		return setting.Can(script)
	}
	if !script.Uses("database") {
		setting.Database = nil
	} else {
		database, err := setting.Database()
		if err != nil {
			return err
		}
		setting.Database = func() (*Database, error) { return database, nil } // it is closed with the plane
	}
	line := &timeline{out: out, began: time.Now()}
	setting.Watch = line.add
	r := &rehearsal{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Play(r, setting, script)
	}()
	<-done
	line.end()
	if r.failed {
		return fmt.Errorf("the rehearsal failed:\n%s", strings.ReplaceAll(strings.TrimSpace(r.log.String()), script.File, name))
	}
	_, err = fmt.Fprintf(out, "\nRehearsed in %d ms.\n", line.took().Milliseconds())
	return err
}

// stageCopy writes the scenario into folder, its headings as commands that put
// them into the timeline.
func stageCopy(name, folder string, allowExec bool) (*Script, error) {
	text, err := rehearsals.ReadFile("rehearsals/" + name + ".txtar")
	if err != nil {
		if text, err = os.ReadFile(name); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", name, ErrUnknown)
		} else if err != nil {
			return nil, err
		}
	}
	archive := txtar.Parse(text)
	lines := strings.Split(string(archive.Comment), "\n")
	follows := false // a line of the same heading
	for i, l := range lines {
		heading, ok := strings.CutPrefix(l, "#")
		if ok {
			lines[i] = "say '" + strings.ReplaceAll(strings.TrimSpace(heading), "'", "''") + "'"
		}
		if ok && follows {
			lines[i] = "say more" + lines[i][len("say"):]
		}
		follows = ok
	}
	archive.Comment = []byte(strings.Join(lines, "\n"))
	file := filepath.Join(folder, filepath.Base(strings.TrimSuffix(name, ".txtar"))+".txtar")
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		return nil, err
	}
	return Read(file, allowExec)
}

// rehearsal is what testscript asks of a test, outside of one.
type rehearsal struct {
	log    strings.Builder
	failed bool
}

// Run plays the script. A script that fails ends its goroutine, as in package testing.
func (r *rehearsal) Run(_ string, play func(testscript.T)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		play(r)
	}()
	<-done
}

func (r *rehearsal) Log(args ...any) { fmt.Fprintln(&r.log, args...) }

func (r *rehearsal) Fatal(args ...any) {
	r.Log(args...)
	r.FailNow()
}

func (r *rehearsal) FailNow() {
	r.failed = true
	runtime.Goexit()
}

func (r *rehearsal) Skip(args ...any) {
	r.Log(args...)
	runtime.Goexit()
}

func (*rehearsal) Parallel() {}

func (*rehearsal) Verbose() bool { return false }
