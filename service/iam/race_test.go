package iam

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// atOnce runs all of fs together.
func atOnce(fs ...func()) {
	var all sync.WaitGroup
	for _, f := range fs {
		all.Go(f)
	}
	all.Wait()
}

// Whoever makes versions at the same time, there are five, each with a number of its own.
func TestVersionsAtOnce(t *testing.T) {
	w := newWorld(t)
	must(w, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "ours", PolicyDocument: allowed})
	var mu sync.Mutex
	made := map[string]bool{}
	var makers []func()
	for range 8 {
		makers = append(makers, func() {
			for {
				out, err := call(w, &iamapi.CreatePolicyVersion, &iamapi.CreatePolicyVersionRequest{PolicyArn: ours, PolicyDocument: allowed})
				if errors.Is(err, store.ErrConflict) {
					continue // the client tries again
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					made[*out.PolicyVersion.VersionId] = true
				case !iamapi.LimitExceededException.Is(err):
					t.Error(err)
				}
				return
			}
		})
	}
	atOnce(makers...)
	all := must(w, &iamapi.ListPolicyVersions, &iamapi.ListPolicyVersionsRequest{PolicyArn: ours}).Versions
	if len(made) != 4 || len(all) != 5 {
		t.Errorf("made %v, there are %d", made, len(all))
	}
}

// What is attached, or trusted, while it is being deleted is either there or not:
// nothing points to what is gone.
func TestDeletedWhileInUse(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.role("vault")
	const trusting = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"}]}`
	for i := range 20 {
		must(w, &iamapi.CreatePolicy, &iamapi.CreatePolicyRequest{PolicyName: "ours", PolicyDocument: allowed})
		bob := w.user("bob")
		var attached, deleted, trusted, left error
		atOnce(
			func() {
				attached = drop(call(w, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "alice", PolicyArn: ours}))
			},
			func() { deleted = drop(call(w, &iamapi.DeletePolicy, &iamapi.DeletePolicyRequest{PolicyArn: ours})) },
			func() {
				trusted = drop(call(w, &iamapi.UpdateAssumeRolePolicy, &iamapi.UpdateAssumeRolePolicyRequest{RoleName: "vault", PolicyDocument: trusting}))
			},
			func() { left = drop(call(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "bob"})) },
		)
		if (attached == nil) == (deleted == nil) {
			t.Fatalf("round %d: attached: %v, deleted: %v", i, attached, deleted)
		}
		if attached == nil {
			must(w, &iamapi.DetachUserPolicy, &iamapi.DetachUserPolicyRequest{UserName: "alice", PolicyArn: ours})
			must(w, &iamapi.DeletePolicy, &iamapi.DeletePolicyRequest{PolicyArn: ours})
		}
		if left != nil || trusted != nil && !iamapi.MalformedPolicyDocumentException.Is(trusted) {
			t.Fatalf("round %d: trusted: %v, deleted: %v", i, trusted, left)
		}
		// Trusted before or not at all: a namesake is not who was meant.
		namesake := w.user("bob")
		role, err := w.service.RoleOf(w.ctx(), aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/vault"})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(role.Trust, namesake.UserId) || trusted == nil && !strings.Contains(role.Trust, bob.UserId) {
			t.Fatalf("round %d: the role trusts %s", i, role.Trust)
		}
		must(w, &iamapi.DeleteUser, &iamapi.DeleteUserRequest{UserName: "bob"})
		must(w, &iamapi.UpdateAssumeRolePolicy, &iamapi.UpdateAssumeRolePolicyRequest{RoleName: "vault", PolicyDocument: trust})
	}
}
