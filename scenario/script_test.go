package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestScriptsAreData(t *testing.T) {
	for text, want := range map[string]string{
		"exec true":                    "needs --allow-exec",
		"! exec true":                  "needs --allow-exec",
		"[linux] rm x":                 "needs --allow-exec",
		"$X true":                      "a plain word",
		"'exec' true":                  "a plain word",
		"cp stdout /tmp/x":             "must be relative",
		"cp stdout ../x":               "must be relative",
		"cp stdout $WORK/x":            "must be relative",
		"cp stdout '/tmp/x'":           "must be relative",
		"cmp stdout /etc/passwd":       "must be relative",
		"grep root /etc/passwd":        "must be relative",
		"awz iam list-users":           "unknown command",
		"-- ../x --\n":                 "outside the scenario's folder",
		"-- /tmp/x --\n":               "outside the scenario's folder",
		"-- ${/}tmp/x --\n":            "outside the scenario's folder",
		"aws iam list-users\nmv a b\n": ":2: unknown command",
	} {
		file := filepath.Join(t.TempDir(), "x.txtar")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(file, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if _, err := Read(file, true); err != nil && !strings.Contains(want, "folder") && !strings.Contains(want, "plain word") {
			t.Errorf("%q is refused although exec is allowed: %v", text, err)
		}
	}
}

func TestWhatAScriptNeeds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.txtar")
	if err := os.WriteFile(file, []byte("[virtual] advance 1d\n! restart # comment\neventually 5s events\nstdout 'advance'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Read(file, false)
	if err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]bool{"advance": true, "restart": true, "events": true, "comment": false, "aws": false} {
		if s.Uses(command) != want {
			t.Errorf("uses %s: %v", command, !want)
		}
	}
	if (&Setting{Durable: true}).Can(s) == nil || (&Setting{Virtual: true}).Can(s) == nil {
		t.Error("a script that travels in time and restarts needs both")
	}
	if err := (&Setting{Virtual: true, Durable: true}).Can(s); err != nil {
		t.Error(err)
	}
}

func TestSettingsOfAScript(t *testing.T) {
	for text, want := range map[string]string{
		"listen: 0.0.0.0:80":                                    `cannot set "listen"`,
		"data: /tmp/x":                                          `cannot set "data"`,
		"store: {postgres: 'postgres://x'}":                     `cannot set "store"`,
		"dns: {upstreams: [192.0.2.1]}":                         `cannot set "dns.upstreams"`,
		"databases: [{name: d, engine: mysql, host: db.test}]":  `cannot set "databases"`,
		"feeds: [{name: f, url: 'https://x.com', kind: c2}]":    "in its folder",
		"feeds: [{name: f, url: 'file:/etc/passwd', kind: c2}]": "in its folder",
		"domain-lists: [{name: l, file: ../x}]":                 "outside the scenario's folder",
		"addresses: {tor-exits: [/etc/passwd]}":                 "outside the scenario's folder",
		"nonsense: 1":                                           ":1:",
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, ConfigFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := settings(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "1d12h": 36 * time.Hour, "10m": 10 * time.Minute, "0s": 0} {
		if d, err := duration(text); err != nil || d != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "d", "-1h", "1", "xd", "1d-1h", "99999d"} {
		if d, err := duration(text); err == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
}

func TestTimelineIsInOrder(t *testing.T) {
	var out strings.Builder
	began := time.Now()
	l := &timeline{out: &out, began: began}
	for _, m := range []Moment{
		{At: began.Add(5 * time.Millisecond), Kind: "call", Who: "bob", What: "b"},
		{At: began.Add(2 * time.Millisecond), Kind: "call", Who: "ann", What: "a", Then: "denied", Bad: true},
		{At: began.Add(6 * time.Millisecond), Kind: "call", Who: "bob", What: "b"},
		{At: began.Add(7 * time.Millisecond), Kind: "say", What: "end"},
	} {
		l.add(m)
	}
	l.end()
	const want = `
     2 ms ! call ann a → denied
     5 ms call bob b (2 times)

     7 ms end
`
	if got := strings.Join(strings.Fields(out.String()), " "); got != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s", out.String())
	}
}
