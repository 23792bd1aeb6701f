package kms

import (
	"strings"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

// states are keys in each state, in the order of the columns of states' table below.
var states = []struct {
	name string
	key  func(*key)
}{
	{"Enabled", func(*key) {}},
	{"Disabled", func(k *key) { k.Disabled = true }},
	{"PendingDeletion", func(k *key) { k.Deletion = &deletion{At: time.Now().Add(time.Hour), Window: 7} }},
	{"PendingReplicaDeletion", func(k *key) { k.Deletion = &deletion{Window: 7} }},
	{"PendingImport", func(k *key) { k.Origin, k.Current, k.Materials = "EXTERNAL", "", nil }},
}

// The table of KMS Developer Guide, "Key states of AWS KMS keys", for what manages
// keys: ok, or what the error says after the key's ARN.
func TestStatesForbidWhatTheTableSays(t *testing.T) {
	const (
		ok       = ""
		off      = "DisabledException is disabled."
		deleting = "KMSInvalidStateException is pending deletion."
		replicas = "KMSInvalidStateException is pending replica deletion."
		imports  = "KMSInvalidStateException is pending import because no key material has ever been imported or one of the imported key materials is deleted or expired."
	)
	for operation, row := range map[string][5]string{
		"CreateAlias":          {ok, ok, deleting, replicas, ok},
		"UpdateAlias":          {ok, ok, deleting, replicas, ok},
		"DeleteAlias":          {},
		"DescribeKey":          {},
		"GetKeyPolicy":         {},
		"PutKeyPolicy":         {},
		"ListAliases":          {},
		"ListKeyPolicies":      {},
		"ListResourceTags":     {},
		"ListGrants":           {},
		"RetireGrant":          {},
		"RevokeGrant":          {},
		"EnableKey":            {ok, ok, deleting, replicas, imports},
		"DisableKey":           {ok, ok, deleting, replicas, imports},
		"ReplicateKey":         {ok, off, deleting, replicas, imports},
		"UpdatePrimaryRegion":  {ok, off, deleting, replicas, imports},
		"ScheduleKeyDeletion":  {ok, ok, deleting, replicas, ok},
		"TagResource":          {ok, ok, deleting, replicas, ok},
		"UntagResource":        {ok, ok, deleting, replicas, ok},
		"UpdateKeyDescription": {ok, ok, deleting, replicas, ok},
		"":                     {}, // of an operation that the table does not name
	} {
		for i, state := range states {
			k := &key{ID: "k", Spec: symmetric, Origin: "AWS_KMS", Current: "m", Materials: []material{{ID: "m", Bytes: []byte{1}}}}
			state.key(k)
			if got := string(k.state(time.Now())); got != state.name {
				t.Fatalf("the key meant to be %s is %s", state.name, got)
			}
			arn := aws.ARN{Partition: "aws", Service: "kms", Region: "us-east-1", Account: account, Resource: "key/k"}
			said := ok
			if err := k.mustAllow(arn, operation, time.Now()); err != nil {
				said = strings.Replace(err.Error(), ": "+arn.String(), "", 1)
			}
			if said != row[i] {
				t.Errorf("%s of a key that is %s: %q, want %q", operation, state.name, said, row[i])
			}
		}
	}
}

// The same rows as the calls answer: nothing but the state tells them apart.
func TestStatesForbidCalls(t *testing.T) {
	w := newCrypt(t)
	for i, state := range states[:5] {
		id := w.key(symmetric, encrypting)
		w.change(id, state.key)
		pending := i == 2 || i == 3
		check := func(operation string, err error, refused bool) {
			t.Helper()
			if (err != nil) != refused {
				t.Errorf("%s of a key that is %s: %v", operation, state.name, err)
			}
		}
		_, err := call(w, &kmsapi.DescribeKey, &kmsapi.DescribeKeyRequest{KeyId: id})
		check("DescribeKey", err, false)
		_, err = call(w, &kmsapi.TagResource, &kmsapi.TagResourceRequest{KeyId: id, Tags: []kmsapi.Tag{{TagKey: "a", TagValue: "b"}}})
		check("TagResource", err, pending)
		_, err = call(w, &kmsapi.CreateAlias, &kmsapi.CreateAliasRequest{AliasName: "alias/" + state.name, TargetKeyId: id})
		check("CreateAlias", err, pending)
		_, err = call(w, &kmsapi.EnableKey, &kmsapi.EnableKeyRequest{KeyId: id})
		check("EnableKey", err, pending || state.name == "PendingImport")
		_, err = call(w, &kmsapi.CancelKeyDeletion, &kmsapi.CancelKeyDeletionRequest{KeyId: id})
		check("CancelKeyDeletion", err, !pending)
	}
}

// A key policy that lets another account do everything does not open to it what
// manages the key: it learns as much as of a key that is not there.
func TestOtherAccountsManageNoKeys(t *testing.T) {
	w := newCrypt(t)
	id := w.key(symmetric, encrypting)
	w.change(id, func(k *key) {
		k.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":"kms:*","Resource":"*"}]}`
	})
	them := w.as(root(other))
	for name, keyID := range map[string]string{"there": arnOf(id), "not there": arnOf("12345678-1234-1234-1234-123456789012"), "the bare id": id} {
		missing := func(operation string, err error) {
			t.Helper()
			if kmsapi.NotFoundException.Is(err) {
				return
			}
			// What no policy opens is refused by the gate, before anybody looks.
			if name == "there" || !aws.AccessDenied.Is(err) {
				t.Errorf("%s of a key that is %s: %v", operation, name, err)
			}
		}
		_, err := call(them, &kmsapi.GetKeyPolicy, &kmsapi.GetKeyPolicyRequest{KeyId: keyID})
		missing("GetKeyPolicy", err)
		_, err = call(them, &kmsapi.ListKeyPolicies, &kmsapi.ListKeyPoliciesRequest{KeyId: keyID})
		missing("ListKeyPolicies", err)
		_, err = call(them, &kmsapi.PutKeyPolicy, &kmsapi.PutKeyPolicyRequest{KeyId: keyID, Policy: "{}"})
		missing("PutKeyPolicy", err)
		_, err = call(them, &kmsapi.ListResourceTags, &kmsapi.ListResourceTagsRequest{KeyId: keyID})
		missing("ListResourceTags", err)
		_, err = call(them, &kmsapi.ListAliases, &kmsapi.ListAliasesRequest{KeyId: &keyID})
		missing("ListAliases", err)
		_, err = call(them, &kmsapi.DisableKey, &kmsapi.DisableKeyRequest{KeyId: keyID})
		missing("DisableKey", err)
		_, err = call(them, &kmsapi.ScheduleKeyDeletion, &kmsapi.ScheduleKeyDeletionRequest{KeyId: keyID})
		missing("ScheduleKeyDeletion", err)
		_, err = call(them, &kmsapi.TagResource, &kmsapi.TagResourceRequest{KeyId: keyID, Tags: []kmsapi.Tag{{TagKey: "a"}}})
		missing("TagResource", err)
		_, err = call(them, &kmsapi.CreateAlias, &kmsapi.CreateAliasRequest{AliasName: "alias/theirs", TargetKeyId: keyID})
		missing("CreateAlias", err)
	}
	// Using it is another matter.
	must(them, &kmsapi.DescribeKey, &kmsapi.DescribeKeyRequest{KeyId: arnOf(id)})
	must(them, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: arnOf(id), Plaintext: []byte("x")})
}

// Whatever names a key, it is one in the region of the call, or refused.
func FuzzKeyID(f *testing.F) {
	for _, seed := range []string{
		"12345678-1234-1234-1234-123456789012", "mrk-0123456789abcdef0123456789abcdef", "alias/app", "alias/aws/ssm", "alias/", "",
		"arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012", "arn:aws:kms:us-east-1:111122223333:alias/app",
		"arn:aws:kms:eu-west-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef", "arn:aws:s3:::bucket", "arn:aws:kms:us-east-1::key/x", "arn:aws:kms:us-east-1:0:alias/0", "key/x", "\x00", "alias/\x00",
	} {
		f.Add(seed)
	}
	w := newCrypt(f)
	must(w, &kmsapi.CreateAlias, &kmsapi.CreateAliasRequest{AliasName: "alias/app", TargetKeyId: w.key(symmetric, encrypting)})
	f.Fuzz(func(t *testing.T, keyID string) {
		here := *w
		here.t = t
		for _, aliasOK := range []bool{false, true} {
			found, err := here.service.identify(here.ctx("DescribeKey"), keyID, aliasOK)
			if err != nil {
				if !kmsapi.NotFoundException.Is(err) && !kmsapi.InvalidArnException.Is(err) {
					t.Fatalf("%q: %v", keyID, err)
				}
				continue
			}
			if found.ID == "" && aliasOK && found.Alias == found.ARN.Resource && found.ARN.Account != account && found.ARN.Account != "" {
				continue // another account's alias: whether it is there is not told, and the gate refuses it
			}
			if !validKeyID(found.ID) || found.ARN.Resource != "key/"+found.ID || found.ARN.Region != "us-east-1" || found.ARN.Service != "kms" || found.ARN.Account == "" {
				t.Fatalf("%q is %+v", keyID, found)
			}
			if !aliasOK && found.Alias != "" {
				t.Fatalf("%q is the alias %s", keyID, found.Alias)
			}
		}
	})
}
