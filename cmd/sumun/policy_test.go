package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs sumun in this process, in a folder with files, and returns its
// exit status and what it printed.
func command(t *testing.T, in string, args ...string) (status int, out, complaint string) {
	t.Helper()
	var o, e bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetIn(strings.NewReader(in))
	c.SetOut(&o)
	c.SetErr(&e)
	err := c.ExecuteContext(t.Context())
	var quiet exit
	switch {
	case errors.As(err, &quiet):
		status = int(quiet)
	case err != nil:
		status = 1
		e.WriteString(err.Error() + "\n")
	}
	return status, o.String(), e.String()
}

// inFolder goes to a new folder that holds files.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	folder := t.TempDir()
	t.Chdir(folder)
	for name, text := range files {
		ok(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700))
		ok(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

func TestPolicyEval(t *testing.T) {
	const line = `{"id":1,"principal":"arn:aws:iam::111122223333:root","action":"s3:ListAllMyBuckets"}`
	const answer = `{"id":1,"decision":"allowed","decidedBy":"default","statements":[]}` + "\n"
	inFolder(t, map[string]string{"cases.json": line + "\n"})
	for _, c := range []struct {
		name, in        string
		args            []string
		status          int
		out, complaints string
	}{
		{name: "standard_input", in: line, args: []string{"-"}, out: answer},
		{name: "file", args: []string{"cases.json"}, out: answer},
		{name: "others_are_still_answered", in: "x\n" + line + "\n", args: []string{"-"}, status: 1, out: answer, complaints: "1 lines could not be decided"},
		{name: "nothing", in: "", args: []string{"-"}},
		{name: "no_file", args: []string{"none.json"}, status: 2, complaints: "none.json"},
		{name: "no_argument", status: 2, complaints: "name one file"},
		{name: "schema", args: []string{"--schema"}, out: `"identityPolicies"`},
		{name: "schema_and_file", args: []string{"--schema", "cases.json"}, status: 2, complaints: "--schema alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, complaint := command(t, c.in, append([]string{"policy", "eval"}, c.args...)...)
			if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(complaint, c.complaints) || strings.Count(complaint, "\n") > 1 {
				t.Errorf("status %d, %q, %q; want %d, %q, %q", status, out, complaint, c.status, c.out, c.complaints)
			}
		})
	}
}
