package kms

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	mat "sumun.dev/engine/material"
)

func TestMaterialIsImportedByEveryAlgorithm(t *testing.T) {
	y := newYard(t)
	for _, spec := range []string{"SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256", "RSA_2048"} {
		plain, err := mat.Generate(mat.Spec(spec))
		if err != nil {
			t.Fatal(err)
		}
		for _, algorithm := range []kmsapi.AlgorithmSpec{"RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"} {
			id := aws.UUID()
			y.keep(yardHome, externalKey(id, spec))
			if spec == "RSA_2048" && algorithm == "RSAES_OAEP_SHA_256" {
				_, err := serve(y, yardHome, &kmsapi.GetParametersForImport, &kmsapi.GetParametersForImportRequest{KeyId: keyNamed(id), WrappingAlgorithm: algorithm, WrappingKeySpec: "RSA_2048"})
				if !kmsapi.UnsupportedOperationException.Is(err) {
					t.Errorf("%s by %s: %v", spec, algorithm, err)
				}
				continue
			}
			if !y.kept(yardHome, id).lacksMaterial(time.Now()) {
				t.Errorf("%s does not wait for an import", spec)
			}
			e := y.envelope(yardHome, id, algorithm)
			out := served(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever(id, plain))
			k := y.kept(yardHome, id)
			if k.lacksMaterial(time.Now()) || k.Current != *out.KeyMaterialId || !bytes.Equal(k.material(k.Current).Bytes, plain) {
				t.Errorf("%s by %s: not imported", spec, algorithm)
			}
		}
	}
}

func TestImportsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		plain, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
		y.keep(yardHome, externalKey("a", "SYMMETRIC_DEFAULT"))
		y.keep(yardHome, externalKey("b", "SYMMETRIC_DEFAULT"))
		y.keep(yardHome, symmetricKey("own"))
		y.keep(yardHome, externalKey("hmac", "HMAC_256"))
		e, eb, eh := y.envelope(yardHome, "a", "RSAES_OAEP_SHA_256"), y.envelope(yardHome, "b", "RSAES_OAEP_SHA_256"), y.envelope(yardHome, "hmac", "RSAES_OAEP_SHA_256")
		served(y, yardHome, &kmsapi.ImportKeyMaterial, eh.forever("hmac", plain))
		now := time.Now()
		change := func(in *kmsapi.ImportKeyMaterialRequest, f func(*kmsapi.ImportKeyMaterialRequest)) *kmsapi.ImportKeyMaterialRequest {
			f(in)
			return in
		}
		expiring := func(at *time.Time) *kmsapi.ImportKeyMaterialRequest {
			return change(e.forever("a", plain), func(in *kmsapi.ImportKeyMaterialRequest) { in.ExpirationModel, in.ValidTo = nil, at })
		}
		for _, c := range []struct {
			name string
			in   *kmsapi.ImportKeyMaterialRequest
			want aws.ErrorKind
		}{
			{"no_time", expiring(nil), aws.ValidationException},
			{"in_the_past", expiring(&now), aws.ValidationException},
			{"too_far", expiring(new(now.AddDate(0, 0, 366))), aws.ValidationException},
			{"time_though_for_ever", change(e.forever("a", plain), func(in *kmsapi.ImportKeyMaterialRequest) { in.ValidTo = new(now.AddDate(0, 0, 3)) }), aws.ValidationException},
			{"another_keys_token", change(e.forever("a", plain), func(in *kmsapi.ImportKeyMaterialRequest) { in.ImportToken = eb.token }), kmsapi.InvalidImportTokenException},
			{"no_token", change(e.forever("a", plain), func(in *kmsapi.ImportKeyMaterialRequest) { in.ImportToken = []byte("x") }), kmsapi.InvalidImportTokenException},
			{"another_wrapping_key", change(eb.forever("a", plain), func(in *kmsapi.ImportKeyMaterialRequest) { in.ImportToken = e.token }), kmsapi.InvalidCiphertextException},
			{"too_short", e.forever("a", plain[:31]), kmsapi.IncorrectKeyMaterialException},
			{"existing_of_none", change(e.forever("a", plain), func(in *kmsapi.ImportKeyMaterialRequest) { in.ImportType = new(kmsapi.ImportTypeExistingKeyMaterial) }), kmsapi.IncorrectKeyMaterialException},
			{"not_external", e.forever("own", plain), kmsapi.UnsupportedOperationException},
			{"other_hmac_material", eh.forever("hmac", other), kmsapi.IncorrectKeyMaterialException},
			{"new_hmac_material", change(eh.forever("hmac", other), func(in *kmsapi.ImportKeyMaterialRequest) { in.ImportType = new(kmsapi.ImportTypeNewKeyMaterial) }), kmsapi.IncorrectKeyMaterialException},
		} {
			if _, err := serve(y, yardHome, &kmsapi.ImportKeyMaterial, c.in); !c.want.Is(err) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		time.Sleep(tokenLife)
		if _, err := serve(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", plain)); !kmsapi.ExpiredImportTokenException.Is(err) {
			t.Errorf("a day later: %v", err)
		}
		y.settle()
		if _, err := serve(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", plain)); !kmsapi.ExpiredImportTokenException.Is(err) {
			t.Errorf("when the wrapping key is gone: %v", err)
		}
		if len(y.kept(yardHome, "a").Materials) != 0 {
			t.Error("something was imported")
		}
		time.Sleep(tokenMemory)
		y.settle()
		if _, err := serve(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", plain)); !kmsapi.InvalidImportTokenException.Is(err) {
			t.Errorf("much later: %v", err)
		}
	})
}

func TestImportedMaterialExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t)
		y.keep(yardHome, externalKey("a", "SYMMETRIC_DEFAULT"))
		plain := bytes.Repeat([]byte{1}, 32)
		e := y.envelope(yardHome, "a", "RSAES_OAEP_SHA_256")
		in := e.forever("a", plain)
		in.ExpirationModel, in.ValidTo = nil, new(time.Now().Add(time.Hour))
		first := served(y, yardHome, &kmsapi.ImportKeyMaterial, in)
		y.settle()
		if y.kept(yardHome, "a").lacksMaterial(time.Now()) {
			t.Error("expired too soon")
		}
		time.Sleep(time.Hour)
		if !y.kept(yardHome, "a").lacksMaterial(time.Now()) {
			t.Error("is used beyond its time")
		}
		y.settle()
		if k := y.kept(yardHome, "a"); k.material(k.Current).Bytes != nil {
			t.Error("expired material is kept")
		}
		if told := y.told(); !slices.Equal(told, []string{"KMS Imported Key Material Expiration", "AwsServiceEvent"}) {
			t.Errorf("told %q", told)
		}
		if _, err := serve(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", bytes.Repeat([]byte{2}, 32))); !kmsapi.IncorrectKeyMaterialException.Is(err) {
			t.Errorf("other bytes: %v", err)
		}
		again := served(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", plain))
		if *again.KeyMaterialId != *first.KeyMaterialId || y.kept(yardHome, "a").lacksMaterial(time.Now()) {
			t.Error("the same bytes are not the same material")
		}
	})
}

func TestDeletedMaterialComesBack(t *testing.T) {
	y := newYard(t)
	y.keep(yardHome, externalKey("a", "SYMMETRIC_DEFAULT"))
	plain := bytes.Repeat([]byte{1}, 32)
	e := y.envelope(yardHome, "a", "RSAES_OAEP_SHA_256")
	served(y, yardHome, &kmsapi.DeleteImportedKeyMaterial, &kmsapi.DeleteImportedKeyMaterialRequest{KeyId: keyNamed("a")}) // no effect
	served(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", plain))
	served(y, yardHome, &kmsapi.DeleteImportedKeyMaterial, &kmsapi.DeleteImportedKeyMaterialRequest{KeyId: keyNamed("a")})
	if !y.kept(yardHome, "a").lacksMaterial(time.Now()) {
		t.Error("is not pending import")
	}
	served(y, yardHome, &kmsapi.ImportKeyMaterial, e.forever("a", plain))
	if y.kept(yardHome, "a").lacksMaterial(time.Now()) {
		t.Error("is pending import still")
	}
}

func FuzzImport(f *testing.F) {
	y := newYard(f)
	y.keep(yardHome, externalKey("a", "SYMMETRIC_DEFAULT"))
	plain := bytes.Repeat([]byte{1}, 32)
	e := y.envelope(yardHome, "a", "RSA_AES_KEY_WRAP_SHA_256")
	good := e.forever("a", plain)
	f.Add(good.ImportToken, good.EncryptedKeyMaterial)
	f.Add([]byte{tokenForm}, []byte{})
	f.Add(good.ImportToken, good.EncryptedKeyMaterial[:300])
	f.Fuzz(func(t *testing.T, token, wrapped []byte) {
		y := *y
		y.t = t
		_, err := serve(&y, yardHome, &kmsapi.ImportKeyMaterial, &kmsapi.ImportKeyMaterialRequest{
			KeyId: keyNamed("a"), ImportToken: token, EncryptedKeyMaterial: wrapped, ExpirationModel: new(kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire),
		})
		switch {
		case err == nil && !bytes.Equal(token, good.ImportToken):
			t.Errorf("a token that nobody was given is taken: %x", token)
		case err != nil && !kmsapi.InvalidImportTokenException.Is(err) && !kmsapi.InvalidCiphertextException.Is(err) && !kmsapi.IncorrectKeyMaterialException.Is(err):
			t.Error(err)
		}
	})
}

// A request whose unit of work begins anew goes on with the wrapping key that it has;
// the next request has another.
func TestAWrappingKeyIsMadeOnceForARequest(t *testing.T) {
	y := newYard(t)
	y.keep(yardHome, externalKey("a", "SYMMETRIC_DEFAULT"))
	in := &kmsapi.GetParametersForImportRequest{KeyId: keyNamed("a"), WrappingAlgorithm: kmsapi.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: kmsapi.WrappingKeySpecRsa2048}
	var made [][]byte
	err := y.store.Update(y.in(yardHome), func(ctx context.Context) error {
		out, err := y.service.getParametersForImport(ctx, in)
		if err != nil {
			return err
		}
		if made = append(made, out.PublicKey); len(made) == 1 {
			y.keep(yardHome, externalKey("a", "SYMMETRIC_DEFAULT")) // somebody else is faster
		}
		return nil
	})
	if err != nil || len(made) != 2 || !bytes.Equal(made[0], made[1]) {
		t.Errorf("%d attempts, with the same key: %v; %v", len(made), len(made) == 2 && bytes.Equal(made[0], made[1]), err)
	}
	if next := served(y, yardHome, &kmsapi.GetParametersForImport, in); bytes.Equal(next.PublicKey, made[0]) {
		t.Error("two requests share a wrapping key")
	}
	if len(y.service.wrapping.of) != 0 {
		t.Errorf("%d keys are held for requests that are done", len(y.service.wrapping.of))
	}
}
