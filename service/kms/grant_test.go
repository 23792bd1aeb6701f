package kms

import (
	"context"
	"fmt"
	"testing"
	"time"

	api "sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

func grantTo(w *crypt, id, grantee string, c *api.GrantConstraints, ops ...api.GrantOperation) *api.CreateGrantResponse {
	w.t.Helper()
	return must(w, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: grantee, Operations: ops, Constraints: c})
}

func encryptIn(id string, context map[string]string) *api.EncryptRequest {
	return &api.EncryptRequest{KeyId: arnOf(id), Plaintext: []byte("x"), EncryptionContext: context}
}

// Grantees have nothing but the grant.
func TestGrantees(t *testing.T) {
	for _, c := range []struct {
		grantee string
		caller  *aws.Principal
	}{
		{"arn:aws:iam::111122223333:user/alice", user(account, "alice")},
		{"arn:aws:iam::111122223333:role/app", role(account, "app")},
		{"arn:aws:sts::111122223333:assumed-role/app/s", role(account, "app")},
		{"arn:aws:iam::111122223333:root", root(account)},
		{"111122223333", root(account)},
		{"logs.amazonaws.com", &aws.Principal{Kind: aws.Service, Name: "logs.amazonaws.com"}},
	} {
		w := newCrypt(t)
		id := w.key(symmetric, encrypting)
		w.change(id, func(k *key) {
			k.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/admin"},"Action":"kms:*","Resource":"*"}]}`
		})
		admin := w.as(user(account, "admin"))
		refused(w.as(c.caller), aws.AccessDenied, &api.Encrypt, encryptIn(id, nil))
		made := grantTo(admin, id, c.grantee, nil, "Encrypt")
		must(w.as(c.caller), &api.Encrypt, encryptIn(id, nil))
		refused(w.as(c.caller), aws.AccessDenied, &api.GenerateDataKey, &api.GenerateDataKeyRequest{KeyId: arnOf(id), KeySpec: new(api.DataKeySpecAes256)})
		refused(w.as(user(account, "bob")), aws.AccessDenied, &api.Encrypt, encryptIn(id, nil))
		must(admin, &api.RevokeGrant, &api.RevokeGrantRequest{KeyId: id, GrantId: *made.GrantId})
		refused(w.as(c.caller), aws.AccessDenied, &api.Encrypt, encryptIn(id, nil))
	}
}

func TestGrantConstraints(t *testing.T) {
	w := newCrypt(t)
	alice := w.as(user(account, "alice"))
	pairs := map[string]string{"App": "till"}
	for _, c := range []struct {
		name       string
		constraint *api.GrantConstraints
		context    map[string]string
		allowed    bool
	}{
		{"subset_exact", &api.GrantConstraints{EncryptionContextSubset: pairs}, map[string]string{"App": "till"}, true},
		{"subset_more", &api.GrantConstraints{EncryptionContextSubset: pairs}, map[string]string{"App": "till", "x": "y"}, true},
		{"subset_other_case_of_key", &api.GrantConstraints{EncryptionContextSubset: pairs}, map[string]string{"app": "till"}, false},
		{"subset_other_case_of_value", &api.GrantConstraints{EncryptionContextSubset: pairs}, map[string]string{"App": "Till"}, false},
		{"subset_none", &api.GrantConstraints{EncryptionContextSubset: pairs}, nil, false},
		{"equals_exact", &api.GrantConstraints{EncryptionContextEquals: pairs}, map[string]string{"App": "till"}, true},
		{"equals_more", &api.GrantConstraints{EncryptionContextEquals: pairs}, map[string]string{"App": "till", "x": "y"}, false},
		{"equals_other_case", &api.GrantConstraints{EncryptionContextEquals: pairs}, map[string]string{"app": "till"}, false},
		{"equals_nothing", &api.GrantConstraints{EncryptionContextEquals: map[string]string{}}, map[string]string{"app": "till"}, false},
		{"equals_nothing_and_none", &api.GrantConstraints{EncryptionContextEquals: map[string]string{}}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := w.key(symmetric, encrypting)
			grantTo(w, id, "arn:aws:iam::111122223333:user/alice", c.constraint, "Encrypt", "DescribeKey")
			_, err := call(alice, &api.Encrypt, encryptIn(id, c.context))
			if c.allowed && err != nil || !c.allowed && !aws.AccessDenied.Is(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A grantee who may make grants makes none that allow more, or under less.
func TestChildGrants(t *testing.T) {
	w := newCrypt(t)
	alice := w.as(user(account, "alice"))
	bob := "arn:aws:iam::111122223333:user/bob"
	id := w.key(symmetric, encrypting)
	grantTo(w, id, "arn:aws:iam::111122223333:user/alice", &api.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, "CreateGrant", "Decrypt", "Encrypt")
	try := func(c *api.GrantConstraints, ops ...api.GrantOperation) error {
		_, err := call(alice, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: bob, Operations: ops, Constraints: c})
		return err
	}
	subset := func(m map[string]string) *api.GrantConstraints {
		return &api.GrantConstraints{EncryptionContextSubset: m}
	}
	for name, err := range map[string]error{
		"no constraint":   try(nil, "Decrypt"),
		"another":         try(subset(map[string]string{"a": "2"}), "Decrypt"),
		"more operations": try(subset(map[string]string{"a": "1"}), "Decrypt", "GenerateDataKey"),
		"RetireGrant":     try(subset(map[string]string{"a": "1"}), "RetireGrant"),
		"in another case": try(subset(map[string]string{"A": "1"}), "Decrypt"),
		"of somebody else": func() error {
			_, err := call(w.as(user(account, "bob")), &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: bob, Operations: []api.GrantOperation{"Decrypt"}})
			return err
		}(),
	} {
		if !aws.AccessDenied.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := try(subset(map[string]string{"a": "1", "b": "2"}), "Encrypt"); err != nil {
		t.Error(err)
	}
	if err := try(&api.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, "Decrypt"); err != nil {
		t.Error(err)
	}
	must(w.as(user(account, "bob")), &api.Encrypt, encryptIn(id, map[string]string{"a": "1", "b": "2"}))
}

// A policy that forbids grants to an account means it however the account is named.
func TestAccountsAreOnePrincipalInPolicies(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	w.change(id, func(k *key) {
		k.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
			{"Effect":"Deny","Principal":"*","Action":"kms:CreateGrant","Resource":"*","Condition":{"StringEquals":{"kms:GranteePrincipal":"arn:aws:iam::444455556666:root"}}},
			{"Effect":"Deny","Principal":"*","Action":"kms:CreateGrant","Resource":"*","Condition":{"StringEquals":{"kms:RetiringPrincipal":"arn:aws:iam::444455556666:root"}}}]}`
	})
	in := func(grantee, retiring string) *api.CreateGrantRequest {
		return &api.CreateGrantRequest{KeyId: id, GranteePrincipal: grantee, RetiringPrincipal: &retiring, Operations: []api.GrantOperation{"Encrypt"}}
	}
	for _, name := range []string{"444455556666", "arn:aws:iam::444455556666:root"} {
		refused(w, aws.AccessDenied, &api.CreateGrant, in(name, "111122223333"))
		refused(w, aws.AccessDenied, &api.CreateGrant, in("111122223333", name))
	}
	must(w, &api.CreateGrant, in("111122223333", "111122223333"))
}

func TestWhoRetiresGrants(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	grantOf := func(retiring *string, ops ...api.GrantOperation) *api.CreateGrantResponse {
		return must(w, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:user/alice", RetiringPrincipal: retiring, Operations: ops})
	}
	carol := new("arn:aws:iam::111122223333:user/carol")
	by := func(who string, g *api.CreateGrantResponse) error {
		_, err := call(w.as(user(account, who)), &api.RetireGrant, &api.RetireGrantRequest{KeyId: new(arnOf(id)), GrantId: g.GrantId})
		return err
	}
	one, two, three := grantOf(carol, "Encrypt"), grantOf(nil, "Encrypt", "RetireGrant"), grantOf(carol, "Encrypt")
	if err := by("alice", one); !aws.AccessDenied.Is(err) {
		t.Errorf("the grantee without RetireGrant: %v", err)
	}
	if err := by("carol", two); !aws.AccessDenied.Is(err) {
		t.Errorf("somebody: %v", err)
	}
	if err := by("carol", one); err != nil {
		t.Error(err)
	}
	if err := by("alice", two); err != nil {
		t.Error(err)
	}
	abroad := grantOf(new("arn:aws:iam::444455556666:user/carol"), "Encrypt")
	if err := by("carol", abroad); !aws.AccessDenied.Is(err) {
		t.Errorf("a namesake: %v", err)
	}
	refused(w.as(root(other)), aws.AccessDenied, &api.RetireGrant, &api.RetireGrantRequest{GrantToken: abroad.GrantToken})
	must(w.as(user(other, "carol")), &api.RetireGrant, &api.RetireGrantRequest{GrantToken: abroad.GrantToken})
	must(w, &api.RetireGrant, &api.RetireGrantRequest{GrantToken: three.GrantToken}) // the account that made it
	w.change(id, func(k *key) { k.Policy = openToOthers })
	for _, by := range []*crypt{w, w.as(root(other))} { // the key's account, and the account that made it
		made := must(w.as(root(other)), &api.CreateGrant, &api.CreateGrantRequest{KeyId: arnOf(id), GranteePrincipal: "arn:aws:iam::444455556666:user/eve", Operations: []api.GrantOperation{"Encrypt"}})
		refused(w.as(user(other, "eve")), aws.AccessDenied, &api.RetireGrant, &api.RetireGrantRequest{GrantToken: made.GrantToken})
		must(by, &api.RetireGrant, &api.RetireGrantRequest{GrantToken: made.GrantToken})
	}
	refused(w, api.NotFoundException, &api.RetireGrant, &api.RetireGrantRequest{GrantToken: three.GrantToken})
	refused(w, api.InvalidGrantTokenException, &api.RetireGrant, &api.RetireGrantRequest{GrantToken: new("x")})
}

func TestGrantsAreListedAndMadeOnce(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	in := &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:role/app", Operations: []api.GrantOperation{"Decrypt"}, Name: new("n"), RetiringPrincipal: new("arn:aws:iam::111122223333:user/carol")}
	one, two := must(w, &api.CreateGrant, in), must(w, &api.CreateGrant, in)
	if *one.GrantId != *two.GrantId || *one.GrantToken == *two.GrantToken {
		t.Errorf("%v, %v", one, two)
	}
	in.Operations = []api.GrantOperation{"Encrypt"}
	if three := must(w, &api.CreateGrant, in); *three.GrantId == *one.GrantId {
		t.Error("another grant is the same")
	}
	seen, marker := 0, (*string)(nil)
	for {
		out := must(w, &api.ListGrants, &api.ListGrantsRequest{KeyId: id, Limit: new(int32(1)), Marker: marker})
		if seen += len(out.Grants); *out.Grants[0].GranteePrincipal != "arn:aws:iam::111122223333:role/app" {
			t.Errorf("%+v", out.Grants[0])
		}
		if marker = out.NextMarker; marker == nil {
			break
		}
	}
	mine := must(w, &api.ListRetirableGrants, &api.ListRetirableGrantsRequest{RetiringPrincipal: "arn:aws:iam::111122223333:user/carol"})
	if seen != 2 || len(mine.Grants) != 2 {
		t.Errorf("%d listed, %d retirable", seen, len(mine.Grants))
	}
	refused(w, api.InvalidArnException, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:user/gone", Operations: in.Operations})
	refused(w, aws.ValidationException, &api.CreateGrant, &api.CreateGrantRequest{KeyId: id, GranteePrincipal: "arn:aws:iam::111122223333:user/a", Operations: []api.GrantOperation{"Sign"}})
	refused(w, api.InvalidGrantTokenException, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x"), GrantTokens: []string{"x"}})
	must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: []byte("x"), GrantTokens: []string{*one.GrantToken}})
}

// BenchmarkEncryptDecrypt is a pair of calls without the gate: what they touch, what
// the key's policy and the caller's say to it, and the service.
func BenchmarkEncryptDecrypt(b *testing.B) {
	w := newCrypt(b)
	id := w.key(symmetric, encrypting)
	plain, about := make([]byte, 1024), map[string]string{"app": "till", "branch": "7"}
	b.ReportAllocs()
	for b.Loop() {
		blob := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: id, Plaintext: plain, EncryptionContext: about}).CiphertextBlob
		must(w, &api.Decrypt, &api.DecryptRequest{CiphertextBlob: blob, EncryptionContext: about})
	}
}

// One volume's grant among many: what the gate is handed does not grow with them.
func BenchmarkGrantAmongMany(b *testing.B) {
	w := newCrypt(b)
	id := w.key(symmetric, encrypting)
	arn, _ := aws.ParseARN(arnOf(id))
	const many = 20_000
	for n := 0; n < many; n += 1000 {
		err := w.store.Update(w.ctx("CreateGrant"), func(ctx context.Context) error {
			for i := n; i < n+1000; i++ {
				g := &grant{ID: fmt.Sprintf("%064x", i), Key: id, Created: time.Now(), Grantee: idOf("user", account, "alice"), Operations: []string{"Encrypt"}, Equals: map[string]string{"aws:ebs:id": fmt.Sprint("vol-", i)}}
				if err := w.service.grants.Insert(ctx, grantID(id, g.ID), g); err != nil {
					return err
				}
			}
			return w.service.countGrants(ctx, arn, id, 1000)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	alice := w.as(user(account, "alice"))
	in := encryptIn(id, map[string]string{"aws:ebs:id": "vol-12345"})
	must(alice, &api.Encrypt, in)
	for b.Loop() {
		must(alice, &api.Encrypt, in)
	}
}
