package parameters

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// A keeper is the least of KMS and Secrets Manager that Parameter Store can meet:
// one key, which binds what it seals to the encryption context, and one secret.
type keeper struct {
	key   []byte
	fails error
	asked []string // "operation of PARAMETER_ARN under key"
}

func (k *keeper) As(ctx context.Context, _ aws.ARN, _ string) (context.Context, error) {
	return ctx, nil
}

func (k *keeper) Invoke(_ context.Context, op wire.AnyOperation, in any) (any, error) {
	if k.fails != nil {
		return nil, k.fails
	}
	switch in := in.(type) {
	case *kmsapi.EncryptRequest:
		k.note(op, in.EncryptionContext, in.KeyId)
		return &kmsapi.EncryptResponse{CiphertextBlob: k.seal(in.Plaintext, in.EncryptionContext)}, nil
	case *kmsapi.GenerateDataKeyRequest:
		k.note(op, in.EncryptionContext, in.KeyId)
		fresh := make([]byte, 32)
		_, _ = rand.Read(fresh)
		return &kmsapi.GenerateDataKeyResponse{Plaintext: fresh, CiphertextBlob: k.seal(fresh, in.EncryptionContext)}, nil
	case *kmsapi.DecryptRequest:
		k.note(op, in.EncryptionContext, text(in.KeyId))
		bound, _ := json.Marshal(in.EncryptionContext)
		plain, err := unwrap(k.key, in.CiphertextBlob, string(bound))
		if err != nil {
			return nil, kmsapi.InvalidCiphertextException.New("")
		}
		return &kmsapi.DecryptResponse{Plaintext: []byte(plain)}, nil
	case *secretsmanagerapi.GetSecretValueRequest:
		if in.SecretId != "db" {
			return nil, secretsmanagerapi.ResourceNotFoundException.New("Secrets Manager can't find the specified secret.")
		}
		return &secretsmanagerapi.GetSecretValueResponse{Name: new("db"), ARN: new("arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf"),
			SecretString: new("value of " + text(in.VersionStage) + text(in.VersionId)), VersionStages: []string{"AWSCURRENT"}}, nil
	}
	return nil, aws.UnsupportedOperation.New("%s", op.About())
}

func (k *keeper) note(op wire.AnyOperation, bound map[string]string, key string) {
	k.asked = append(k.asked, strings.TrimSpace(op.About().Name+" of "+bound[arnContext]+" "+key))
}

func (k *keeper) seal(plain []byte, bound map[string]string) []byte {
	text, _ := json.Marshal(bound)
	b, _ := envelope(k.key, nil, string(text), string(plain))
	return b[3:]
}

func newSecureWorld(t *testing.T) (*world, *keeper) {
	w := newWorld(t, false)
	k := &keeper{key: make([]byte, 32)}
	w.service.env.AWS = k
	return w, k
}

func (w *world) putSecure(name, value string, tier ssmapi.ParameterTier, key *string, over bool) error {
	_, err := do(w, w.service.putParameter, &ssmapi.PutParameterRequest{
		Name: name, Value: value, Type: new(ssmapi.ParameterTypeSecureString), Tier: &tier, KeyId: key, Overwrite: &over,
	})
	return err
}

func (w *world) readSecure(name string) (string, error) {
	out, err := do(w, w.service.getParameter, &ssmapi.GetParameterRequest{Name: name, WithDecryption: new(true)})
	if err != nil {
		return "", err
	}
	return *out.Parameter.Value, nil
}

func TestSecureStringsAreAskedOfKMS(t *testing.T) {
	w, k := newSecureWorld(t)
	long := strings.Repeat("x", maxAdvanced)
	w.must(w.putSecure("/s", "hunter2", ssmapi.ParameterTierStandard, nil, false))
	w.must(w.putSecure("/a", long, ssmapi.ParameterTierAdvanced, new("alias/mine"), false))
	for name, want := range map[string]string{"/s": "hunter2", "/a": long} {
		if got, err := w.readSecure(name); err != nil || got != want {
			t.Errorf("%s is read as %.20q: %v", name, got, err)
		}
	}
	const arn = "arn:aws:ssm:us-east-1:111122223333:parameter/"
	for _, want := range []string{"Encrypt of " + arn + "s alias/aws/ssm", "GenerateDataKey of " + arn + "a alias/mine", "Decrypt of " + arn + "s", "Decrypt of " + arn + "a"} {
		if !slices.Contains(k.asked, want) {
			t.Errorf("KMS was not asked for %q but for %q", want, k.asked)
		}
	}

	// Without decryption KMS is not asked, and nothing shows.
	asked := len(k.asked)
	out, err := do(w, w.service.getParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/"})
	w.must(err)
	for _, p := range out.Parameters {
		if strings.Contains(*p.Value, "hunter2") || strings.Contains(*p.Value, "xxxx") {
			t.Errorf("%s shows its value", *p.Name)
		}
	}
	if len(k.asked) != asked {
		t.Errorf("KMS was asked for %q", k.asked[asked:])
	}

	// Earlier versions are encrypted and decrypted like the current one.
	w.must(w.putSecure("/s", "correct-horse", ssmapi.ParameterTierAdvanced, nil, true))
	if old, err := w.readSecure("/s:1"); err != nil || old != "hunter2" {
		t.Errorf("version 1 is %q: %v", old, err)
	}
	past, err := do(w, w.service.getParameterHistory, &ssmapi.GetParameterHistoryRequest{Name: "/s", WithDecryption: new(true)})
	w.must(err)
	if *past.Parameters[0].Value != "hunter2" || *past.Parameters[1].Value != "correct-horse" {
		t.Errorf("the history has %q and %q", *past.Parameters[0].Value, *past.Parameters[1].Value)
	}
}

func TestWhatKMSRefusesIsRefused(t *testing.T) {
	w, k := newSecureWorld(t)
	w.must(w.putSecure("/s", "hunter2", ssmapi.ParameterTierStandard, nil, false))
	w.must(w.putSecure("/a", "hunter2", ssmapi.ParameterTierAdvanced, nil, false))
	for _, c := range []struct {
		fails error
		want  aws.ErrorKind
	}{
		{aws.AccessDenied.New("User: x is not authorized to perform: kms:Decrypt"), aws.AccessDenied},
		{kmsapi.DisabledException.New("k is disabled."), ssmapi.InvalidKeyId},
		{kmsapi.NotFoundException.New("Key k does not exist"), ssmapi.InvalidKeyId},
		{kmsapi.KMSInvalidStateException.New("k is pending deletion."), ssmapi.InvalidKeyId},
	} {
		k.fails = c.fails
		_, standard := w.readSecure("/s")
		_, advanced := w.readSecure("/a")
		_, several := do(w, w.service.getParameters, &ssmapi.GetParametersRequest{Names: []string{"/s"}, WithDecryption: new(true)})
		_, path := do(w, w.service.getParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/", WithDecryption: new(true)})
		_, past := do(w, w.service.getParameterHistory, &ssmapi.GetParameterHistoryRequest{Name: "/s", WithDecryption: new(true)})
		changed := w.putSecure("/s", "other", ssmapi.ParameterTierStandard, nil, true)
		for i, err := range []error{standard, advanced, several, path, past, changed} {
			if !c.want.Is(err) {
				t.Errorf("%v: way %d answers %v", c.fails, i, err)
			}
		}
		k.fails = nil
		if got, err := w.readSecure("/s"); err != nil || got != "hunter2" {
			t.Errorf("after %v the value is %q: %v", c.fails, got, err)
		}
	}
}

// A ciphertext that is moved to another parameter does not open there.
func TestValuesAreBoundToTheirParameter(t *testing.T) {
	w, _ := newSecureWorld(t)
	for _, tier := range []ssmapi.ParameterTier{ssmapi.ParameterTierStandard, ssmapi.ParameterTierAdvanced} {
		name := "/from-" + string(tier)
		w.must(w.putSecure(name, "hunter2", tier, nil, false))
		w.must(w.store.Update(w.ctx, func(ctx context.Context) error {
			p, err := w.service.parameters.Get(ctx, name)
			if err != nil {
				return err
			}
			p.Name = "/to-" + string(tier)
			return w.service.parameters.Put(ctx, p.Name, p)
		}))
		if got, err := w.readSecure("/to-" + string(tier)); !ssmapi.InvalidKeyId.Is(err) {
			t.Errorf("%s: %q, %v", tier, got, err)
		}
	}
}

func TestSecretsAreReadByReference(t *testing.T) {
	w, k := newSecureWorld(t)
	for name, want := range map[string]string{
		"/aws/reference/secretsmanager/db":                                      "value of ",
		"/aws/reference/secretsmanager/db:AWSPREVIOUS":                          "value of AWSPREVIOUS",
		"/aws/reference/secretsmanager/db:01234567-89ab-cdef-0123-456789abcdef": "value of 01234567-89ab-cdef-0123-456789abcdef",
	} {
		if got, err := w.readSecure(name); err != nil || got != want {
			t.Errorf("%s is %q: %v", name, got, err)
		}
	}
	if _, err := w.readSecure("/aws/reference/secretsmanager/none"); !ssmapi.ParameterNotFound.Is(err) {
		t.Errorf("no such secret: %v", err)
	}
	k.fails = aws.AccessDenied.New("no")
	if _, err := w.readSecure("/aws/reference/secretsmanager/db"); !aws.AccessDenied.Is(err) {
		t.Errorf("without the right: %v", err)
	}
}
