package scenario

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// A step is one command of a script as it runs.
type step struct {
	*world
	script    *testscript.TestScript
	out, errs io.Writer
}

// A command runs with the words after its name. What it returns is an error that
// '!' turns into success, or a misuse, which always fails the script.
type command func(s *step, args []string) error

// table lists the commands of the language.
var table = map[string]command{
	"advance":    (*step).advance,
	"as":         (*step).as,
	"aws":        (*step).aws,
	"browse":     (*step).browse,
	"database":   (*step).logins,
	"dig":        (*step).dig,
	"events":     (*step).events,
	"evidence":   (*step).evidence,
	"eventually": nil, // it calls others of the table: see run
	"explain":    (*step).explain,
	"federate":   (*step).federate,
	"from":       (*step).from,
	"http":       (*step).http,
	"idp":        (*step).identityProvider,
	"in":         (*step).in,
	"guess":      (*step).guess,
	"ingest":     (*step).ingest,
	"metadata":   (*step).metadata,
	"restart":    (*step).restart,
	"saml":       (*step).saml,
	"say":        (*step).say,
	"scan":       (*step).scan,
	"set":        (*step).set,
	"totp":       (*step).totp,
	"trail":      (*step).trail,
	"tunnel":     (*step).tunnel,
}

// run runs a command of the table.
func (s *step) run(name string, args []string) error {
	if name == "eventually" {
		return s.eventually(args)
	}
	run, ok := table[name]
	if !ok {
		return misused("unknown command %q", name)
	}
	return run(s, args)
}

// quiet commands leave the output of the one before for stdout, cmp and set.
var quiet = map[string]bool{"advance": true, "as": true, "from": true, "in": true, "restart": true, "say": true, "set": true}

// A misuse is a command that is written wrongly. It fails the script even after
// '!', or a typing error would pass for a refusal.
type misuse struct{ sentence string }

func (m *misuse) Error() string { return m.sentence }

func misused(format string, args ...any) error { return &misuse{fmt.Sprintf(format, args...)} }

// errFailed means that standard error says why.
var errFailed = errors.New("the command failed")

// commands returns the table for testscript. Each command ends settled.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	for name := range table {
		all[name] = func(ts *testscript.TestScript, negated bool, args []string) {
			w := ts.Value(worldKey{}).(*world)
			var out, errs strings.Builder
			err := (&step{world: w, script: ts, out: &out, errs: &errs}).run(name, args)
			w.stage.settle()
			if !quiet[name] || out.Len()+errs.Len() > 0 {
				_, werr := io.WriteString(ts.Stdout(), out.String())
				ts.Check(werr)
				_, werr = io.WriteString(ts.Stderr(), errs.String())
				ts.Check(werr)
			}
			verdict(ts, negated, err)
		}
	}
	return all
}

func verdict(ts *testscript.TestScript, negated bool, err error) {
	var wrong *misuse
	switch {
	case errors.As(err, &wrong):
		ts.Fatalf("%v", wrong)
	case err != nil && !negated:
		ts.Fatalf("%v", err)
	case err == nil && negated:
		ts.Fatalf("the command succeeded, but should have failed")
	}
}
