package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/engine/database/databasetest"
)

func TestScenariosAsACommand(t *testing.T) {
	folder := t.TempDir()
	binary := filepath.Join(folder, "sumun")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, text := range map[string]string{
		"good/travels.txtar": "aws iam create-user --user-name a\nadvance 90d\naws iam get-user --user-name a\n",
		"bad/fails.txtar":    "! aws iam list-users\n",
		"evil/runs.txtar":    "exec true\n",
		"rotates/it.txtar":   "database user\n",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args   string
		status int
		says   string
	}{
		{"test good", 0, "ok"},
		{"test --junit report.xml good bad", 1, "should have failed"},
		{"test --run travels good bad", 0, "1 scenarios"},
		{"test evil", 2, "needs --allow-exec"},
		{"test --allow-exec evil", 0, "ok"},
		{"test nowhere", 2, "nowhere"},
		{"rehearse good/travels.txtar", 1, "needs virtual time"},
		{"rehearse suspicious-dns", 0, "firewall: BLOCK"},
		{"rehearse scp-guardrail", 0, "explicitDeny by scp"},
		{"rehearse key-policy", 0, "implicitDeny by resource"},
		{"rehearse secret-rotation --postgres postgres://root@127.0.0.1:1/test", 1, "make a user for the rehearsal"},
		{"rehearse secret-rotation --postgres postgres:///test?host=/nowhere", 1, "not by a socket"},
		{"test rotates", 1, "play this scenario with 'sumun rehearse'"},
		{"rehearse --list", 0, "secret-rotation"},
		{"rehearse nothing", 1, "no such rehearsal"},
	} {
		c := exec.Command(binary, strings.Fields(test.args)...)
		c.Dir = folder
		out, _ := c.CombinedOutput()
		if c.ProcessState.ExitCode() != test.status || !strings.Contains(string(out), test.says) {
			t.Errorf("sumun %s: status %d, want %d and %q:\n%s", test.args, c.ProcessState.ExitCode(), test.status, test.says, out)
		}
	}
	report, err := os.ReadFile(filepath.Join(folder, "report.xml"))
	if err != nil || !strings.Contains(string(report), `tests="2" failures="1"`) || !strings.Contains(string(report), "<failure message=") {
		t.Errorf("%v\n%s", err, report)
	}
}

// The rehearsal of a rotation, on a server that it starts and on one that it is given.
func TestRehearsalOfARotation(t *testing.T) {
	server := databasetest.Postgres(t)                          // without the programs the test ends here
	temporary, err := os.MkdirTemp("", "sumun-rehearsal-test-") // where PostgreSQL's user may look, unlike in a test's own
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"secret-rotation"},
		{"secret-rotation", "--postgres", fmt.Sprintf("postgres://%s:%s@%s:%d/postgres?sslmode=verify-full&sslrootcert=%s", server.Admin.User, server.Admin.Password, server.Host, server.Port, server.CA)},
	} {
		c := exec.Command(os.Args[0], append([]string{"rehearse"}, args...)...)
		c.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+temporary)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
		for _, want := range []string{"the password is wrong", "the password is right", "kms:Decrypt  →  AccessDeniedException", "secretsmanager:RotationSucceeded", "explicitDeny by identity: inline:SecretsManagerRDSPostgreSQLRotationSingleUser/broken"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the timeline does not say %q:\n%s", want, out)
			}
		}
		if left := server.Exec(t, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'sumun%'"); left != "" {
			t.Errorf("left on the server: %s", left)
		}
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("left on the disk: %v, %v", left, err)
		}
	}
}
