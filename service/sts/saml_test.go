package sts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crewjam/saml"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	samlidp "sumun.dev/engine/saml/idp"
	"sumun.dev/policy"
)

const (
	corp = "arn:aws:iam::111122223333:saml-provider/corp"
	sso  = "arn:aws:iam::111122223333:role/sso"
)

// federate gives the account a SAML provider and a role that trusts it.
func federate(t testing.TB, w *world) *samlidp.IdP {
	p, err := samlidp.New("https://idp.example.com/metadata")
	if err != nil {
		t.Fatal(err)
	}
	w.asserts[corp] = p.Metadata()
	role := aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/sso"}
	w.roles[role] = &Role{ARN: role, ID: "AROASSO", Name: "sso", MaxSession: 4 * time.Hour, Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + corp + `"},
		"Action":["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"SAML:aud":"` + signIn + `","saml:sub_type":"persistent"},"ForAnyValue:StringEquals":{"saml:edupersonaffiliation":"staff"}}}]}`}
	return p
}

func attributes(change map[string][]string) map[string][]string {
	all := map[string][]string{
		attribute + "Role": {"arn:aws:iam::111122223333:role/other," + corp, sso + ", " + corp}, attribute + "RoleSessionName": {"alice@example.com"},
		"urn:oid:1.3.6.1.4.1.5923.1.1.1.1": {"member", "staff"},
	}
	for name, values := range change {
		all[name] = values
		if values == nil {
			delete(all, name)
		}
	}
	return all
}

func respond(t testing.TB, p *samlidp.IdP, change map[string][]string, also ...func(*saml.Assertion)) *stsapi.AssumeRoleWithSAMLRequest {
	t.Helper()
	a := p.Login("alice", signIn, signIn, attributes(change))
	for _, f := range also {
		f(a)
	}
	text, err := p.Respond(a)
	if err != nil {
		t.Fatal(err)
	}
	return &stsapi.AssumeRoleWithSAMLRequest{RoleArn: sso, PrincipalArn: corp, SAMLAssertion: text}
}

func TestSAML(t *testing.T) {
	w := newWorld()
	p := federate(t, w)
	s := w.service(t, oidc.New(oidc.Options{}))
	in := respond(t, p, map[string][]string{
		attribute + "PrincipalTag:team": {"blue"}, attribute + "TransitiveTagKeys": {"team"}, attribute + "SourceIdentity": {"alice"}, attribute + "SessionDuration": {"7200"},
	})
	out, touches, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, in)
	if err != nil {
		t.Fatal(err)
	}
	if *out.Subject != "alice" || *out.SubjectType != "persistent" || *out.Issuer != p.EntityID || *out.Audience != signIn || *out.SourceIdentity != "alice" ||
		out.AssumedRoleUser.Arn != "arn:aws:sts::111122223333:assumed-role/sso/alice@example.com" || time.Until(out.Credentials.Expiration) < 119*time.Minute {
		t.Errorf("answered %+v", out)
	}
	if p := touches[0].Principal; p.Kind != aws.SAML || p.Account != account || p.Name != corp || p.ID != *out.NameQualifier+":alice" || len(touches) != 3 {
		t.Errorf("who asks is %+v", p)
	}
	who, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
	if err != nil || who.Session.Provider != corp || fmt.Sprint(who.Tags) != "map[team:blue]" || !slices.Equal(who.Session.Facts["saml:doc"], []string{"111122223333/corp"}) {
		t.Errorf("the session is %+v, %v", who.Session, err)
	}
	// An assertion is accepted once, whatever is asked with it.
	in.DurationSeconds = new(int32(900))
	if _, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, in); err == nil || err.Error() != "InvalidIdentityToken: The SAML assertion has been used before" {
		t.Errorf("again: %v", err)
	}
	// A refused one is not used up.
	refused := respond(t, p, nil)
	refused.RoleArn = "arn:aws:iam::111122223333:role/other"
	if _, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, refused); !accessDenied.Is(err) {
		t.Errorf("a role that is not there: %v", err)
	}
	refused.RoleArn = sso
	if _, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, refused); err != nil {
		t.Errorf("then the right one: %v", err)
	}
}

func TestSAMLIsRefused(t *testing.T) {
	w := newWorld()
	p := federate(t, w)
	evil, err := samlidp.New(p.EntityID)
	if err != nil {
		t.Fatal(err)
	}
	s := w.service(t, oidc.New(oidc.Options{}))
	foreign := strings.Replace(corp, string(account), string(other), 1)
	w.asserts[foreign] = p.Metadata()
	for _, c := range []struct {
		name, code, message string
		in                  *stsapi.AssumeRoleWithSAMLRequest
		change              func(*stsapi.AssumeRoleWithSAMLRequest)
	}{
		{"signed_by_another", "InvalidIdentityToken", "Response signature invalid", respond(t, evil, nil), nil},
		{"not_xml", "InvalidIdentityToken", "Invalid SAML response", respond(t, p, nil), func(in *stsapi.AssumeRoleWithSAMLRequest) { in.SAMLAssertion = "AAAA" }},
		{"another_audience", "InvalidIdentityToken", "Response does not contain the required audience.", respond(t, p, nil, func(a *saml.Assertion) {
			a.Conditions.AudienceRestrictions[0].Audience.Value = "https://sp.example.com"
		}), nil},
		{"expired", "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance", respond(t, p, nil, func(a *saml.Assertion) { a.IssueInstant = a.IssueInstant.Add(-6 * time.Minute) }), nil},
		{"another_issuer", "InvalidIdentityToken", "Issuer not present in specified provider", respond(t, p, nil, func(a *saml.Assertion) { a.Issuer.Value = "https://other.example.com" }), nil},
		{"without_role", "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML", respond(t, p, map[string][]string{attribute + "Role": nil}), nil},
		{"role_paired_with_another_provider", "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML", respond(t, p, map[string][]string{attribute + "Role": {sso + ",arn:aws:iam::111122223333:saml-provider/else"}}), nil},
		{"without_session_name", "InvalidIdentityToken", "RoleSessionName is required in AuthnResponse", respond(t, p, map[string][]string{attribute + "RoleSessionName": nil}), nil},
		{"session_name_with_blanks", "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}", respond(t, p, map[string][]string{attribute + "RoleSessionName": {"a b"}}), nil},
		{"two_session_names", "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match", respond(t, p, map[string][]string{attribute + "RoleSessionName": {"aa", "bb"}}), nil},
		{"session_duration", "InvalidIdentityToken", "SessionDuration in AuthnResponse", respond(t, p, map[string][]string{attribute + "SessionDuration": {"60"}}), nil},
		{"session_duration_beyond_the_role's", "ValidationError", "MaxSessionDuration", respond(t, p, map[string][]string{attribute + "SessionDuration": {"43200"}}), nil},
		{"source_identity", "InvalidIdentityToken", "Source Identity must match", respond(t, p, map[string][]string{attribute + "SourceIdentity": {"aws:root"}}), nil},
		{"condition_of_the_trust_policy", "AccessDenied", "", respond(t, p, map[string][]string{"urn:oid:1.3.6.1.4.1.5923.1.1.1.1": {"student"}}), nil},
		{"unknown_provider", "InvalidIdentityToken", "Specified provider doesn't exist.", respond(t, p, nil), func(in *stsapi.AssumeRoleWithSAMLRequest) { in.PrincipalArn = corp + "2" }},
		{"provider_of_another_account", "AccessDenied", "", respond(t, p, nil), func(in *stsapi.AssumeRoleWithSAMLRequest) { in.PrincipalArn = foreign }},
		{"no_provider", "ValidationError", "is invalid", respond(t, p, nil), func(in *stsapi.AssumeRoleWithSAMLRequest) { in.PrincipalArn = sso }},
		{"bad_policy", "MalformedPolicyDocument", "", respond(t, p, nil), func(in *stsapi.AssumeRoleWithSAMLRequest) { in.Policy = new("{") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(c.in)
			}
			out, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, c.in)
			var e *aws.Error
			if out != nil || !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.message) {
				t.Errorf("got %v, want %s: %s", err, c.code, c.message)
			}
		})
	}
}

// A session is not longer than the provider's own, and what is remembered of
// assertions goes away when they would not be accepted any more.
func TestSAMLTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := federate(t, w)
		s := w.service(t, oidc.New(oidc.Options{}))
		ends := time.Now().Add(20 * time.Minute)
		out, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, respond(t, p, nil, func(a *saml.Assertion) { a.AuthnStatements[0].SessionNotOnOrAfter = &ends }))
		if err != nil || out.Credentials.Expiration.After(ends) {
			t.Fatalf("%+v, %v", out, err)
		}
		at, waits, err := s.env.Store.NextDue(t.Context())
		if err != nil || !waits || at.Before(time.Now().Add(4*time.Minute)) || at.After(time.Now().Add(10*time.Minute)) {
			t.Fatalf("forgotten at %v, %v, %v", at, waits, err)
		}
		remembered := func() (n int) {
			for e, err := range s.used.Everywhere(t.Context()) {
				if err != nil || e.Value.Until.Before(time.Now().Add(-10*time.Minute)) {
					t.Error(e, err)
				}
				n++
			}
			return n
		}
		if n := remembered(); n != 1 {
			t.Errorf("%d assertions are remembered", n)
		}
		time.Sleep(time.Until(at))
		due, err := s.env.Store.ClaimDue(t.Context(), time.Now(), time.Minute, 10)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		err = s.env.Store.Update(as(t, worker), func(ctx context.Context) error { return s.Jobs()[0].Run(ctx, due[0]) })
		if err != nil || remembered() != 0 {
			t.Errorf("%d are remembered, %v", remembered(), err)
		}
	})
}

// What an assertion or a token has fixed is found by policies, however it is written.
func TestFederatedKeysAreFoundByPolicies(t *testing.T) {
	w := newWorld()
	p := federate(t, w)
	s := w.service(t, oidc.New(oidc.Options{}))
	in := respond(t, p, map[string][]string{
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname": {"Alice"}, "urn:oid:2.5.4.45": {"x1"}, "http://schemas.xmlsoap.org/claims/CommonName": {"alice"},
	})
	out, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithSAML, in)
	if err != nil {
		t.Fatal(err)
	}
	who, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"saml:givenName": "Alice", "saml:x500UniqueIdentifier": "x1", "saml:commonName": "alice", "SAML:SUB_TYPE": "persistent"} {
		doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"`+key+`":"`+value+`"}}}]}`), policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		d := policy.Authorize(&policy.Request{Principal: who, Action: "iam:GetUser", Resource: "*"}, &policy.Policies{Identity: []*policy.Attached{{Document: doc}}})
		if !d.Allowed() {
			t.Errorf("%s is not found", key)
		}
	}
}
