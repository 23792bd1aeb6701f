package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/plane"
)

// sumun runs the program with these words and returns what it says.
func (p *program) sumun(args ...string) (string, error) {
	cmd := exec.Command(os.Args[0], append(args, "--data", p.data)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *program) keys(args ...string) string {
	p.t.Helper()
	out, err := p.sumun(append([]string{"keys"}, args...)...)
	if err != nil {
		p.t.Fatalf("keys %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (p *program) keyReport() (r plane.KeyReport) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.keys("status", "--json")), &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// A root key is changed on a running plane and on one that does not run; the key of
// before is refused to go, with reasons; backups name the key that they need.
func TestRootKeysAtTheCommandLine(t *testing.T) {
	p := newProgram(t, crashConfig)
	p.start()
	must(p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "ann"})
	first := p.keyReport().Current
	old := filepath.Join(t.TempDir(), "old.backup")
	if out, err := p.sumun("backup", old); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	if out := p.keys("rotate-root"); !strings.Contains(out, "is made, kept in ") || !strings.Contains(out, "all that is stored is sealed under") || !strings.Contains(out, "keep "+first) {
		t.Errorf("rotate-root says:\n%s", out)
	}
	r := p.keyReport()
	second := r.Current
	if second == first || len(r.Keys) != 2 || r.Resealed.IsZero() {
		t.Errorf("after: %+v", r)
	}
	if out := p.keys("status"); !strings.Contains(out, second+"  current, in use since") || !strings.Contains(out, first+"  earlier") || !strings.Contains(out, "needed by the stream trail") || !strings.Contains(out, "would end session credentials") {
		t.Errorf("status says:\n%s", out)
	}
	if out, err := p.sumun("keys", "drop", first); err == nil || !strings.Contains(out, "still needed: "+first+" by the stream trail") {
		t.Errorf("drop: %v\n%s", err, out)
	}
	must(p, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("ann")})
	p.kill()

	if out := p.keys("rotate-root"); !strings.Contains(out, "all that is stored is sealed under") {
		t.Errorf("rotate-root without a plane says:\n%s", out)
	}
	if r := p.keyReport(); r.Current == second || len(r.Keys) != 3 {
		t.Errorf("after: %+v", r)
	}

	// A backup from before restores with the keys of today, and then needs none of before.
	restored := newProgram(t, crashConfig)
	copyFile(t, p, restored, plane.RootKeyFile)
	if out, err := restored.sumun("restore", old); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	copyFile(t, p, restored, "credentials.json")
	third := restored.keyReport().Current
	if third == first {
		t.Error("what is restored is sealed under the key of before")
	}
	for _, id := range []string{first, second} { // its event log is new
		if out := restored.keys("drop", id, "--end-sessions"); !strings.Contains(out, "is dropped") {
			t.Errorf("drop says:\n%s", out)
		}
	}
	restored.start()
	must(restored, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("ann")})
	restored.kill()

	// Without its key it says which one that is.
	late := newProgram(t, crashConfig)
	copyFile(t, restored, late, plane.RootKeyFile)
	if out, err := late.sumun("restore", old); err == nil || !strings.Contains(out, "the backup needs the root key with the id "+first) {
		t.Errorf("restore after the drop: %v\n%s", err, out)
	}
}

func copyFile(t *testing.T, from, to *program, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(from.data, name))
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(to.data, name), text, 0o600))
}

// The program is killed at random moments of changes of the root key, while somebody
// writes: all that was acknowledged reads afterwards, the change comes to its end, and
// the keys of before hold nothing.
func TestRotationOfTheRootKeySurvivesKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	p := newProgram(t, crashConfig)
	p.start()
	defer func() { p.kill() }()
	for i := range 300 { // something to seal again
		must(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: fmt.Sprint("stock-", i), SecretString: new(fmt.Sprint("value-", i))})
	}
	acknowledged := map[string]string{}
	for n := range rounds {
		var busy sync.WaitGroup
		busy.Go(func() {
			for i := 0; ; i++ {
				name, value := fmt.Sprintf("secret-%d-%d", n, i), fmt.Sprint(rand.Uint64())
				if _, err := call(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: name, SecretString: &value}); err != nil {
					return // killed
				}
				acknowledged[name] = value
			}
		})
		busy.Go(func() {
			out, err := p.sumun("keys", "rotate-root")
			if gone := new(exec.ExitError); err != nil && !errors.As(err, &gone) {
				t.Errorf("%v\n%s", err, out)
			}
		})
		time.Sleep(rand.N(400 * time.Millisecond))
		p.kill()
		busy.Wait() // also for a command that found no plane, and did it itself
		p.start()
	}
	for range rounds / 3 { // the command, while no plane runs
		p.kill()
		cmd := exec.Command(os.Args[0], "keys", "rotate-root", "--data", p.data)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		ok(t, cmd.Start())
		time.Sleep(rand.N(400 * time.Millisecond))
		ok(t, cmd.Process.Kill())
		_ = cmd.Wait() // says that it was killed
		p.start()
	}
	p.keys("rotate-root")
	r := p.keyReport()
	if r.Resealed.IsZero() {
		t.Errorf("the change is not finished: %+v", r)
	}
	for _, k := range r.Keys {
		if k.ID != r.Current && (k.Holds.Readable() > 0 || k.Holds.Damaged > 0) {
			t.Errorf("the key %s (%s) holds %+v", k.ID, k.State, k.Holds)
		}
	}
	for i := range 300 {
		acknowledged[fmt.Sprint("stock-", i)] = fmt.Sprint("value-", i)
	}
	for name, value := range acknowledged {
		out, err := call(p, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: name})
		if err != nil || *out.SecretString != value {
			t.Errorf("%s was acknowledged: %v", name, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(p.data, plane.RootKeyFile))
	ok(t, err)
	if n := bytes.Count(text, []byte("\n# ")); n != len(r.Keys) {
		t.Errorf("%d keys in the file, %d in the report", n, len(r.Keys))
	}
	t.Logf("%d keys, %d secrets", len(r.Keys), len(acknowledged))
}
