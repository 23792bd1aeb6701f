// Package respond turns findings into action: runbooks, and what undoes them.
//
// A [Runbook] is data: an Automation document of schema 0.3, read and checked by
// [Parse]. [Builtin] returns those that every plane has. How a run goes from step
// to step is [Run], as pure code; who carries the steps out (service/ssm) does the
// calls and keeps the state.
//
// Reading order: document.go (the form), check.go (what is refused), parameter.go
// (what a run is given), reference.go ({{ }}), selector.go (outputs), run.go (the
// state machine), branch.go (aws:branch).
package respond

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed runbook/*.yaml
var runbooks embed.FS

// Builtin returns the runbooks that every plane has, in the order of their names,
// each parsed anew. Those that come with Sumun have the version 1.
func Builtin() []*Runbook {
	files, err := fs.Glob(runbooks, "runbook/*.yaml")
	if err != nil {
		panic(err) // the pattern is ours
	}
	var all []*Runbook
	for _, file := range files {
		text, err := runbooks.ReadFile(file)
		if err != nil {
			panic(err) // embedded
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "runbook/"), ".yaml")
		r, err := Parse(name, text)
		if err != nil {
			panic(err) // a test has parsed them
		}
		all = append(all, r)
	}
	return all
}
