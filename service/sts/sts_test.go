package sts

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/seal"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/store/memory"
)

const account, other = aws.Account("111122223333"), aws.Account("444455556666")

// known are the roles that there are; IAM keeps them in a plane.
type known map[aws.ARN]*Role

func (k known) Role(_ context.Context, arn aws.ARN) (*Role, error) {
	// Like IAM, by account and name: the partition is not looked at.
	for have, r := range k {
		if have.Account == arn.Account && have.Resource == arn.Resource {
			return r, nil
		}
	}
	return nil, ErrNoRole
}

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`

func newService(t testing.TB) *Service {
	s := store.Open(memory.New(), seal.NewRoot(seal.GenerateKey()))
	t.Cleanup(func() { s.Close() })
	arn := aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/ci/deploy"}
	return New(service.Env{Store: s, Log: slog.New(slog.DiscardHandler)},
		known{arn: {ARN: arn, ID: "AROAEXAMPLE", Name: "deploy", Trust: trust, MaxSession: 2 * time.Hour, Tags: map[string]string{"team": "a"}}})
}

func as(t testing.TB, p *aws.Principal) context.Context {
	return aws.WithCall(t.Context(), &aws.Call{Partition: "aws", Account: p.Account, Region: "us-east-1", Service: "sts", Principal: p})
}

var (
	alice  = &aws.Principal{Kind: aws.User, Account: account, Name: "alice", ID: "AIDAEXAMPLE", ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/alice"}}
	root   = &aws.Principal{Kind: aws.Root, Account: account, ID: string(account)}
	worker = &aws.Principal{Kind: aws.Service, Account: account, Name: "ssm.amazonaws.com", ID: "ssm.amazonaws.com"}
)

func ask() *stsapi.AssumeRoleRequest {
	return &stsapi.AssumeRoleRequest{RoleArn: "arn:aws:iam::111122223333:role/ci/deploy", RoleSessionName: "s1"}
}

func session(t testing.TB, s *Service, p *aws.Principal, in *stsapi.AssumeRoleRequest) *stsapi.AssumeRoleResponse {
	t.Helper()
	out, err := s.assumeRole(as(t, p), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEverybodyMayAskWhoTheyAre(t *testing.T) {
	s := newService(t)
	touches, err := s.oneself(as(t, alice), nil)
	if err != nil || len(touches) != 1 || touches[0].Open == "" {
		t.Errorf("%+v, %v", touches, err)
	}
	out, err := s.getCallerIdentity(as(t, alice), nil)
	if err != nil || *out.UserId != alice.ID || *out.Account != string(account) || *out.Arn != alice.ARN.String() {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestSessionOfARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t)
		out := session(t, s, alice, ask())
		c := out.Credentials
		if *out.AssumedRoleUser != (stsapi.AssumedRoleUser{AssumedRoleId: "AROAEXAMPLE:s1", Arn: "arn:aws:sts::111122223333:assumed-role/deploy/s1"}) {
			t.Errorf("the session is %+v", out.AssumedRoleUser)
		}
		if !strings.HasPrefix(c.AccessKeyId, "ASIA") || len(c.AccessKeyId) != 20 || len(c.SecretAccessKey) != 40 || !c.Expiration.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("its credentials are %+v", c)
		}
		p, secret, err := s.Temporary(c.AccessKeyId, c.SessionToken)
		if err != nil || string(secret) != c.SecretAccessKey {
			t.Fatal(err)
		}
		if p.Kind != aws.AssumedRole || p.Account != account || p.Session.Issuer.Resource != "role/ci/deploy" || p.Session.IssuerID != "AROAEXAMPLE" || p.Session.Name != "s1" || p.Session.InvokedBy != "" {
			t.Errorf("whoever holds it is %+v, %+v", p, p.Session)
		}
		time.Sleep(time.Hour - 1)
		if _, _, err := s.Temporary(c.AccessKeyId, c.SessionToken); err != nil {
			t.Errorf("in the last instant: %v", err)
		}
		time.Sleep(time.Nanosecond)
		_, _, err = s.Temporary(c.AccessKeyId, c.SessionToken)
		var e *aws.Error
		if !errors.As(err, &e) || e.Code != "ExpiredToken" || e.Status != 403 {
			t.Errorf("when its time is over: %v", err)
		}
	})
}

func TestServicesAreShownAsWhoAsked(t *testing.T) {
	s := newService(t)
	c := session(t, s, worker, ask()).Credentials
	p, _, err := s.Temporary(c.AccessKeyId, c.SessionToken)
	if err != nil || p.Session.InvokedBy != "ssm.amazonaws.com" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestTokensGoWithTheirKeyOnly(t *testing.T) {
	s := newService(t)
	one, two := session(t, s, alice, ask()).Credentials, session(t, s, alice, ask()).Credentials
	page := s.env.Store.NextToken([]string{"iam:ListUsers", one.AccessKeyId}, "{}")
	for name, c := range map[string]struct{ key, token string }{
		"of another session":         {one.AccessKeyId, two.SessionToken},
		"of another plane":           {one.AccessKeyId, session(t, newService(t), alice, ask()).Credentials.SessionToken},
		"empty":                      {one.AccessKeyId, ""},
		"a page token":               {one.AccessKeyId, page},
		"longer":                     {one.AccessKeyId, one.SessionToken + "A"},
		"shorter":                    {one.AccessKeyId, one.SessionToken[:len(one.SessionToken)-1]},
		"much too long":              {one.AccessKeyId, strings.Repeat("A", 1<<20)},
		"its key in another writing": {strings.ToLower(one.AccessKeyId), one.SessionToken},
	} {
		if p, _, err := s.Temporary(c.key, c.token); err == nil || !strings.HasPrefix(err.Error(), "InvalidClientTokenId: The security token included in the request is invalid.") {
			t.Errorf("a token %s: %+v, %v", name, p, err)
		}
	}
	for i := range one.SessionToken {
		b := []byte(one.SessionToken)
		if b[i]++; s.opens(one.AccessKeyId, string(b)) {
			t.Errorf("a token with letter %d changed is accepted", i)
		}
	}
}

func (s *Service) opens(key, token string) bool {
	_, _, err := s.Temporary(key, token)
	return err == nil
}

func TestLongestNamesFitIntoATokens(t *testing.T) {
	s := newService(t)
	for _, letter := range []string{"a", "&", `"`} {
		c := &claims{
			KeyID: aws.AccessKeyID("ASIA", account), Secret: aws.SecretKey(), Partition: "aws-iso-b", Account: account, Role: "role/" + strings.Repeat(letter, 511) + "/" + strings.Repeat("n", 64),
			RoleID: "AROA12345678901234567", RoleName: strings.Repeat("n", 64), Session: strings.Repeat("s", 64), Created: time.Now(), Expires: time.Now().Add(time.Hour), InvokedBy: "ssm.amazonaws.com",
		}
		if !s.opens(c.KeyID, s.seal(c)) {
			t.Errorf("a role's path of %s does not fit", letter)
		}
	}
}

func TestAssumeRoleIsRefused(t *testing.T) {
	chained := &aws.Principal{Kind: aws.AssumedRole, Account: account, Session: &aws.Session{}}
	for _, c := range []struct {
		name          string
		who           *aws.Principal
		change        func(*stsapi.AssumeRoleRequest)
		code, message string
	}{
		{"to_root", root, func(*stsapi.AssumeRoleRequest) {}, "AccessDenied", "Roles may not be assumed by root accounts."},
		{"beyond_the_role's_maximum", alice, func(in *stsapi.AssumeRoleRequest) { in.DurationSeconds = new(int32(7201)) }, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"beyond_an_hour_when_chained", chained, func(in *stsapi.AssumeRoleRequest) { in.DurationSeconds = new(int32(3601)) }, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{"with_a_session_policy", alice, func(in *stsapi.AssumeRoleRequest) { in.Policy = new(trust) }, "UnsupportedOperation", "Sumun does not serve the parameter Policy of AssumeRole yet."},
		{"with_session_tags", alice, func(in *stsapi.AssumeRoleRequest) { in.Tags = []stsapi.Tag{{Key: "a"}} }, "UnsupportedOperation", "Sumun does not serve the parameter Tags of AssumeRole yet."},
		{"with_a_source_identity", alice, func(in *stsapi.AssumeRoleRequest) { in.SourceIdentity = new("x") }, "UnsupportedOperation", "Sumun does not serve the parameter SourceIdentity of AssumeRole yet."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := ask()
			c.change(in)
			_, err := newService(t).assumeRole(as(t, c.who), in)
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Message != c.message {
				t.Errorf("got %v, want %s: %s", err, c.code, c.message)
			}
		})
	}
	if out := session(t, newService(t), chained, ask()); out == nil {
		t.Error("an hour is allowed when chained")
	}
}

func TestRolesAreNamedByTheirWholeARN(t *testing.T) {
	s := newService(t)
	for _, text := range []string{
		"", "deploy", "arn:aws:iam::111122223333:user/alice", "arn:aws:sts::111122223333:role/ci/deploy", "arn:aws:iam:us-east-1:111122223333:role/ci/deploy",
		"arn:aws:iam::1111:role/ci/deploy", "arn:aws:iam::*:role/ci/deploy",
		"arn:aws-cn:iam::111122223333:role/ci/deploy", // would slip past a policy that denies the role's own ARN
	} {
		in := ask()
		in.RoleArn = text
		if _, err := s.roleToAssume(as(t, alice), in); err == nil || err.Error() != "ValidationError: "+text+" is invalid" {
			t.Errorf("touch %q: %v", text, err)
		}
		if _, err := s.assumeRole(as(t, alice), in); err == nil {
			t.Errorf("serve %q: assumed", text)
		}
	}
}

// Who may not assume a role does not learn whether there is one.
func TestWhatIsTouched(t *testing.T) {
	s := newService(t)
	in := ask()
	in.ExternalId = new("shared")
	got, err := s.roleToAssume(as(t, alice), in)
	if err != nil || len(got) != 1 {
		t.Fatal(err)
	}
	touch := got[0]
	if touch.Action != "sts:AssumeRole" || touch.PolicyKind != "trust" || touch.Policy != trust || touch.Tags["team"] != "a" ||
		!slices.Equal(touch.Conditions["sts:ExternalId"], []string{"shared"}) || !slices.Equal(touch.Conditions["sts:RoleSessionName"], []string{"s1"}) {
		t.Errorf("touched is %+v", touch)
	}
	for _, arn := range []string{"arn:aws:iam::111122223333:role/nothing", "arn:aws:iam::" + string(other) + ":role/ci/deploy"} {
		in.RoleArn = arn
		got, err := s.roleToAssume(as(t, alice), in)
		if err != nil || len(got) != 1 || got[0].Policy != trustsNobody || got[0].PolicyKind != "trust" || got[0].Resource.String() != arn {
			t.Errorf("%s: %+v, %v", arn, got, err)
		}
		if out, err := s.assumeRole(as(t, alice), in); err == nil {
			t.Errorf("%s: %+v", arn, out)
		}
	}
}

func TestRoutes(t *testing.T) {
	var names []string
	for _, r := range newService(t).Routes() {
		names = append(names, r.Meta().String())
	}
	if got := strings.Join(names, " "); got != "sts:GetCallerIdentity sts:AssumeRole" {
		t.Errorf("served are %s", got)
	}
}

func FuzzToken(f *testing.F) {
	s := newService(f)
	c := session(f, s, alice, ask()).Credentials
	f.Add(c.AccessKeyId, c.SessionToken)
	f.Add(c.AccessKeyId, "")
	f.Add("", "e30")
	f.Fuzz(func(t *testing.T, key, token string) {
		if s.opens(key, token) && (key != c.AccessKeyId || token != c.SessionToken) {
			t.Errorf("%q opens for %q", token, key)
		}
	})
}
