package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
)

// A program whose root key another plane's KMS keeps: doctor, start, backup and
// restore say what the KMS says.
func TestRootKeyOfAnotherPlane(t *testing.T) {
	keeper := newKeeper(t)
	settings := crashConfig + `
root-key:
  kms: {key: "` + keeper.kmsKey + `", endpoint: "` + keeper.note.API + `"}
`
	p := newProgram(t, settings)
	t.Setenv("AWS_ACCESS_KEY_ID", keeper.program.key.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keeper.program.key.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", "")
	p.start()
	defer func() { p.kill() }()
	must(p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice"})
	p.kill()

	// In another process, since SUMUN's variables and the folder's lock are a process's.
	run := func(args ...string) (string, error) {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	yaml := filepath.Join(p.data, "sumun.yaml")
	if out, err := run("doctor", "--config", yaml, "--data", p.data); err != nil || !strings.Contains(out, "the KMS at "+keeper.note.API+" opens it") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if out, err := run("backup", backup, "--data", p.data); err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	restored := newProgram(t, settings)
	wrapped, err := os.ReadFile(filepath.Join(p.data, plane.RootKMSFile))
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(restored.data, plane.RootKMSFile), wrapped, 0o600))

	must(keeper.program, &kmsapi.DisableKey, &kmsapi.DisableKeyRequest{KeyId: keeper.kmsKey})
	for _, args := range [][]string{{"up", "--config", yaml, "--data", p.data}, {"doctor", "--config", yaml, "--data", p.data}, {"restore", backup, "--config", yaml, "--data", restored.data}} {
		if out, err := run(args...); err == nil || !strings.Contains(out, "is disabled; nothing is lost, enable it again") {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
	must(keeper.program, &kmsapi.EnableKey, &kmsapi.EnableKeyRequest{KeyId: keeper.kmsKey})
	if out, err := run("restore", backup, "--config", yaml, "--data", restored.data); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	credentials, err := os.ReadFile(filepath.Join(p.data, "credentials.json"))
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(restored.data, "credentials.json"), credentials, 0o600))
	restored.start()
	defer func() { restored.kill() }()
	must(restored, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("alice")})
	p.start()
	must(p, &iamapi.GetUser, &iamapi.GetUserRequest{UserName: new("alice")})
	if text, err := os.ReadFile(filepath.Join(p.data, plane.RootKMSFile)); err != nil || !bytes.Equal(text, wrapped) {
		t.Errorf("the wrapped key has changed, %v", err)
	}
}

// A keeper is a plane in this process, with a KMS key.
type keeper struct {
	*program
	kmsKey string
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.Admin, cfg.DNS.Listen, cfg.AccountID = config.Memory, "127.0.0.1:0", "127.0.0.1:0", "", "444455556666"
	p, err := plane.New(t.Context(), cfg, plane.Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	ok(t, err)
	t.Cleanup(func() { ok(t, p.Close(context.WithoutCancel(t.Context()))) })
	_, err = p.Listen(t.Context())
	ok(t, err)
	note := p.Note()
	k := &keeper{program: &program{t: t, note: &note, key: p.Credentials()["root"]}}
	k.kmsKey = *must(k.program, &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{}).KeyMetadata.Arn
	return k
}
