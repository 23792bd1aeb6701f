package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/plane/admin"
	"sumun.dev/plane/runtime"
)

func TestEnvFormats(t *testing.T) {
	vars := []variable{{"AWS_REGION", "us-east-1"}, {"AWS_CA_BUNDLE", "/tmp/it's $(here)"}}
	for format, want := range map[string]string{
		"sh":         "export AWS_REGION=us-east-1\nexport AWS_CA_BUNDLE='/tmp/it'\\''s $(here)'\n",
		"fish":       "set -gx AWS_REGION us-east-1\nset -gx AWS_CA_BUNDLE '/tmp/it'\\''s $(here)'\n",
		"powershell": "$Env:AWS_REGION = 'us-east-1'\n$Env:AWS_CA_BUNDLE = '/tmp/it''s $(here)'\n",
		"json":       "{\n  \"AWS_CA_BUNDLE\": \"/tmp/it's $(here)\",\n  \"AWS_REGION\": \"us-east-1\"\n}\n",
	} {
		var b strings.Builder
		if err := write(&b, format, vars); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v, want %q", format, b.String(), err, want)
		}
	}
	if err := write(&strings.Builder{}, "xml", vars); err == nil {
		t.Error("xml is written")
	}
}

func TestEnvNamesTheKeyHolder(t *testing.T) {
	dir := t.TempDir()
	plane := httptest.NewServer(admin.Handler(admin.Options{Metrics: http.NotFoundHandler()}))
	defer plane.Close()
	note := &runtime.Note{PID: os.Getpid(), Data: dir, API: "http://127.0.0.1:1", Admin: plane.URL, Region: "us-east-1"}
	if err := note.Write(); err != nil {
		t.Fatal(err)
	}
	if _, err := variables(dir, ""); err == nil || !strings.Contains(err.Error(), "backups do not hold it") {
		t.Errorf("without credentials: %v", err)
	}
	keys := map[string]runtime.Key{"root": {AccessKeyID: "AKIAROOT"}, "administrator": {AccessKeyID: "AKIAADMIN"}}
	if err := runtime.WriteFile(filepath.Join(dir, runtime.CredentialsFile), keys); err != nil {
		t.Fatal(err)
	}
	for as, want := range map[string]string{"": "AKIAADMIN", "administrator": "AKIAADMIN", "root": "AKIAROOT"} {
		vars, err := variables(dir, as)
		if err != nil || vars[1].value != want {
			t.Errorf("--as %q: %v, %v, want %s", as, vars, err, want)
		}
	}
	if _, err := variables(dir, "alice"); err == nil {
		t.Error("alice has a key")
	}
	// The process lives, but it is no plane.
	plane.Close()
	if _, err := variables(dir, ""); err == nil || !strings.Contains(err.Error(), "no plane runs") {
		t.Errorf("without a plane: %v", err)
	}
}

func TestEnvRefusesWhatEntersNoAccount(t *testing.T) {
	for _, c := range []struct{ as, account, says string }{
		{"", "12345", "is not an account number"}, {"root", "111122223333", "root users cannot assume roles"}, {"", "111122223333", "no plane runs"},
	} {
		if _, err := entered(t.Context(), t.TempDir(), c.as, c.account, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("--as %q --account %s: %v", c.as, c.account, err)
		}
	}
}
