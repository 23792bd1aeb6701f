package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/scenario"
)

func test() *cobra.Command {
	var o testOptions
	c := &cobra.Command{
		Use:   "test DIR|FILE…",
		Short: "Run scenarios as tests, in virtual time",
		Long: `Test plays each scenario (.txtar) against a plane of its own in this process.
Its clock starts on 2026-01-01 and stands still until the scenario moves it, so
'advance 90d' takes no time. Scenarios that use 'restart' play on SQLite, others
in memory. They run no programs unless --allow-exec says so.

The exit status is 0 when all passed, 1 when one failed, 2 when the command
itself was wrong.`,
		Example: `  sumun test guardrails/
  sumun test --run 'keys|roles' --junit report.xml guardrails/`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.find(args); err != nil {
				fmt.Fprintln(os.Stderr, "sumun test:", err)
				return exit(2)
			}
			o.play() // ends the program
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.junit, "junit", "", "also write a report in JUnit's XML to this file")
	f.StringVar(&o.run, "run", "", "play only scenarios whose FOLDER/NAME matches this regular expression")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show every command and what it printed")
	f.BoolVar(&o.durable, "durable", false, "keep state in SQLite, not in memory")
	f.BoolVar(&o.exec, "allow-exec", false, "scenarios may run programs and touch files outside their folder")
	f.BoolVar(&o.update, "update", false, "rewrite the blocks that cmp compares with")
	return c
}

type testOptions struct {
	junit, run                     string
	verbose, durable, exec, update bool

	folders []string // in order
	scripts map[string][]*scenario.Script
}

// find reads the scenarios that the arguments name.
func (o *testOptions) find(args []string) error {
	only, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	o.scripts = map[string][]*scenario.Script{}
	for _, arg := range args {
		files, err := scripts(arg)
		if err != nil {
			return err
		}
		for _, file := range files {
			folder := filepath.ToSlash(filepath.Dir(file))
			if !only.MatchString(folder + "/" + strings.TrimSuffix(filepath.Base(file), ".txtar")) {
				continue
			}
			s, err := scenario.Read(file, o.exec)
			if err != nil {
				return err
			}
			if o.scripts[folder] == nil {
				o.folders = append(o.folders, folder)
			}
			o.scripts[folder] = append(o.scripts[folder], s)
		}
	}
	if len(o.folders) == 0 {
		return fmt.Errorf("no scenario (*.txtar) was found")
	}
	return nil
}

// scripts lists the scenarios in a folder and below, or the one that is named.
func scripts(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{arg}, nil
	}
	var files []string
	err = filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".txtar") {
			files = append(files, name)
		}
		return err
	})
	return files, err
}

// play runs the scenarios and ends the program. The testing package drives
// bubbles; it reads its flags from os.Args and exits by itself.
func (o *testOptions) play() {
	os.Args = os.Args[:1]
	if o.verbose {
		os.Args = append(os.Args, "-test.v")
	}
	report := &junit{file: o.junit}
	var tests []testing.InternalTest
	for _, folder := range o.folders {
		tests = append(tests, testing.InternalTest{Name: folder, F: func(t *testing.T) { o.folder(t, folder, report) }})
	}
	testing.Main(func(string, string) (bool, error) { return true, nil }, tests, nil, nil)
}

// folder plays the scenarios of one folder, each on the store that it needs.
func (o *testOptions) folder(t *testing.T, folder string, report *junit) {
	done := func(r scenario.Result) {
		r.Folder = folder
		if err := report.add(r); err != nil {
			t.Error(err)
		}
	}
	began := time.Now()
	all := o.scripts[folder]
	slices.SortStableFunc(all, func(a, b *scenario.Script) int { return strings.Compare(a.File, b.File) })
	for _, s := range all {
		setting := scenario.Setting{Virtual: true, Durable: o.durable || s.Uses("restart"), AllowExec: o.exec, Update: o.update}
		scenario.Play(scenario.Bubble(t, done), setting, s)
	}
	if !t.Failed() {
		fmt.Printf("ok  \t%s\t%.3fs\t%d scenarios\n", folder, time.Since(began).Seconds(), len(all))
	}
}
