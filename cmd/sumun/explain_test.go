package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/gateway"
	"sumun.dev/plane/runtime"
)

// Explain finds the running plane as env does, and its refusals also after a restart.
func TestExplainTheRealProgram(t *testing.T) {
	p := &program{t: t, data: t.TempDir()}
	ok(t, os.WriteFile(filepath.Join(p.data, "sumun.yaml"), []byte(crashConfig), 0o600))
	if status, _, complaint := command(t, "", "explain", "--data", p.data); status != 1 || !strings.Contains(complaint, "no plane runs with data folder "+p.data) {
		t.Errorf("without a plane: %d %s", status, complaint)
	}
	p.start()
	if status, _, complaint := command(t, "", "explain", "--data", p.data); status != 1 || !strings.Contains(complaint, "no call was refused in the last 24 hours") {
		t.Errorf("before a refusal: %d %s", status, complaint)
	}
	must(p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "bob"})
	key := must(p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("bob")}).AccessKey
	p.key = runtime.Key{AccessKeyID: key.AccessKeyId, SecretAccessKey: key.SecretAccessKey}
	if _, err := call(p, &iamapi.ListUsers, &iamapi.ListUsersRequest{}); err == nil {
		t.Fatal("bob lists users")
	}
	_, out, _ := command(t, "", "explain", "--data", p.data, "--json")
	var x gateway.Explanation
	if err := json.Unmarshal([]byte(out), &x); err != nil || x.Operation != "iam:ListUsers" || x.Allowed {
		t.Fatalf("%v: %s", err, out)
	}
	says := func(when string) {
		status, out, complaint := command(t, "", "explain", "--data", p.data, x.RequestID)
		if status != 0 || !strings.Contains(out, "refused  iam:ListUsers by arn:aws:iam::111122223333:user/bob") || !strings.Contains(out, "needed: an Allow for iam:ListUsers") {
			t.Errorf("%s: %d %s %s", when, status, out, complaint)
		}
	}
	says("while it is remembered")
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ok(t, p.cmd.Wait())
	p.start()
	defer p.kill()
	says("after a restart")
	if status, _, complaint := command(t, "", "explain", "--data", p.data, "no-such-request"); status != 1 || !strings.Contains(complaint, "nothing is known of request no-such-request") {
		t.Errorf("of an unknown call: %d %s", status, complaint)
	}
}
