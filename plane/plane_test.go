package plane_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

func options() plane.Options {
	return plane.Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true}
}

// settings are those of a plane that keeps its state in a folder, or nothing.
func settings(data string) config.Config {
	c := config.Default()
	c.Data = data
	return c
}

// In a bubble a goroutine that is left behind fails the test.
func TestAPlaneThatDoesNotStartLeavesNothingRunning(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(c *config.Config)
	}{
		{"keys_cannot_be_kept", func(c *config.Config) {
			if err := os.MkdirAll(filepath.Join(c.Data, runtime.CredentialsFile), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		{"list_is_missing", func(c *config.Config) { c.Lists = []config.List{{Name: "l", File: filepath.Join(c.Data, "none")}} }},
		{"trusted_proxy_is_none", func(c *config.Config) { c.Trusted = []string{"proxy"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := settings(t.TempDir())
				c.spoil(&cfg)
				if p, err := plane.New(t.Context(), cfg, options()); err == nil {
					t.Error("it starts", p.Close(t.Context()))
				}
			})
		})
	}
}

func TestResetKeepsAccountAndKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := plane.New(t.Context(), settings(config.Memory), options())
		if err != nil {
			t.Fatal(err)
		}
		account, keys := p.Account(), p.Credentials()
		gone, leave := context.WithCancel(t.Context())
		leave() // whoever asked for the reset does not wait for it
		if err := p.Reset(gone); err != nil {
			t.Error(err)
		}
		if p.Account() != account || p.Credentials()["root"] != keys["root"] || len(p.Credentials()) != 2 {
			t.Errorf("account %s, keys of %d", p.Account(), len(p.Credentials()))
		}
		for e, err := range p.Events(t.Context(), aws.TrailStream, time.Time{}) {
			t.Errorf("the trail is not empty: %s, %v", e.Data, err)
		}
		if err := p.Close(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestRootKeyOfTheEnvironment(t *testing.T) {
	const id, secret = "AKIAQWERTYUIOPASDFGH", "0123456789abcdefghijABCDEFGHIJ0123456789"
	for _, c := range []struct {
		name, id, secret string
		good             bool
	}{
		{"given", id, secret, true},
		{"none", "", "", true},
		{"id_of_another_form", "AKIAqwertyuiopasdfgh", secret, false},
		{"short_secret", id, secret[:31], false},
		{"published", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", false},
		{"secret_alone", "", secret, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("SUMUN_ROOT_ACCESS_KEY_ID", c.id)
			t.Setenv("SUMUN_ROOT_SECRET_ACCESS_KEY", c.secret)
			p, err := plane.New(t.Context(), settings(config.Memory), options())
			if (err == nil) != c.good {
				t.Errorf("%v", err)
			}
			if got := os.Getenv("SUMUN_ROOT_SECRET_ACCESS_KEY"); got != "" {
				t.Error("the secret stays in the environment")
			}
			if err != nil {
				if c.secret != "" && strings.Contains(err.Error(), c.secret) {
					t.Error("the error tells the secret")
				}
				return
			}
			defer p.Close(t.Context())
			if got := p.Credentials()["root"]; c.id != "" && (got.AccessKeyID != c.id || got.SecretAccessKey != c.secret) {
				t.Errorf("root has %s", got.AccessKeyID)
			}
		})
	}
}

// IAM's endpoint is in us-east-1 for all the world, whatever region the plane is
// told to name. IAM User Guide, "aws:RequestedRegion".
func TestGlobalServicesAreInTheirOwnRegion(t *testing.T) {
	cfg := settings(config.Memory)
	cfg.Region = "eu-central-1"
	p, err := plane.New(t.Context(), cfg, options())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	key := p.Credentials()["administrator"]
	call := func(form url.Values) int {
		form.Set("Version", "2010-05-08")
		body := form.Encode()
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		sigv4.Sign(r, []byte(body), sigv4.Credentials{KeyID: key.AccessKeyID, Secret: key.SecretAccessKey},
			sigv4.Scope{Region: "us-east-1", Service: "iam"}, 0, time.Now())
		w := httptest.NewRecorder()
		p.API().ServeHTTP(w, r)
		return w.Code
	}
	elsewhere := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*",
		"Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}}]}`
	put := url.Values{"Action": {"PutUserPolicy"}, "UserName": {"administrator"}, "PolicyName": {"p"}, "PolicyDocument": {elsewhere}}
	if code := call(put); code != 200 {
		t.Fatalf("PutUserPolicy: %d", code)
	}
	if code := call(url.Values{"Action": {"ListUsers"}}); code != 200 {
		t.Errorf("ListUsers: %d", code)
	}
}
