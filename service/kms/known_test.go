package kms

import (
	"sync"
	"testing"

	api "sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

// Others use a key all the time, and so fill the memory of what is known of it, just
// when it changes. Once a change has been answered no later call may go by what was
// before it.
func TestChangesHoldForTheNextCall(t *testing.T) {
	w := newCrypt(t)
	one, two := w.key(symmetric, encrypting), w.key(symmetric, encrypting)
	must(w, &api.CreateAlias, &api.CreateAliasRequest{AliasName: "alias/app", TargetKeyId: one})
	alice := w.as(user(account, "alice"))
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default: // what comes of these is asked below
					_, _ = call(w, &api.Encrypt, &api.EncryptRequest{KeyId: "alias/app", Plaintext: []byte("x")})
					_, _ = call(alice, &api.Encrypt, encryptIn(one, nil))
				}
			}
		})
	}
	defer busy.Wait()
	defer close(stop)
	for range 15 {
		must(w, &api.DisableKey, &api.DisableKeyRequest{KeyId: one})
		refused(w, api.DisabledException, &api.Encrypt, encryptIn(one, nil))
		must(w, &api.EnableKey, &api.EnableKeyRequest{KeyId: one})
		must(w, &api.Encrypt, encryptIn(one, nil))

		made := grantTo(w, one, "arn:aws:iam::111122223333:user/alice", nil, "Encrypt")
		must(alice, &api.Encrypt, encryptIn(one, nil))
		must(w, &api.RevokeGrant, &api.RevokeGrantRequest{KeyId: one, GrantId: *made.GrantId})
		refused(alice, aws.AccessDenied, &api.Encrypt, encryptIn(one, nil))

		for _, id := range []string{two, one} {
			must(w, &api.UpdateAlias, &api.UpdateAliasRequest{AliasName: "alias/app", TargetKeyId: id})
			if out := must(w, &api.Encrypt, &api.EncryptRequest{KeyId: "alias/app", Plaintext: []byte("x")}); *out.KeyId != arnOf(id) {
				t.Fatalf("the alias leads to %s, moved to %s", *out.KeyId, id)
			}
		}
	}
}

// What was read before a change is not kept after it.
func TestWhatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	arn, err := aws.ParseARN(arnOf(id))
	if err != nil {
		t.Fatal(err)
	}
	k, at := w.service.known, spotOf(arn)
	_, version := recall(k, k.keys, at)
	w.change(id, func(k *key) { k.Disabled = true })
	remember(k, k.keys, version, at, &ready{})
	if r, _ := recall(k, k.keys, at); r != nil {
		t.Error("it was kept")
	}
	_, version = recall(k, k.keys, at)
	remember(k, k.keys, version, at, &ready{})
	if r, _ := recall(k, k.keys, at); r == nil {
		t.Error("nothing is kept")
	}
}
