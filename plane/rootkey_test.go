package plane

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/engine/certtest"
	"sumun.dev/engine/seal"
	"sumun.dev/plane/config"
	"sumun.dev/plane/roothsm"
	"sumun.dev/store"
)

// A keeper is another plane, reached over TLS, whose KMS keeps root keys. Its user
// "plane" may make and open data keys with the context of the plane "prod", and
// nothing else; the credentials are those of the profile "keeper".
type keeper struct {
	t    *testing.T
	p    *Plane
	ca   string
	key  string // ARN
	user string // ARN
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, b []byte) string {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cert := certtest.New(t, "keeper")
	cfg := listening(config.Memory)
	cfg.AccountID, cfg.TLS = "444455556666", config.TLS{Cert: write("cert.pem", cert.Cert), Key: write("key.pem", cert.Key)}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	if _, err := p.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	k := &keeper{t: t, p: p, ca: write("ca.pem", cert.CA)}
	user, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "plane"})
	if err != nil {
		t.Fatal(err)
	}
	access, err := byRoot(t, p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("plane")})
	if err != nil {
		t.Fatal(err)
	}
	k.user = user.User.Arn
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(folder, "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", write("credentials", []byte("[keeper]\naws_access_key_id = "+access.AccessKey.AccessKeyId+"\naws_secret_access_key = "+access.AccessKey.SecretAccessKey+"\n"+
		"[stranger]\naws_access_key_id = "+access.AccessKey.AccessKeyId+"\naws_secret_access_key = wrong\n")))
	k.key = k.newKey()
	return k
}

// newKey makes a KMS key that the plane "prod" may use.
func (k *keeper) newKey() string {
	k.t.Helper()
	policy := `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":"` + k.user + `"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*",
			"Condition":{"StringEquals":{"kms:EncryptionContext:sumun:plane":["prod","test"]}}}]}`
	out, err := byRoot(k.t, k.p, &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{Policy: &policy})
	if err != nil {
		k.t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

// settings are those of a plane whose root keys the keeper keeps.
func (k *keeper) settings(folder string) config.Config {
	cfg := config.Default()
	cfg.Data = folder
	cfg.RootKey.KMS = config.RootKMS{Key: k.key, Plane: "prod", Endpoint: k.p.Note().API, CA: k.ca, Profile: "keeper"}
	return cfg
}

func beginWith(t *testing.T, cfg config.Config) (*Plane, error) {
	t.Helper()
	return New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
}

func begunWith(t *testing.T, cfg config.Config) *Plane {
	t.Helper()
	p, err := beginWith(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func withAlice(t *testing.T, cfg config.Config) {
	t.Helper()
	p := begunWith(t, cfg)
	defer end(t, p)
	if _, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice"}); err != nil {
		t.Fatal(err)
	}
}

// hasAlice starts the plane and looks whether its data are there.
func hasAlice(t *testing.T, cfg config.Config) {
	t.Helper()
	p := begunWith(t, cfg)
	defer end(t, p)
	if got := users(t, p); !slices.Contains(got, "alice") {
		t.Errorf("users are %v", got)
	}
}

// Another plane's KMS keeps the root key: without it the plane does not start, says
// why, and loses nothing.
func TestRootKeyKeptByAnotherKMS(t *testing.T) {
	k := newKeeper(t)
	folder := t.TempDir()
	cfg := k.settings(folder)
	withAlice(t, cfg)
	if there(filepath.Join(folder, RootKeyFile)) {
		t.Error("the root key lies in the folder")
	}
	wrapped := filepath.Join(folder, RootKMSFile)
	right, err := os.ReadFile(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	hasAlice(t, cfg)

	other := k.newKey()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	may := func(op func() error) func() {
		return func() {
			if err := op(); err != nil {
				t.Fatal(err)
			}
		}
	}
	enable := may(func() error {
		_, err := byRoot(t, k.p, &kmsapi.EnableKey, &kmsapi.EnableKeyRequest{KeyId: k.key})
		return err
	})
	keep := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(wrapped, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		spoil  func(*config.Config)
		mend   func()
		reason string
	}{
		{name: "disabled", reason: "is disabled; nothing is lost, enable it again", mend: enable, spoil: func(*config.Config) {
			may(func() error {
				_, err := byRoot(t, k.p, &kmsapi.DisableKey, &kmsapi.DisableKeyRequest{KeyId: k.key})
				return err
			})()
		}},
		{name: "pending_deletion", reason: "if it waits for its deletion, cancel that", spoil: func(*config.Config) {
			may(func() error {
				_, err := byRoot(t, k.p, &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: k.key})
				return err
			})()
		}, mend: func() {
			may(func() error {
				_, err := byRoot(t, k.p, &kmsapi.CancelKeyDeletion, &kmsapi.CancelKeyDeletionRequest{KeyId: k.key})
				return err
			})()
			enable()
		}},
		{name: "not_allowed", reason: "refuses to use the key", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Plane = "other" }},
		{name: "wrong_secret", reason: "InvalidSignatureException", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Profile = "stranger" }},
		{name: "no_credentials", reason: "there are no AWS credentials", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Profile = "nobody" }},
		{name: "of_another_plane", reason: `is of another plane than "test"`, spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Plane = "test" }},
		{name: "another_key", reason: "was wrapped under another KMS key", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Key = other }},
		{name: "no_such_key", reason: "has no key", spoil: func(cfg *config.Config) {
			cfg.RootKey.KMS.Key = "arn:aws:kms:us-east-1:444455556666:alias/none"
		}},
		{name: "unreachable", reason: "cannot be reached", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Endpoint = "https://" + closed.Addr().String() }},
		{name: "unknown_authority", reason: "cannot be reached", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.CA = "" }},
		{name: "no_kms", reason: "the KMS at", spoil: func(cfg *config.Config) { cfg.RootKey.KMS.Endpoint = k.p.Note().Admin }},
		{name: "tampered", reason: "is damaged, comes from another KMS", mend: func() { keep(right) }, spoil: func(*config.Config) { keep(tampered(t, right)) }},
		{name: "no_json", reason: "is damaged", mend: func() { keep(right) }, spoil: func(*config.Config) { keep(right[:len(right)/2]) }},
		{name: "empty", reason: "it has 0 root keys", mend: func() { keep(right) }, spoil: func(*config.Config) { keep([]byte("{}")) }},
		{name: "key_in_the_environment_too", reason: "SUMUN_ROOT_KEY is set too", spoil: func(*config.Config) { t.Setenv(seal.Variable, strings.Repeat("ab", 32)) }, mend: func() {
			if err := os.Unsetenv(seal.Variable); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "bare_key_too", reason: "is there too", mend: may(func() error { return os.Remove(filepath.Join(folder, RootKeyFile)) }), spoil: func(*config.Config) {
			may(func() error {
				return os.WriteFile(filepath.Join(folder, RootKeyFile), []byte(strings.Repeat("ab", 32)), 0o600)
			})()
		}},
		{name: "no_setting", reason: "root-key.kms must name", spoil: func(cfg *config.Config) { cfg.RootKey.KMS = config.RootKMS{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			spoilt := cfg
			c.spoil(&spoilt)
			before := filesOf(t, folder)
			if p, err := beginWith(t, spoilt); err == nil {
				end(t, p)
				t.Error("it starts")
			} else if !strings.Contains(err.Error(), c.reason) {
				t.Errorf("it says: %v", err)
			}
			if after := filesOf(t, folder); !slices.Equal(after, before) {
				t.Errorf("files were %q and are %q", before, after)
			}
			if c.mend != nil {
				c.mend()
			}
			hasAlice(t, cfg)
		})
	}

	t.Run("lost", func(t *testing.T) {
		if err := os.Remove(wrapped); err != nil {
			t.Fatal(err)
		}
		if p, err := beginWith(t, cfg); err == nil {
			end(t, p)
			t.Error("it starts")
		} else if !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("it says: %v", err)
		}
		if there(wrapped) {
			t.Error("a new root key is made for old data")
		}
		keep(right)
		hasAlice(t, cfg)
	})
	t.Run("of_other_data", func(t *testing.T) {
		elsewhere := t.TempDir()
		withAlice(t, k.settings(elsewhere))
		others, err := os.ReadFile(filepath.Join(elsewhere, RootKMSFile))
		if err != nil {
			t.Fatal(err)
		}
		keep(others)
		if err := CheckRootKey(t.Context(), &cfg); !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("the check says: %v", err)
		}
		if p, err := beginWith(t, cfg); err == nil {
			end(t, p)
			t.Error("it starts")
		} else if !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("it says: %v", err)
		}
		keep(right)
		if err := CheckRootKey(t.Context(), &cfg); err != nil {
			t.Error(err)
		}
		hasAlice(t, cfg)
	})
	k.tells(t)
}

// tells waits for what the keeper's trail says of the root key.
func (k *keeper) tells(t *testing.T) {
	t.Helper()
	in := &cloudtrailapi.LookupEventsRequest{LookupAttributes: []cloudtrailapi.LookupAttribute{{AttributeKey: cloudtrailapi.LookupAttributeKeyEventName, AttributeValue: "GenerateDataKey"}}}
	for range 600 {
		out, err := byRoot(t, k.p, &cloudtrailapi.LookupEvents, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			if strings.Contains(*e.CloudTrailEvent, `"encryptionContext":{"sumun:plane":"prod"}`) && strings.Contains(*e.CloudTrailEvent, k.user) {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("no record tells that the plane's root key was made")
}

// tampered changes the last byte of the first ciphertext.
func tampered(t *testing.T, kept []byte) []byte {
	t.Helper()
	var file struct {
		RootKeys []struct {
			ID   string `json:"id"`
			Blob []byte `json:"ciphertextBlob"`
		} `json:"rootKeys"`
	}
	if err := json.Unmarshal(kept, &file); err != nil {
		t.Fatal(err)
	}
	blob := file.RootKeys[0].Blob
	was := base64.StdEncoding.EncodeToString(blob)
	blob[len(blob)-1] ^= 1
	return bytes.Replace(kept, []byte(was), []byte(base64.StdEncoding.EncodeToString(blob)), 1)
}

// filesOf names the files of a folder that are there also when no plane runs.
func filesOf(t *testing.T, folder string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(name, "-wal") || strings.HasSuffix(name, "-shm") {
			return nil
		}
		all = append(all, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Root keys change while the KMS keeps them: the newest is first, all open, and
// another node hears of a new one. The KMS itself can change too.
func TestRootKeysOfAKMSRotate(t *testing.T) {
	k := newKeeper(t)
	cfg := k.settings(t.TempDir())
	ctx := t.Context()
	open := func() *seal.Root {
		t.Helper()
		root, err := OpenRoot(ctx, &cfg, true)
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	one := open()
	old := one.Current()
	sealed := one.Seal([]byte("data"), nil)
	other := open() // another node, with the same file
	made, err := one.Make(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if other.Knows(made) {
		t.Error("the other node knows the key by itself")
	}
	if err := other.Refresh(ctx); err != nil || !other.Knows(made) {
		t.Errorf("the other node does not know the key, %v", err)
	}
	if err := one.Use(made); err != nil {
		t.Fatal(err)
	}
	if got := open().Keys(); !slices.Equal(got, []string{made, old}) {
		t.Errorf("the keys are %q", got)
	}
	if plain, err := open().Open(sealed, nil); err != nil || string(plain) != "data" {
		t.Errorf("the old key opens %q, %v", plain, err)
	}

	// Another KMS key for what is new.
	was := cfg.RootKey.KMS.Key
	cfg.RootKey.KMS.Key, cfg.RootKey.KMS.Earlier = k.newKey(), []string{was}
	moved := open()
	third, err := moved.Make(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := moved.Use(third); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{old, made} {
		if err := moved.Drop(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := byRoot(t, k.p, &kmsapi.DisableKey, &kmsapi.DisableKeyRequest{KeyId: was}); err != nil {
		t.Fatal(err)
	}
	cfg.RootKey.KMS.Earlier = nil
	if got := open().Keys(); !slices.Equal(got, []string{third}) {
		t.Errorf("the keys are %q", got)
	}

	// The KMS refuses: nothing changes.
	if _, err := byRoot(t, k.p, &kmsapi.DisableKey, &kmsapi.DisableKeyRequest{KeyId: cfg.RootKey.KMS.Key}); err != nil {
		t.Fatal(err)
	}
	if id, err := moved.Make(ctx); err == nil || len(moved.Keys()) != 1 {
		t.Errorf("made %s with a disabled KMS key: %v", id, err)
	}
}

// A root key that lay in a file can be wrapped by hand (docs/root-key.md).
func TestBareRootKeyIsWrappedByHand(t *testing.T) {
	k := newKeeper(t)
	folder := t.TempDir()
	bare := config.Default()
	bare.Data = folder
	withAlice(t, bare)
	text, err := os.ReadFile(filepath.Join(folder, RootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		RootKeys []map[string][]byte `json:"rootKeys"`
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		out, err := byRoot(t, k.p, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: k.key, Plaintext: key, EncryptionContext: map[string]string{"sumun:plane": "prod"}})
		if err != nil {
			t.Fatal(err)
		}
		kept.RootKeys = append(kept.RootKeys, map[string][]byte{"ciphertextBlob": out.CiphertextBlob})
	}
	wrapped, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(folder, RootKMSFile), wrapped, 0o600), os.Remove(filepath.Join(folder, RootKeyFile))); err != nil {
		t.Fatal(err)
	}
	hasAlice(t, k.settings(folder))
}

// A program without PKCS #11 says so, and makes no key.
func TestRootKeyInAnHSMNeedsAProgramBuiltForIt(t *testing.T) {
	cfg := config.Config{Data: t.TempDir()}
	cfg.RootKey.PKCS11 = config.RootHSM{Module: "/nowhere.so", Token: "t", Key: "k", PINFile: filepath.Join(cfg.Data, "pin")}
	if err := os.WriteFile(cfg.RootKey.PKCS11.PINFile, []byte("1234\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRoot(t.Context(), &cfg, true); err == nil || !strings.Contains(err.Error(), "others can read") {
		t.Errorf("a PIN for everybody: %v", err)
	}
	if err := os.Chmod(cfg.RootKey.PKCS11.PINFile, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRoot(t.Context(), &cfg, true); !errors.Is(err, roothsm.ErrAbsent) && !(err != nil && strings.Contains(err.Error(), "cannot be opened")) {
		t.Errorf("without PKCS #11, or its module: %v", err)
	}
	left, err := os.ReadDir(cfg.Data)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}
