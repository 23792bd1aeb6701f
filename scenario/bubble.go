package scenario

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A Result is what became of one script.
type Result struct {
	Folder, Name    string
	Took            time.Duration // in real time
	Failed, Skipped bool
	Log             string
}

// Bubble gives each script that it runs a bubble of its own, whose clock stands
// still until the script moves it. done is told what became of each; nil is nobody.
func Bubble(t *testing.T, done func(Result)) testscript.T {
	return &runner{T: t, virtual: true, done: done}
}

// Clock runs scripts in real time.
func Clock(t *testing.T, done func(Result)) testscript.T { return &runner{T: t, done: done} }

// runner is testscript's view of a test.
type runner struct {
	*testing.T
	virtual bool
	done    func(Result)
	log     strings.Builder
}

// Run plays one script.
func (r *runner) Run(name string, play func(testscript.T)) {
	began := time.Now()
	inner := &runner{virtual: r.virtual}
	skipped := false
	ok := r.T.Run(name, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		inner.T = t
		if !r.virtual {
			play(inner)
			return
		}
		synctest.Test(t, func(t *testing.T) {
			inner.T = t
			play(inner)
		})
	})
	if r.done != nil {
		r.done(Result{Folder: r.Name(), Name: name, Took: time.Since(began), Failed: !ok, Skipped: skipped, Log: inner.log.String()})
	}
}

// Parallel does nothing: a bubble is a world of its own, and in real time the
// machine is shared.
func (r *runner) Parallel() {}

// Verbose reports whether every command is shown.
func (r *runner) Verbose() bool { return testing.Verbose() }

// Log keeps what is said for the report.
func (r *runner) Log(args ...any) {
	r.Helper()
	fmt.Fprintln(&r.log, args...)
	r.T.Log(args...)
}

// Fatal keeps what is said for the report.
func (r *runner) Fatal(args ...any) {
	r.Helper()
	fmt.Fprintln(&r.log, args...)
	r.T.Fatal(args...)
}
