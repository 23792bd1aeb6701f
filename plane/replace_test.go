package plane

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
	"sumun.dev/service/iam"
)

// Who has lost the keys of the first start gets in again, and the old ones not.
func TestRootsKeysAreReplaced(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(folder, runtime.CredentialsFile)
	first := begun(t, folder)
	end(t, first)
	var before, after map[string]runtime.Key
	read(t, file, &before)

	cfg := config.Default()
	cfg.Data, cfg.ReplaceRootKey = folder, true
	start := func() (*Plane, error) {
		return New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	}
	if _, err := start(); err == nil || !strings.Contains(err.Error(), "replace-root-key: "+rootIDVariable) {
		t.Errorf("without a key: %v", err)
	}
	for range 2 { // the flag may be forgotten at the next start
		t.Setenv(rootIDVariable, "AKIAABCDEFGHIJKLMNOP")
		t.Setenv(rootSecretVariable, strings.Repeat("s3cret", 7))
		p, err := start()
		if err != nil {
			t.Fatal(err)
		}
		known := p.current.Load().identities(t)
		if _, secret, err := known.LongTerm(context.Background(), "AKIAABCDEFGHIJKLMNOP"); err != nil || string(secret) != strings.Repeat("s3cret", 7) {
			t.Errorf("the new key: %v", err)
		}
		if _, _, err := known.LongTerm(context.Background(), before["root"].AccessKeyID); !errors.Is(err, iam.ErrUnknownKey) {
			t.Errorf("the old key: %v", err)
		}
		if _, _, err := known.LongTerm(context.Background(), before["administrator"].AccessKeyID); err != nil {
			t.Errorf("the administrator's key: %v", err)
		}
		end(t, p)
	}
	read(t, file, &after)
	if after["root"].AccessKeyID != "AKIAABCDEFGHIJKLMNOP" || after["administrator"] != before["administrator"] {
		t.Error("credentials.json does not hold the new key beside the administrator's")
	}
}

func (c *core) identities(t *testing.T) *iam.Service {
	t.Helper()
	for _, s := range c.services {
		if known, ok := s.serve.(*iam.Service); ok {
			return known
		}
	}
	t.Fatal("no IAM")
	return nil
}

func read(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}
