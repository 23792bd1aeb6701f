package sts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/engine/seal"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

func TestOwnSessions(t *testing.T) {
	s := newService(t)
	for _, c := range []struct {
		name  string
		who   *aws.Principal
		in    *stsapi.GetSessionTokenRequest
		lasts time.Duration
		mfa   bool
	}{
		{"user", alice, &stsapi.GetSessionTokenRequest{}, 12 * time.Hour, false},
		{"user_with_mfa", alice, &stsapi.GetSessionTokenRequest{SerialNumber: new("arn:aws:iam::111122223333:mfa/alice"), TokenCode: new("123456"), DurationSeconds: new(int32(900))}, 15 * time.Minute, true},
		{"root", root, &stsapi.GetSessionTokenRequest{DurationSeconds: new(int32(129_600))}, time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, touches, err := call(t, s, c.who, &stsapi.GetSessionToken, c.in)
			if err != nil || touches[0].Open == "" {
				t.Fatal(touches, err)
			}
			p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
			if err != nil || p.Kind != c.who.Kind || p.ID != c.who.ID || p.ARN != c.who.ARN || p.Name != c.who.Name || p.Session.MFA != c.mfa || p.Session.IssuedBy != c.who.AccessKeyID {
				t.Errorf("%+v, %+v, %v", p, p.Session, err)
			}
			if got := p.Session.Expires.Sub(p.Session.Created); got != c.lasts {
				t.Errorf("lasts %v", got)
			}
		})
	}
	for _, c := range []struct {
		name, code, message string
		who                 *aws.Principal
		in                  *stsapi.GetSessionTokenRequest
	}{
		{"wrong_code", "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", alice, &stsapi.GetSessionTokenRequest{SerialNumber: new("arn:aws:iam::111122223333:mfa/alice"), TokenCode: new("000000")}},
		{"code_without_device", "ValidationError", "Both SerialNumber and TokenCode must be provided for MFA.", alice, &stsapi.GetSessionTokenRequest{TokenCode: new("123456")}},
		{"session", "AccessDenied", "Cannot call GetSessionToken with session credentials", &aws.Principal{Kind: aws.User, Account: account, Session: &aws.Session{}}, &stsapi.GetSessionTokenRequest{}},
		{"role", "AccessDenied", "Cannot call GetSessionToken with session credentials", &aws.Principal{Kind: aws.AssumedRole, Account: account, Session: &aws.Session{}}, &stsapi.GetSessionTokenRequest{}},
	} {
		_, _, err := call(t, s, c.who, &stsapi.GetSessionToken, c.in)
		if err == nil || err.Error() != c.code+": "+c.message {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFederatedUsers(t *testing.T) {
	s := newService(t)
	doc := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`
	tagged := *alice
	tagged.Tags = map[string]string{"Team": "a", "site": "x"}
	out, touches, err := call(t, s, &tagged, &stsapi.GetFederationToken, &stsapi.GetFederationTokenRequest{
		Name: "bob", Policy: &doc, PolicyArns: arns("arn:aws:iam::111122223333:policy/p"), Tags: []stsapi.Tag{{Key: "team", Value: "b"}}, DurationSeconds: new(int32(900)),
	})
	if err != nil || len(touches) != 2 || touches[0].Resource.String() != "arn:aws:sts::111122223333:federated-user/bob" || touches[1].Action != "sts:TagSession" {
		t.Fatal(touches, err)
	}
	if out.FederatedUser.Arn != "arn:aws:sts::111122223333:federated-user/bob" || out.FederatedUser.FederatedUserId != "111122223333:bob" || *out.PackedPolicySize < 1 {
		t.Errorf("answered %+v", out)
	}
	p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
	if err != nil || p.Kind != aws.FederatedUser || p.Session.IssuerID != alice.ID || p.Session.Issuer != alice.ARN || p.Session.Policy != doc || len(p.Session.PolicyARNs) != 1 ||
		fmt.Sprint(p.Tags) != "map[site:x team:b]" || p.Session.IssuedBy != alice.AccessKeyID {
		t.Errorf("%+v, %+v, %v", p, p.Session, err)
	}
	if _, _, err := call(t, s, p, &stsapi.GetFederationToken, &stsapi.GetFederationTokenRequest{Name: "bob"}); err == nil || err.Error() != "AccessDenied: Cannot call GetFederationToken with session credentials" {
		t.Errorf("from a session: %v", err)
	}
	if _, _, err := call(t, s, alice, &stsapi.GetFederationToken, &stsapi.GetFederationTokenRequest{Name: "bob", Policy: new("{}")}); !stsapi.MalformedPolicyDocumentException.Is(err) {
		t.Errorf("a policy that is none: %v", err)
	}
}

// What a session passes on stays through role chaining; what it does not, ends.
func TestChaining(t *testing.T) {
	s := newService(t)
	in := ask()
	in.Tags, in.TransitiveTagKeys, in.SourceIdentity = []stsapi.Tag{{Key: "Project", Value: "x"}, {Key: "team", Value: "b"}}, []string{"project"}, new("alice")
	if _, _, err := call(t, s, alice, &stsapi.AssumeRole, in); err == nil {
		t.Fatal("the trust policy does not allow to tag")
	}
	w := newWorld()
	for _, r := range w.roles {
		r.Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	}
	s = w.service(t, oidc.New(oidc.Options{}))
	first, touches, err := call(t, s, alice, &stsapi.AssumeRole, in)
	if err != nil || *first.SourceIdentity != "alice" {
		t.Fatal(first, err)
	}
	if c := touches[0].Conditions; fmt.Sprint(c["aws:TagKeys"], c["aws:RequestTag/team"], c["sts:TransitiveTagKeys"], c["sts:SourceIdentity"]) != "[Project team] [b] [project] [alice]" {
		t.Errorf("conditions are %v", c)
	}
	p, _, err := s.Temporary(first.Credentials.AccessKeyId, first.Credentials.SessionToken)
	if err != nil || fmt.Sprint(p.Tags) != "map[Project:x team:b]" {
		t.Fatal(p, err)
	}
	second, touches, err := call(t, s, p, &stsapi.AssumeRole, ask())
	if err != nil || *second.SourceIdentity != "alice" || len(touches) != 3 {
		t.Fatal(second, touches, err)
	}
	p, _, err = s.Temporary(second.Credentials.AccessKeyId, second.Credentials.SessionToken)
	if err != nil || fmt.Sprint(p.Tags) != "map[Project:x team:a]" || fmt.Sprint(p.Session.Transitive) != "[Project]" || p.Session.SourceID != "alice" {
		t.Errorf("%+v, %+v, %v", p, p.Session, err)
	}
}

// The trust policy of a role may ask for MFA: it sees that a code was checked.
func TestAssumeRoleWithMFA(t *testing.T) {
	w := newWorld()
	for _, r := range w.roles {
		r.Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}}]}`
	}
	s := w.service(t, oidc.New(oidc.Options{}))
	if _, _, err := call(t, s, alice, &stsapi.AssumeRole, ask()); !accessDenied.Is(err) {
		t.Errorf("without: %v", err)
	}
	in := ask()
	in.SerialNumber, in.TokenCode = new("arn:aws:iam::111122223333:mfa/alice"), new("654321")
	if _, _, err := call(t, s, alice, &stsapi.AssumeRole, in); err == nil || !strings.Contains(err.Error(), "invalid MFA one time pass code") {
		t.Errorf("with a wrong code: %v", err)
	}
	in.TokenCode = new("123456")
	out, _, err := call(t, s, alice, &stsapi.AssumeRole, in)
	if err != nil {
		t.Fatal(err)
	}
	if p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken); err != nil || p.Session.MFA {
		t.Errorf("the role's session carries it: %v", err)
	}
}

func TestAssumeRoot(t *testing.T) {
	s := newService(t)
	audit := arns("arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials")
	ask := func(target string) *stsapi.AssumeRootRequest {
		return &stsapi.AssumeRootRequest{TargetPrincipal: target, TaskPolicyArn: &audit[0]}
	}
	for _, target := range []string{string(other), "arn:aws:iam::444455556666:root"} {
		out, touches, err := call(t, s, alice, &stsapi.AssumeRoot, ask(target))
		if err != nil || touches[0].Resource.String() != "arn:aws:iam::444455556666:root" {
			t.Fatal(touches, err)
		}
		p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
		if err != nil || p.Kind != aws.Root || p.Account != other || p.ARN.String() != "arn:aws:iam::444455556666:root" || p.Session.TaskPolicy != *audit[0].Arn || p.Session.Expires.Sub(p.Session.Created) != 15*time.Minute {
			t.Errorf("%+v, %+v, %v", p, p.Session, err)
		}
	}
	member := &aws.Principal{Kind: aws.User, Account: other, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: other, Resource: "user/m"}}
	for _, c := range []struct {
		name, code string
		who        *aws.Principal
		in         *stsapi.AssumeRootRequest
	}{
		{"of_the_management_account_itself", "AccessDenied", alice, ask(string(account))},
		{"of_another_organisation", "AccessDenied", alice, ask("777788889999")},
		{"of_an_account_in_none", "AccessDenied", alice, ask("000011112222")},
		{"by_a_member", "AccessDenied", member, ask(string(account))},
		{"by_root", "AccessDenied", root, ask(string(other))},
		{"of_a_user", "ValidationError", alice, ask("arn:aws:iam::444455556666:user/bob")},
		{"of_nobody", "ValidationError", alice, ask("nobody")},
		{"for_another_task", "ValidationError", alice, &stsapi.AssumeRootRequest{TargetPrincipal: string(other), TaskPolicyArn: &arns("arn:aws:iam::aws:policy/AdministratorAccess")[0]}},
		{"for_a_task_that_is_not_enabled", "AccessDenied", alice, &stsapi.AssumeRootRequest{TargetPrincipal: string(other), TaskPolicyArn: &arns("arn:aws:iam::aws:policy/root-task/SQSUnlockQueuePolicy")[0]}},
		{"for_no_task", "ValidationError", alice, &stsapi.AssumeRootRequest{TargetPrincipal: string(other)}},
	} {
		_, _, err := call(t, s, c.who, &stsapi.AssumeRoot, c.in)
		var e *aws.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAccessKeysTellTheirAccount(t *testing.T) {
	s := newService(t)
	for id, want := range map[string]string{
		aws.AccessKeyID("AKIA", account): string(account), aws.AccessKeyID("ASIA", "000000000001"): "000000000001", aws.AccessKeyID("ASIA", "999999999999"): "999999999999",
		"AKIAGIVENBYSOMEBODYX": "999900001111", "AKIAI44QH8DHBEXAMPLE": "", "AIDAJQABLZS4A3QDU576": "", "AKIA0000000000000000": "", "AKIA": "",
	} {
		out, _, err := call(t, s, alice, &stsapi.GetAccessKeyInfo, &stsapi.GetAccessKeyInfoRequest{AccessKeyId: id})
		if want == "" && !validationError.Is(err) || want != "" && (err != nil || *out.Account != want) {
			t.Errorf("%s: %+v, %v", id, out, err)
		}
	}
}

func TestMessagesAreDecodedForTheirAccount(t *testing.T) {
	s := newService(t)
	text := `{"allowed":false,"context":{"principal":{"arn":"arn:aws:iam::111122223333:user/alice"},"pad":"` + strings.Repeat("x", 7000) + `"}}`
	message := s.env.Store.NextToken([]string{"sts.authorization"}, text)
	out, _, err := call(t, s, alice, &stsapi.DecodeAuthorizationMessage, &stsapi.DecodeAuthorizationMessageRequest{EncodedMessage: message})
	if err != nil || *out.DecodedMessage != text || len(message) > maxMessage {
		t.Errorf("%+v, %v", out, err)
	}
	stranger := &aws.Principal{Kind: aws.User, Account: other}
	for name, c := range map[string]struct {
		who  *aws.Principal
		text string
	}{
		"another account's": {stranger, message}, "changed": {alice, message[:len(message)-2] + "AA"}, "none": {alice, "nonsense"},
		"a page token": {alice, s.env.Store.NextToken([]string{"iam:ListUsers"}, text)},
	} {
		if _, _, err := call(t, s, c.who, &stsapi.DecodeAuthorizationMessage, &stsapi.DecodeAuthorizationMessageRequest{EncodedMessage: c.text}); !stsapi.InvalidAuthorizationMessageException.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Sessions live on when the root key is changed, as long as the earlier key is kept.
func TestTokensSurviveAnotherRootKey(t *testing.T) {
	before, after := seal.GenerateKey(), seal.GenerateKey()
	on := func(r *seal.Root) *Service {
		st := store.Open(memory.New(), r)
		t.Cleanup(func() { st.Close() })
		return newWorld().serviceOn(st, nil)
	}
	made := session(t, on(seal.NewRoot(before)), alice, ask()).Credentials
	if !on(seal.NewRoot(after, before)).opens(made.AccessKeyId, made.SessionToken) {
		t.Error("the session is over, although its key is known")
	}
	if on(seal.NewRoot(after)).opens(made.AccessKeyId, made.SessionToken) {
		t.Error("a token opens without the key that sealed it")
	}
}
