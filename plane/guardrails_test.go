package plane

import (
	"strings"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/organizationsapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/config"
	"sumun.dev/spine/nats/natstest"
	"sumun.dev/store"
	"sumun.dev/store/postgres/postgrestest"
)

// cluster starts two nodes that share a database and a log.
func cluster(t *testing.T) (one, other *Plane) {
	t.Helper()
	shared := overNATS(t)
	database := postgrestest.Schema(t)
	one = node(t, database, nil, shared)
	return one, node(t, database, keyOf(t, one), shared)
}

// overNATS lets the nodes of a test share the log of a NATS server.
func overNATS(t *testing.T) func(*config.Config) {
	t.Helper()
	url := natstest.Server(t)
	prefix := natstest.Prefix(t, url)
	return func(cfg *config.Config) { cfg.Spine.NATS, cfg.Spine.Prefix, cfg.Spine.MaxMiB = url, prefix, 16 }
}

const listUsers = "Action=ListUsers&Version=2010-05-08"

// A guardrail that is set on one node binds on every other at once, and a refusal
// by one node is explained by the other.
func TestGuardrailsOnEveryNode(t *testing.T) {
	one, other := cluster(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := byRoot(t, one, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{})
	must(err)
	guarded(t, one, one.Account())
	member := memberOf(t, one, one.Account(), "app")
	session := entered(t, one, member)

	status, _ := ask(other, session, "iam", listUsers)
	if status != 200 {
		t.Fatalf("without a guardrail: %d", status)
	}
	guardrail := noIAM(t, one, one.Account(), member)
	refused := until(t, func() (bool, string) {
		status, id := ask(other, session, "iam", listUsers)
		return status == 403, id
	})

	x := until(t, func() (bool, *gateway.Explanation) { // the record takes its way through the log
		x, err := one.Explain(t.Context(), refused)
		must(err)
		return x != nil, x
	})
	if x.Allowed || x.RequestID != refused || len(x.Touches) != 1 || x.Touches[0].By != "scp" || x.Touches[0].Statement != "NoIAM" {
		t.Errorf("the other node's refusal is explained as %+v", x)
	}
	if newest, err := one.Explain(t.Context(), ""); err != nil || newest == nil || newest.RequestID != refused {
		t.Errorf("the newest refusal of the cluster is %+v, %v", newest, err)
	}

	_, err = byRoot(t, other, &organizationsapi.DetachPolicy, &organizationsapi.DetachPolicyRequest{PolicyId: guardrail, TargetId: member})
	must(err)
	until(t, func() (bool, int) {
		status, _ := ask(one, session, "iam", listUsers)
		return status == 200, status
	})
}

// Of two organisations in one plane, each binds its own accounts only, and neither
// can use what the other has.
func TestOrganisationsBindTheirOwn(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	first := p.Account()
	if _, err := byRoot(t, p, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{}); err != nil {
		t.Fatal(err)
	}
	mine, second := aws.Account(memberOf(t, p, first, "mine")), aws.Account(memberOf(t, p, first, "second"))
	if _, err := byRootOf(t, p, second, &organizationsapi.LeaveOrganization, &organizationsapi.LeaveOrganizationRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := byRootOf(t, p, second, &organizationsapi.CreateOrganization, &organizationsapi.CreateOrganizationRequest{}); err != nil {
		t.Fatal(err)
	}
	theirs := aws.Account(memberOf(t, p, second, "theirs"))
	roots := map[aws.Account]string{first: guarded(t, p, first), second: guarded(t, p, second)}

	bound := func(want map[aws.Account]bool) {
		t.Helper()
		for account, denied := range want {
			_, err := byRootOf(t, p, account, &iamapi.ListUsers, &iamapi.ListUsersRequest{})
			if got := err != nil && strings.Contains(err.Error(), "with an explicit deny in a service control policy"); got != denied || err != nil && !got {
				t.Errorf("%s: %v", account, err)
			}
		}
	}
	bound(map[aws.Account]bool{first: false, mine: false, second: false, theirs: false})
	guardrail := noIAM(t, p, first, roots[first])
	bound(map[aws.Account]bool{first: false, mine: true, second: false, theirs: false})
	for _, target := range []string{roots[second], string(theirs)} {
		if _, err := byRootOf(t, p, second, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: guardrail, TargetId: target}); !organizationsapi.PolicyNotFoundException.Is(err) {
			t.Errorf("another organisation's policy on %s: %v", target, err)
		}
		if _, err := byRoot(t, p, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: guardrail, TargetId: target}); !organizationsapi.TargetNotFoundException.Is(err) {
			t.Errorf("a policy on another organisation's %s: %v", target, err)
		}
	}
	noIAM(t, p, second, roots[second])
	if _, err := byRoot(t, p, &organizationsapi.DetachPolicy, &organizationsapi.DetachPolicyRequest{PolicyId: guardrail, TargetId: roots[first]}); err != nil {
		t.Fatal(err)
	}
	bound(map[aws.Account]bool{first: false, mine: false, second: false, theirs: true})
}

// guarded enables service control policies in the organisation of a management
// account, and returns its root.
func guarded(t *testing.T, p *Plane, management aws.Account) string {
	t.Helper()
	out, err := byRootOf(t, p, management, &organizationsapi.ListRoots, &organizationsapi.ListRootsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	root := *out.Roots[0].Id
	if _, err := byRootOf(t, p, management, &organizationsapi.EnablePolicyType, &organizationsapi.EnablePolicyTypeRequest{
		RootId: root, PolicyType: organizationsapi.PolicyTypeServiceControlPolicy}); err != nil {
		t.Fatal(err)
	}
	return root
}

// noIAM attaches a policy that denies all of IAM, and returns its id.
func noIAM(t *testing.T, p *Plane, management aws.Account, target string) string {
	t.Helper()
	made, err := byRootOf(t, p, management, &organizationsapi.CreatePolicy, &organizationsapi.CreatePolicyRequest{
		Name: "no-iam", Type: organizationsapi.PolicyTypeServiceControlPolicy,
		Content: `{"Version":"2012-10-17","Statement":{"Sid":"NoIAM","Effect":"Deny","Action":"iam:*","Resource":"*"}}`})
	if err != nil {
		t.Fatal(err)
	}
	id := *made.Policy.PolicySummary.Id
	if _, err := byRootOf(t, p, management, &organizationsapi.AttachPolicy, &organizationsapi.AttachPolicyRequest{PolicyId: id, TargetId: target}); err != nil {
		t.Fatal(err)
	}
	return id
}

// until asks again until what it gets is what it should be; what a node hears late
// it hears within store.MaxSilence.
func until[T any](t *testing.T, ask func() (bool, T)) T {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		ok, got := ask()
		if ok {
			return got
		}
		if time.Since(begun) > store.MaxSilence {
			t.Fatalf("after %s it is still %v", store.MaxSilence, got)
		}
	}
}

// memberOf creates an account in the organisation of a management account.
func memberOf(t *testing.T, p *Plane, management aws.Account, name string) string {
	t.Helper()
	asked, err := byRootOf(t, p, management, &organizationsapi.CreateAccount, &organizationsapi.CreateAccountRequest{AccountName: name, Email: name + "@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return until(t, func() (bool, string) {
		now, err := byRootOf(t, p, management, &organizationsapi.DescribeCreateAccountStatus, &organizationsapi.DescribeCreateAccountStatusRequest{CreateAccountRequestId: *asked.CreateAccountStatus.Id})
		if err != nil {
			t.Fatal(err)
		}
		if now.CreateAccountStatus.AccountId == nil {
			return false, ""
		}
		return true, *now.CreateAccountStatus.AccountId
	})
}

// entered makes a session of an account's OrganizationAccountAccessRole for a user
// of the management account.
func entered(t *testing.T, p *Plane, member string) sigv4.Credentials {
	t.Helper()
	made, err := byRoot(t, p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "admin"})
	if err == nil {
		_, err = byRoot(t, p, &iamapi.AttachUserPolicy, &iamapi.AttachUserPolicyRequest{UserName: "admin", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess"})
	}
	if err != nil {
		t.Fatal(err)
	}
	arn, err := aws.ParseARN(made.User.Arn)
	if err != nil {
		t.Fatal(err)
	}
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: &aws.Principal{Kind: aws.User, Account: arn.Account, ARN: arn, ID: made.User.UserId, Name: "admin"},
		Partition: "aws", Account: arn.Account, Region: "us-east-1", Time: time.Now(),
	})
	out, err := stsapi.AssumeRole.Call(ctx, p.current.Load().gate.InsideAny("test"), &stsapi.AssumeRoleRequest{
		RoleArn: "arn:aws:iam::" + member + ":role/OrganizationAccountAccessRole", RoleSessionName: "s"})
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Credentials{KeyID: out.Credentials.AccessKeyId, Secret: out.Credentials.SecretAccessKey, Token: out.Credentials.SessionToken}
}
