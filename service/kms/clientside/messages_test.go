package clientside

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// among calls f for every pair of libraries: one writes, one reads.
func among(t *testing.T, f func(t *testing.T, writes, reads library)) {
	for writer, writes := range libraries {
		for reader, reads := range libraries {
			t.Run(writer+" to "+reader, func(t *testing.T) { f(t, writes, reads) })
		}
	}
}

// TestMessages passes messages between the libraries, under either suite, to a
// reader whose right to the key is bound to the encryption context.
func TestMessages(t *testing.T) {
	key := newKey(t, home, &kms.CreateKeyInput{})
	writer := user(t, "writer", may("kms:GenerateDataKey", key))
	reader := user(t, "reader", mayFor("blue", "kms:Decrypt", key))
	ring := keyring{Kind: "kms", Generator: key}
	among(t, func(t *testing.T, writes, reads library) {
		for _, suite := range []string{committed, signed} {
			context := map[string]string{"tenant": "blue", "file": "ledger"}
			message, err := writes.encrypt(t, writer, ring, suite, context, "ten of gold")
			if err != nil {
				t.Fatalf("%s: %v", suite, err)
			}
			if bytes.Contains(message, []byte("ten of gold")) {
				t.Errorf("%s: the message holds the plaintext", suite)
			}
			for _, with := range []keyring{ring, {Kind: "discovery", Regions: []string{home}}} {
				got, said, err := reads.decrypt(t, reader, with, message)
				if err != nil || got != "ten of gold" {
					t.Errorf("%s, %s: %q, %v", suite, with.Kind, got, err)
				}
				if _, signature := said["aws-crypto-public-key"]; signature != (suite == signed) {
					t.Errorf("%s, %s: the encryption context is %v", suite, with.Kind, said)
				}
				delete(said, "aws-crypto-public-key")
				if !maps.Equal(said, context) {
					t.Errorf("%s, %s: the encryption context is %v", suite, with.Kind, said)
				}
			}

			// Another context in the header is another context for KMS.
			if _, _, err := reads.decrypt(t, reader, ring, bytes.Replace(message, []byte("ledger"), []byte("recipe"), 1)); !says(err, "InvalidCiphertext") {
				t.Errorf("%s: with another context: %v", suite, err)
			}
			if _, _, err := reads.decrypt(t, reader, ring, bytes.Replace(message, []byte("tenant\x00\x04blue"), []byte("tenant\x00\x04grey"), 1)); !says(err, "kms:Decrypt") {
				t.Errorf("%s: with another tenant: %v", suite, err)
			}
			if _, _, err := reads.decrypt(t, writer, ring, message); !says(err, "kms:Decrypt") {
				t.Errorf("%s: without kms:Decrypt: %v", suite, err)
			}
			if _, err := writes.encrypt(t, reader, ring, suite, context, "ten of gold"); !says(err, "kms:GenerateDataKey") {
				t.Errorf("%s: without kms:GenerateDataKey: %v", suite, err)
			}
		}
	})

	// The trail has who asked for which data key, for what.
	var made int
	for _, r := range writer.recorded(t, home) {
		if r.EventName != "GenerateDataKey" {
			continue
		}
		if r.RequestParameters.KeyID != key || r.RequestParameters.EncryptionContext["file"] != "ledger" || r.ErrorCode != "" {
			t.Errorf("the trail has %+v", r)
		}
		if !strings.Contains(r.UserAgent, "AwsEncryptionSdk") && !strings.Contains(r.UserAgent, "aws-sdk-go-v2") {
			t.Errorf("the trail has the user agent %q", r.UserAgent)
		}
		made++
	}
	if made == 0 {
		t.Error("the trail has no GenerateDataKey")
	}
	var opened, refused int
	for _, r := range reader.recorded(t, home) {
		switch {
		case r.EventName == "Decrypt" && r.ErrorCode == "":
			opened++
		case r.EventName == "Decrypt" && r.RequestParameters.EncryptionContext["tenant"] == "grey":
			refused++
		}
	}
	if opened == 0 || refused == 0 {
		t.Errorf("the trail has %d times Decrypt and %d refusals of another tenant", opened, refused)
	}
}

func says(err error, what string) bool { return err != nil && strings.Contains(err.Error(), what) }

// TestKeysInTwoRegions protects a message by a key in each of two regions: either
// opens it, for a reader who may use that one alone.
func TestKeysInTwoRegions(t *testing.T) {
	here, there := newKey(t, home, &kms.CreateKeyInput{}), newKey(t, away, &kms.CreateKeyInput{})
	writer := user(t, "writer", may("kms:GenerateDataKey", here), may("kms:Encrypt", there))
	readers := map[string]person{here: user(t, "here", may("kms:Decrypt", here)), there: user(t, "two-there", may("kms:Decrypt", there))}
	stranger := user(t, "stranger")
	among(t, func(t *testing.T, writes, reads library) {
		message, err := writes.encrypt(t, writer, keyring{Kind: "kms", Generator: here, Keys: []string{there}}, signed, map[string]string{"a": "b"}, "both")
		if err != nil {
			t.Fatal(err)
		}
		for key, p := range readers {
			if got, _, err := reads.decrypt(t, p, keyring{Kind: "kms", Keys: []string{key}}, message); err != nil || got != "both" {
				t.Errorf("%s: %q, %v", key, got, err)
			}
			if _, _, err := reads.decrypt(t, stranger, keyring{Kind: "kms", Keys: []string{key}}, message); !says(err, "kms:Decrypt") {
				t.Errorf("%s, without rights: %v", key, err)
			}
		}
		if _, err := writes.encrypt(t, readers[here], keyring{Kind: "kms", Generator: here, Keys: []string{there}}, signed, nil, "both"); !says(err, "kms:GenerateDataKey") {
			t.Errorf("without kms:GenerateDataKey: %v", err)
		}
	})
}

// TestMultiRegionKey encrypts at home and decrypts away, where the replica is: its
// own key policy decides there.
func TestMultiRegionKey(t *testing.T) {
	primary, replica := newMultiRegionKey(t)
	single := newKey(t, home, &kms.CreateKeyInput{})
	writer := user(t, "writer", may("kms:GenerateDataKey", "*"))
	reader := user(t, "reader", may("kms:Decrypt", "*"))
	local := user(t, "local", may("kms:Decrypt", primary))
	another, _ := newMultiRegionKey(t)
	among(t, func(t *testing.T, writes, reads library) {
		message, err := writes.encrypt(t, writer, keyring{Kind: "mrk", Generator: primary}, signed, map[string]string{"table": "users"}, "everywhere")
		if err != nil {
			t.Fatal(err)
		}
		for _, with := range []keyring{{Kind: "mrk", Keys: []string{replica}}, {Kind: "mrk-discovery", Regions: []string{away}}} {
			if got, _, err := reads.decrypt(t, reader, with, message); err != nil || got != "everywhere" {
				t.Errorf("%s: %q, %v", with.Kind, got, err)
			}
			if _, _, err := reads.decrypt(t, local, with, message); !says(err, "kms:Decrypt") {
				t.Errorf("%s, with rights to the primary key alone: %v", with.Kind, err)
			}
		}
		if got, _, err := reads.decrypt(t, local, keyring{Kind: "mrk", Keys: []string{primary}}, message); err != nil || got != "everywhere" {
			t.Errorf("at home: %q, %v", got, err)
		}
		if _, _, err := reads.decrypt(t, reader, keyring{Kind: "mrk", Keys: []string{another}}, message); err == nil {
			t.Error("another multi-Region key opens the message")
		}

		// A key of one region has no other.
		message, err = writes.encrypt(t, writer, keyring{Kind: "mrk", Generator: single}, signed, nil, "here")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := reads.decrypt(t, reader, keyring{Kind: "mrk-discovery", Regions: []string{away}}, message); err == nil {
			t.Error("a key of one region opens its message in another")
		}
	})

	// Once the replica's policy lets nobody else in, the reader has the primary key alone.
	c := kms.NewFromConfig(administrator.config(t, away))
	if _, err := c.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &replica, Policy: aws.String(policyOfAdministrator(replica))}); err != nil {
		t.Fatal(err)
	}
	among(t, func(t *testing.T, writes, reads library) {
		message, err := writes.encrypt(t, writer, keyring{Kind: "mrk", Generator: primary}, committed, nil, "home")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := reads.decrypt(t, reader, keyring{Kind: "mrk", Keys: []string{replica}}, message); !says(err, "kms:Decrypt") {
			t.Errorf("away: %v", err)
		}
		if got, _, err := reads.decrypt(t, reader, keyring{Kind: "mrk", Keys: []string{primary}}, message); err != nil || got != "home" {
			t.Errorf("at home: %q, %v", got, err)
		}
	})
}

// policyOfAdministrator lets the administrator of the key's account use it, and nobody else.
func policyOfAdministrator(key string) string {
	account := strings.Split(key, ":")[4]
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:user/administrator"},"Action":"kms:*","Resource":"*"}}`
}

// TestCachedDataKeys counts the data keys of a caching materials manager: of two
// messages each.
func TestCachedDataKeys(t *testing.T) {
	key := newKey(t, home, &kms.CreateKeyInput{})
	writer := user(t, "writer", may("kms:GenerateDataKey", key), may("kms:Decrypt", key))
	ring := keyring{Kind: "kms", Generator: key}
	js := node(t, writer)
	var messages [][]byte
	for range 4 {
		a, err := js.ask(request{Verb: "encrypt", Keyring: ring, Cached: true, Suite: signed, Data: []byte("again")})
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, a.Data)
	}
	var made int
	for _, r := range writer.recorded(t, home) {
		if r.EventName == "GenerateDataKey" {
			made++
		}
	}
	if made != 2 {
		t.Errorf("four messages took %d data keys", made)
	}
	for _, m := range messages {
		if got, _, err := (golang{}).decrypt(t, writer, ring, m); err != nil || got != "again" {
			t.Errorf("%q, %v", got, err)
		}
	}
}
