package sts

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
)

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

// The longest session that AWS's limits allow fits into a token, or is refused
// before it is made.
func TestLongestNamesFitIntoATokens(t *testing.T) {
	s := newService(t)
	for _, letter := range []string{"a", "&", `"`} {
		c := newClaims(kindRole, "aws-iso-b", account, time.Hour)
		c.Issuer, c.IssuerID, c.IssuerName = "role/"+strings.Repeat(letter, 511)+"/"+strings.Repeat("n", 64), "AROA12345678901234567", strings.Repeat("n", 64)
		c.Name, c.InvokedBy, c.SourceID = strings.Repeat("s", 64), "ssm.amazonaws.com", strings.Repeat("d", 64)
		made, err := s.hand(c)
		if err != nil || !s.opens(c.KeyID, made.SessionToken) {
			t.Errorf("a role's path of %s does not fit: %v", letter, err)
		}
	}
	in := ask()
	in.Policy = new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"` + strings.Repeat("*", 1900) + `"}}`)
	for i := range 40 {
		in.Tags = append(in.Tags, stsapi.Tag{Key: "project-" + strings.Repeat("k", i), Value: strings.Repeat("v", 100+i)})
	}
	out := session(t, s, alice, in)
	p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
	if err != nil || p.Session.Policy != *in.Policy || len(p.Tags) != 41 || *out.PackedPolicySize < 1 || *out.PackedPolicySize > 100 {
		t.Errorf("%v, %v", out.PackedPolicySize, err)
	}
	long := newClaims(kindRole, "aws", account, time.Hour)
	long.Facts = map[string][]string{"saml:groups": nil}
	for range 1000 {
		long.Facts["saml:groups"] = append(long.Facts["saml:groups"], aws.SecretKey())
	}
	if _, err := s.hand(long); !stsapi.PackedPolicyTooLargeException.Is(err) {
		t.Errorf("a session that does not fit: %v", err)
	}
}

func TestAssumeRoleIsRefused(t *testing.T) {
	chained := &aws.Principal{Kind: aws.AssumedRole, Account: account, Session: &aws.Session{}}
	sourced := &aws.Principal{Kind: aws.AssumedRole, Account: account, Tags: map[string]string{"Project": "x", "team": "b"}, Session: &aws.Session{SourceID: "alice", Transitive: []string{"project"}}}
	for _, c := range []struct {
		name          string
		who           *aws.Principal
		change        func(*stsapi.AssumeRoleRequest)
		code, message string
	}{
		{"to_root", root, func(*stsapi.AssumeRoleRequest) {}, "AccessDenied", "Roles may not be assumed by root accounts."},
		{"beyond_the_role's_maximum", alice, func(in *stsapi.AssumeRoleRequest) { in.DurationSeconds = new(int32(7201)) }, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"beyond_an_hour_when_chained", chained, func(in *stsapi.AssumeRoleRequest) { in.DurationSeconds = new(int32(3601)) }, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{"to_a_federated_user", &aws.Principal{Kind: aws.FederatedUser, Account: account, Session: &aws.Session{}}, func(*stsapi.AssumeRoleRequest) {}, "AccessDenied", "Cannot call AssumeRole with federated user credentials"},
		{"with_a_provided_context", alice, func(in *stsapi.AssumeRoleRequest) { in.ProvidedContexts = []stsapi.ProvidedContext{{}} }, "UnsupportedOperation", "Sumun does not serve the parameter ProvidedContexts of AssumeRole yet."},
		{"with_a_serial_number_only", alice, func(in *stsapi.AssumeRoleRequest) { in.SerialNumber = new("arn") }, "ValidationError", "Both SerialNumber and TokenCode must be provided for MFA."},
		{"with_a_policy_that_is_none", alice, func(in *stsapi.AssumeRoleRequest) { in.Policy = new("{}") }, "MalformedPolicyDocument", ""},
		{"with_a_policy_for_a_resource", alice, func(in *stsapi.AssumeRoleRequest) { in.Policy = new(trust) }, "MalformedPolicyDocument", ""},
		{"with_a_policy_that_is_too_long", alice, func(in *stsapi.AssumeRoleRequest) { in.Policy = new(strings.Repeat(" ", 2049)) }, "ValidationError", "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{"with_eleven_policies", alice, func(in *stsapi.AssumeRoleRequest) { in.PolicyArns = make([]stsapi.PolicyDescriptorType, 11) }, "ValidationError", "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10"},
		{"with_a_policy_that_is_missing", alice, func(in *stsapi.AssumeRoleRequest) { in.PolicyArns = arns("arn:aws:iam::111122223333:policy/none") }, "ValidationError", "Policy arn:aws:iam::111122223333:policy/none does not exist."},
		{"with_a_policy_of_another_account", alice, func(in *stsapi.AssumeRoleRequest) { in.PolicyArns = arns("arn:aws:iam::444455556666:policy/p") }, "ValidationError", "Policy arn:aws:iam::444455556666:policy/p is not in the account of the session."},
		{"with_policies_longer_together", alice, func(in *stsapi.AssumeRoleRequest) {
			in.PolicyArns = arns("arn:aws:iam::aws:policy/ReadOnlyAccess")
			in.Policy = new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}` + strings.Repeat(" ", 1950))
		}, "PackedPolicyTooLarge", "Packed policy consumes 102% of allotted space, please use smaller policy."},
		{"with_tags_that_do_not_pack", alice, func(in *stsapi.AssumeRoleRequest) {
			for range 50 {
				in.Tags = append(in.Tags, stsapi.Tag{Key: aws.UniqueID("K") + strings.Repeat(aws.UniqueID("K"), 4), Value: aws.SecretKey() + aws.SecretKey() + aws.SecretKey()})
			}
		}, "PackedPolicyTooLarge", ""},
		{"with_a_tag_twice", alice, func(in *stsapi.AssumeRoleRequest) { in.Tags = []stsapi.Tag{{Key: "Team"}, {Key: "team"}} }, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"with_a_reserved_tag", alice, func(in *stsapi.AssumeRoleRequest) { in.Tags = []stsapi.Tag{{Key: "AWS:team"}} }, "ValidationError", "Tag keys beginning with aws: are reserved for system use."},
		{"with_a_transitive_tag_that_is_none", alice, func(in *stsapi.AssumeRoleRequest) { in.TransitiveTagKeys = []string{"team"} }, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."},
		{"with_a_reserved_source_identity", alice, func(in *stsapi.AssumeRoleRequest) { in.SourceIdentity = new("aws:me") }, "ValidationError", "1 validation error detected: Value 'aws:me' at 'sourceIdentity' failed to satisfy constraint: Member must not begin with aws:"},
		{"with_another_source_identity", sourced, func(in *stsapi.AssumeRoleRequest) { in.SourceIdentity = new("bob") }, "AccessDenied", "The source identity of a session cannot be changed."},
		{"with_an_inherited_tag", sourced, func(in *stsapi.AssumeRoleRequest) { in.Tags = []stsapi.Tag{{Key: "PROJECT", Value: "x"}} }, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := ask()
			c.change(in)
			_, err := newService(t).assumeRole(as(t, c.who), in)
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != c.code || c.message != "" && e.Message != c.message {
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
	if got := strings.Join(names, " "); got != "sts:GetCallerIdentity sts:AssumeRole sts:AssumeRoleWithWebIdentity sts:AssumeRoleWithSAML sts:AssumeRoot sts:GetSessionToken sts:GetFederationToken sts:GetAccessKeyInfo sts:DecodeAuthorizationMessage" {
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
