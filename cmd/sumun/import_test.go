package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/plane/runtime"
)

// An imported account decides in the plane as its dump says: who-can, and calls of
// its users. The import is repeated without effect, and continued.
func TestImportIAM(t *testing.T) {
	dump, err := filepath.Abs("../../policy/inventory/testdata/account.json")
	ok(t, err)
	p := &program{t: t, data: t.TempDir()}
	ok(t, os.Chmod(p.data, 0o700))
	ok(t, os.WriteFile(filepath.Join(p.data, "sumun.yaml"), []byte(crashConfig), 0o600))
	p.start()
	defer p.kill()
	run := func(wantStatus int, says string, args ...string) string {
		t.Helper()
		status, out, complaint := command(t, "", append(args, "--data", p.data)...)
		if status != wantStatus || !strings.Contains(out+complaint, says) {
			t.Fatalf("sumun %s: status %d, want %d and %q:\n%s%s", strings.Join(args, " "), status, wantStatus, says, out, complaint)
		}
		return out
	}

	// Interrupted after some steps: the same command goes on.
	must(p, &iamapi.CreateGroup, &iamapi.CreateGroupRequest{GroupName: "developers"})
	run(0, "create user alice", "import", "iam", dump, "--dry-run")
	run(0, "steps done", "import", "iam", dump)
	run(0, "0 steps done", "import", "iam", dump)

	offline := func(args ...string) string {
		_, out, _ := command(t, "", append([]string{"policy", "who-can"}, append(args, dump)...)...)
		return out
	}
	for _, q := range [][]string{
		{"iam:CreateUser", "arn:aws:iam::111122223333:user/x"}, {"iam:CreateAccessKey", "arn:aws:iam::111122223333:user/alice"}, {"s3:GetObject", "arn:aws:s3:::payments/x"},
	} {
		_, here, _ := command(t, "", append(append([]string{"policy", "who-can"}, q...), "--data", p.data)...)
		for line := range strings.Lines(offline(q...)) {
			if who := strings.Fields(line)[0]; !strings.Contains(here, who) {
				t.Errorf("%v: %s can by the dump, but not in the plane:\n%s", q, who, here)
			}
		}
		if strings.Contains(here, "user/alice") != strings.Contains(offline(q...), "user/alice") {
			t.Errorf("%v: alice:\n%s", q, here)
		}
	}

	// Real calls of a user: what her policies give, and what her boundary takes.
	k := must(p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("alice")}).AccessKey
	alice := &program{t: t, data: p.data, note: p.note, key: runtime.Key{AccessKeyID: k.AccessKeyId, SecretAccessKey: k.SecretAccessKey}}
	if arn := must(alice, &stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityRequest{}).Arn; *arn != "arn:aws:iam::111122223333:user/alice" {
		t.Errorf("alice is %s", *arn)
	}
	must(alice, &iamapi.ListAccessKeys, &iamapi.ListAccessKeysRequest{})
	if _, err := call(alice, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "x"}); err == nil || !strings.Contains(err.Error(), "permissions boundary") {
		t.Errorf("alice makes a user: %v", err)
	}
	if _, err := call(alice, &guarddutyapi.ListDetectors, &guarddutyapi.ListDetectorsRequest{}); err == nil || !strings.Contains(err.Error(), "no identity-based policy allows") {
		t.Errorf("alice lists detectors: %v", err)
	}
	// The role trusts her with MFA only, which a key does not prove.
	if _, err := call(alice, &stsapi.AssumeRole, &stsapi.AssumeRoleRequest{RoleArn: "arn:aws:iam::111122223333:role/deploy", RoleSessionName: "alice"}); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("alice assumes deploy: %v", err)
	}

	// What differs is refused before anything is changed, and replaced when told so.
	must(p, &iamapi.PutUserPolicy, &iamapi.PutUserPolicyRequest{UserName: "alice", PolicyName: "more", PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
	run(2, "nothing was changed: user alice is there and differs", "import", "iam", dump)
	run(0, "steps done", "import", "iam", dump, "--replace")
	run(0, "0 steps done", "import", "iam", dump)

	// The organisation counts too, and its management account is exempt.
	must(p, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{})
	run(0, "user/ops/bob", "policy", "who-can", "ec2:RunInstances", "*")

	run(2, "--account", "import", "iam", dump, "--account", "1")
	run(2, "no such file", "import", "iam", "none.json")
	run(1, "OrganizationAccountAccessRole cannot be assumed", "import", "iam", dump, "--account", "444455556666")
}

func TestImportOfAnotherAccount(t *testing.T) {
	dump, err := os.ReadFile("../../policy/inventory/testdata/account.json")
	ok(t, err)
	p := &program{t: t, data: t.TempDir()}
	ok(t, os.Chmod(p.data, 0o700))
	ok(t, os.WriteFile(filepath.Join(p.data, "sumun.yaml"), []byte(crashConfig), 0o600))
	file := filepath.Join(p.data, "other.json")
	ok(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(dump), "111122223333", "777788889999")), 0o600))
	p.start()
	defer p.kill()
	status, out, complaint := command(t, "", "import", "iam", file, "--data", p.data)
	if status != 2 || !strings.Contains(complaint, "say --account 111122223333") || strings.Count(complaint, "\n") != 1 {
		t.Errorf("status %d: %s%s", status, out, complaint)
	}
	status, out, complaint = command(t, "", "import", "iam", file, "--data", p.data, "--account", "111122223333")
	if status != 0 {
		t.Errorf("status %d: %s%s", status, out, complaint)
	}
	trust := must(p, &iamapi.GetRole, &iamapi.GetRoleRequest{RoleName: "deploy"}).Role.AssumeRolePolicyDocument
	if !strings.Contains(*trust, "111122223333") || strings.Contains(*trust, "777788889999") {
		t.Errorf("the trust policy is %s", *trust)
	}
}
