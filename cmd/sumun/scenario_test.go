package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		{"rehearse --list", 0, "suspicious-dns"},
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
