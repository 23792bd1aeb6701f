package iam

import (
	b32 "encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/store"
)

func TestKeyIDsTellTheirAccount(t *testing.T) {
	for _, account := range []aws.Account{"111122223333", "000000000001", "999999999999", "123456789012"} {
		id := aws.AccessKeyID("AKIA", account)
		// How AWS's own ids are read: 48 bits of base 32 behind the prefix, the account below the top bit.
		raw, err := b32.StdEncoding.DecodeString(id[4:] + "======")
		if len(id) != 20 || err != nil && len(raw) < 6 {
			t.Fatalf("%s: %v", id, err)
		}
		var z uint64
		for _, b := range raw[:6] {
			z = z<<8 | uint64(b)
		}
		if got := fmt.Sprintf("%012d", (z&0x7fffffffff80)>>7); got != string(account) || z>>47 != 1 {
			t.Errorf("%s tells account %s, want %s", id, got, account)
		}
	}
	seen := map[string]bool{}
	for range 20_000 {
		id := aws.AccessKeyID("AKIA", account)
		if seen[id] {
			t.Fatalf("%s twice among 20,000", id)
		}
		seen[id] = true
	}
	if s := aws.SecretKey(); len(s) != 40 || s == aws.SecretKey() {
		t.Errorf("secret %q", s)
	}
}

func (w *world) holds(id string) error {
	w.t.Helper()
	p, _, err := w.service.LongTerm(w.t.Context(), id)
	if err != nil {
		return err
	}
	_, err = w.service.Policies(w.t.Context(), p)
	return err
}

func TestKeyEndsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	k := w.key("alice")
	for range 2 { // the second time from memory
		p, secret, err := w.service.LongTerm(t.Context(), k.AccessKeyId)
		if err != nil || string(secret) != k.SecretAccessKey || p.Name != "alice" || p.Kind != aws.User || p.AccessKeyID != k.AccessKeyId {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	status := func(s iamapi.StatusType) {
		must(w, &iamapi.UpdateAccessKey, &iamapi.UpdateAccessKeyRequest{UserName: new("alice"), AccessKeyId: k.AccessKeyId, Status: s})
	}
	status("Inactive")
	if err := w.holds(k.AccessKeyId); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("inactive: %v", err)
	}
	status("Active")
	if err := w.holds(k.AccessKeyId); err != nil {
		t.Errorf("active again: %v", err)
	}
	must(w, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{UserName: new("alice"), AccessKeyId: k.AccessKeyId})
	if err := w.holds(k.AccessKeyId); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("deleted: %v", err)
	}
	if err := w.holds("AKIAAAAAAAAAAAAAAAAA"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("never there: %v", err)
	}
}

func TestTwoKeysEach(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	a, b := w.key("alice"), w.key("ALICE")
	refused(w, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("alice")}, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	all := must(w, &iamapi.ListAccessKeys, &iamapi.ListAccessKeysRequest{UserName: new("alice")}).AccessKeyMetadata
	if len(all) != 2 || *all[0].AccessKeyId > *all[1].AccessKeyId || *all[0].UserName != "alice" {
		t.Errorf("listed are %+v", all)
	}
	w.user("bob")
	refused(w, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{UserName: new("bob"), AccessKeyId: a.AccessKeyId}, "NoSuchEntity", "The Access Key with id "+a.AccessKeyId+" cannot be found.")
	must(w, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{UserName: new("alice"), AccessKeyId: b.AccessKeyId})
	w.key("alice")
}

func TestRootsKeys(t *testing.T) {
	w := newWorld(t)
	k := NewKey(account)
	if err := w.store.Update(w.ctx(), func(ctx ctx) error { return w.service.AddRoot(ctx, account, k) }); err != nil {
		t.Fatal(err)
	}
	p, _, err := w.service.LongTerm(t.Context(), k.ID)
	if err != nil || p.Kind != aws.Root || p.ARN.Resource != "root" || p.ID != string(account) {
		t.Fatalf("%+v, %v", p, err)
	}
	second := must(w, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{}).AccessKey
	refused(w, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{}, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	must(w, &iamapi.DeleteAccessKey, &iamapi.DeleteAccessKeyRequest{AccessKeyId: k.ID})
	if err := w.holds(k.ID); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("root's deleted key: %v", err)
	}
	if err := w.holds(second.AccessKeyId); err != nil {
		t.Errorf("root's other key: %v", err)
	}
	if all := must(w, &iamapi.ListAccessKeys, &iamapi.ListAccessKeysRequest{}).AccessKeyMetadata; len(all) != 1 {
		t.Errorf("listed are %+v", all)
	}
	refused(w, &iamapi.ListAccessKeys, &iamapi.ListAccessKeysRequest{UserName: new("root")}, "NoSuchEntity", "The user with name root cannot be found.")
}

func TestSessionEndsWithItsRole(t *testing.T) {
	w := newWorld(t)
	r := w.role("Deploy")
	session := &aws.Principal{Kind: aws.AssumedRole, Account: account, Name: "Deploy", ID: r.RoleId + ":s", Session: &aws.Session{IssuerID: r.RoleId, IssuerName: "Deploy"}}
	if _, err := w.service.Policies(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	must(w, &iamapi.DeleteRole, &iamapi.DeleteRoleRequest{RoleName: "deploy"})
	if _, err := w.service.Policies(t.Context(), session); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("role deleted: %v", err)
	}
	w.role("Deploy")
	if _, err := w.service.Policies(t.Context(), session); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("role made again under its name: %v", err)
	}
	stranger := *session
	stranger.Account = other
	if _, err := w.service.Policies(t.Context(), &stranger); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("role of another account: %v", err)
	}
	if _, err := w.service.Policies(t.Context(), &aws.Principal{Kind: aws.FederatedUser, Account: account}); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a kind that is not served: %v", err)
	}
}

func TestPoliciesFollowEveryChange(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	p, _, err := w.service.LongTerm(t.Context(), w.key("alice").AccessKeyId)
	if err != nil {
		t.Fatal(err)
	}
	sources := func() (all []string) {
		ps, err := w.service.Policies(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range ps.Identity {
			all = append(all, a.Source)
		}
		return all
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "[]"},
		{func() { w.put("alice", allowed) }, "[inline:alice/p]"},
		{func() {
			must(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: AdministratorAccess})
		}, "[inline:alice/p " + AdministratorAccess + "]"},
		{func() {
			must(w, &iamapi.DeleteUserPolicy, &iamapi.DeleteUserPolicyRequest{UserName: "alice", PolicyName: "p"})
		}, "[" + AdministratorAccess + "]"},
	} {
		step.do()
		if got := fmt.Sprint(sources()); got != step.want {
			t.Errorf("policies are %s, want %s", got, step.want)
		}
	}
	c := &compiler{s: w.service, account: account, holder: &knownHolder{policies: &policy.Policies{}}}
	if err := c.grants(t.Context(), "alice", &grants{Inline: map[string]string{"p": "{"}, Attached: []string{"arn:aws:iam::" + string(account) + ":policy/gone"}}); err != nil {
		t.Fatal(err)
	}
	if broken := c.holder.policies; len(broken.Identity) != 2 || !broken.Identity[0].Statements[0].Deny || !broken.Identity[1].Statements[0].Deny {
		t.Errorf("a document that does not parse must deny, got %+v", broken)
	}
}

// However reads and changes interleave, the last change is what is remembered.
func TestCacheNeverKeepsWhatWasBefore(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	id := w.key("alice").AccessKeyId
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := w.holds(id); err != nil && !errors.Is(err, ErrUnknownKey) {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 200 {
		s := []iamapi.StatusType{"Inactive", "Active"}[n%2]
		must(w, &iamapi.UpdateAccessKey, &iamapi.UpdateAccessKeyRequest{UserName: new("alice"), AccessKeyId: id, Status: s})
		if err := w.holds(id); (err == nil) != (s == "Active") {
			t.Fatalf("after %s: %v", s, err)
		}
	}
	close(done)
	readers.Wait()
}

func TestLastUseIsKeptToTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("alice")
		w.role("deploy")
		id := w.key("alice").AccessKeyId
		start := time.Now().UTC()
		note := func(e aws.Event) {
			t.Helper()
			if err := w.store.Update(w.ctx(), func(ctx ctx) error { return w.service.noteUse(ctx, []aws.Event{e}) }); err != nil {
				t.Fatal(err)
			}
		}
		used := func() *iamapi.AccessKeyLastUsed {
			return must(w, &iamapi.GetAccessKeyLastUsed, &iamapi.GetAccessKeyLastUsedRequest{AccessKeyId: id}).AccessKeyLastUsed
		}
		if u := used(); u.ServiceName != "N/A" || u.Region != "N/A" || u.LastUsedDate != nil {
			t.Errorf("never used: %+v", u)
		}
		use := aws.Event{Account: account, Region: "eu-central-1", Time: start, Data: []byte(`{}`), Attrs: map[string]string{"accessKeyId": id, "eventSource": "kms.amazonaws.com"}}
		note(use)
		if u := used(); u.ServiceName != "kms" || u.Region != "eu-central-1" || !u.LastUsedDate.Equal(start) {
			t.Errorf("used: %+v", u)
		}
		use.Time = start.Add(59 * time.Second)
		note(use)
		if u := used(); !u.LastUsedDate.Equal(start) {
			t.Errorf("59 s later it is written again: %+v", u)
		}
		use.Time = start.Add(time.Minute)
		note(use)
		if u := used(); !u.LastUsedDate.Equal(start.Add(time.Minute)) {
			t.Errorf("a minute later: %+v", u)
		}

		session, err := json.Marshal(map[string]any{"userIdentity": map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "userName": "deploy"}}}})
		if err != nil {
			t.Fatal(err)
		}
		note(aws.Event{Account: account, Region: "us-east-1", Time: start, Data: session, Attrs: map[string]string{"accessKeyId": "ASIAX", "eventSource": "sts.amazonaws.com"}})
		if u := must(w, &iamapi.GetRole, &iamapi.GetRoleRequest{RoleName: "deploy"}).Role.RoleLastUsed; u.LastUsedDate == nil || *u.Region != "us-east-1" {
			t.Errorf("role: %+v", u)
		}
		note(aws.Event{Account: account, Time: start, Data: session, Attrs: map[string]string{"accessKeyId": "AKIAAAAAAAAAAAAAAAAA"}}) // a key that is gone
	})
}

func TestRoleByItsWholeARN(t *testing.T) {
	w := newWorld(t)
	must(w, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "Deploy", Path: new("/ci/"), AssumeRolePolicyDocument: trust})
	for text, found := range map[string]bool{
		"arn:aws:iam::111122223333:role/ci/Deploy": true,
		"arn:aws:iam::111122223333:role/Deploy":    false, // without its path
		"arn:aws:iam::111122223333:role/ci/deploy": false, // policies tell case apart
		"arn:aws:iam::444455556666:role/ci/Deploy": false,
		"arn:aws:iam::111122223333:user/ci/Deploy": false,
	} {
		arn, err := aws.ParseARN(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.service.RoleOf(t.Context(), arn)
		if (err == nil) != found || !found && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func BenchmarkPoliciesFromMemory(b *testing.B) {
	w := newWorld(b)
	w.user("alice")
	w.put("alice", allowed)
	id := w.key("alice").AccessKeyId
	b.ReportAllocs()
	for b.Loop() {
		if err := w.holds(id); err != nil {
			b.Fatal(err)
		}
	}
}
