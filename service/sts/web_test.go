package sts

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/engine/oidc/oidctest"
)

// An idp is an OpenID Connect provider on loopback that the account trusts.
type idp struct {
	oidctest.Issuer
	key      oidctest.Key
	verifier *oidc.Verifier
}

func newIDP(t testing.TB, w *world) *idp {
	key, err := oidctest.NewKey("k1")
	if err != nil {
		t.Fatal(err)
	}
	i := &idp{key: key}
	server := httptest.NewTLSServer(&i.Issuer)
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.Publish(key.Public())
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	i.verifier = oidc.New(oidc.Options{Roots: roots, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	w.tokens[i.arn()] = &oidc.Provider{URL: i.URL, ClientIDs: []string{"app", "other-app"}}
	role := aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/web"}
	w.roles[role] = &Role{ARN: role, ID: "AROAWEB", Name: "web", MaxSession: 2 * defaultSession, Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + i.arn() + `"},
		"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"` + i.host() + `:aud":"app"},"StringLike":{"` + i.host() + `:sub":"repo:team/*"}}}]}`}
	return i
}

func (i *idp) host() string { return strings.TrimPrefix(i.URL, "https://") }

func (i *idp) arn() string { return "arn:aws:iam::111122223333:oidc-provider/" + i.host() }

func (i *idp) token(t testing.TB, change map[string]any) string {
	t.Helper()
	claims := oidctest.Claims(i.URL, map[string]any{"sub": "repo:team/app"})
	for name, v := range change {
		claims[name] = v
	}
	text, err := i.key.Sign(jose.ES256, claims, nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func web(token string) *stsapi.AssumeRoleWithWebIdentityRequest {
	return &stsapi.AssumeRoleWithWebIdentityRequest{RoleArn: "arn:aws:iam::111122223333:role/web", RoleSessionName: "ci", WebIdentityToken: token}
}

func TestWebIdentity(t *testing.T) {
	w := newWorld()
	i := newIDP(t, w)
	s := w.service(t, i.verifier)
	token := i.token(t, map[string]any{
		"amr":                                 []string{"mfa"},
		tagsClaim:                             map[string]any{"principal_tags": map[string][]string{"team": {"blue"}}, "transitive_tag_keys": []string{"team"}},
		tagsClaim + "/principal_tags/project": []string{"x"},
		sourceClaim:                           "alice",
	})
	out, touches, err := call(t, s, nobody, &stsapi.AssumeRoleWithWebIdentity, web(token))
	if err != nil {
		t.Fatal(err)
	}
	if *out.Provider != i.arn() || *out.Audience != "app" || *out.SubjectFromWebIdentityToken != "repo:team/app" || *out.SourceIdentity != "alice" ||
		out.AssumedRoleUser.Arn != "arn:aws:sts::111122223333:assumed-role/web/ci" {
		t.Errorf("answered %+v", out)
	}
	var actions []string
	for _, touch := range touches {
		actions = append(actions, touch.Action)
	}
	if fmt.Sprint(actions) != "[sts:AssumeRoleWithWebIdentity sts:TagSession sts:SetSourceIdentity]" {
		t.Errorf("touched %s", actions)
	}
	if p := touches[0].Principal; p.Kind != aws.WebIdentity || p.Account != account || p.ID != i.host()+":app:repo:team/app" || p.Name != i.arn() || p.Subject != "repo:team/app" {
		t.Errorf("who asks is %+v", p)
	}
	p, _, err := s.Temporary(out.Credentials.AccessKeyId, out.Credentials.SessionToken)
	if err != nil || p.Session.Provider != i.arn() || p.Session.SourceID != "alice" || fmt.Sprint(p.Tags) != "map[project:x team:blue]" || fmt.Sprint(p.Session.Transitive) != "[team]" ||
		!slices.Equal(p.Session.Facts[i.host()+":sub"], []string{"repo:team/app"}) || !slices.Equal(p.Session.Facts[i.host()+":amr"], []string{"mfa"}) {
		t.Errorf("the session is %+v, %+v, %v", p, p.Session, err)
	}
	// A token is good until it expires, as SDKs that renew their session show it again.
	if _, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithWebIdentity, web(token)); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestWebIdentityIsRefused(t *testing.T) {
	w := newWorld()
	i := newIDP(t, w)
	s := w.service(t, i.verifier)
	good := i.token(t, nil)
	elsewhere := aws.ARN{Partition: "aws", Service: "iam", Account: other, Resource: "role/web"}
	w.roles[elsewhere] = w.roles[aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/web"}]
	with := func(name string, v any) *stsapi.AssumeRoleWithWebIdentityRequest {
		return web(i.token(t, map[string]any{name: v}))
	}
	for _, c := range []struct {
		name, code, message string
		in                  *stsapi.AssumeRoleWithWebIdentityRequest
	}{
		{"no_token", "InvalidIdentityToken", "The ID Token provided is not a valid JWT", web("nonsense")},
		{"alg_none", "InvalidIdentityToken", "algorithm is not accepted", web("eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".")},
		{"changed", "InvalidIdentityToken", "signature is wrong", web(good[:len(good)-8] + "AAAAAAAA")},
		{"expired", "ExpiredTokenException", "must be before the expiration date/time 1000000000", with("exp", 1_000_000_000)},
		{"unknown_issuer", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://elsewhere.example.com", with("iss", "https://elsewhere.example.com")},
		{"issuer_without_tls", "InvalidIdentityToken", "No OpenIDConnect provider found", with("iss", "http://"+i.host())},
		{"wrong_audience", "InvalidIdentityToken", "Incorrect token audience", with("aud", "stranger")},
		{"audience_that_the_role_does_not_trust", "AccessDenied", "", with("aud", "other-app")},
		{"subject_that_the_role_does_not_trust", "AccessDenied", "", with("sub", "repo:others/app")},
		{"role_that_is_not_there", "AccessDenied", "", func() *stsapi.AssumeRoleWithWebIdentityRequest {
			in := web(good)
			in.RoleArn = "arn:aws:iam::111122223333:role/none"
			return in
		}()},
		{"role_that_trusts_others", "AccessDenied", "", func() *stsapi.AssumeRoleWithWebIdentityRequest {
			in := web(good)
			in.RoleArn = "arn:aws:iam::111122223333:role/ci/deploy"
			return in
		}()},
		{"role_of_an_account_that_has_not_the_provider", "InvalidIdentityToken", "No OpenIDConnect provider found", func() *stsapi.AssumeRoleWithWebIdentityRequest {
			in := web(good)
			in.RoleArn = elsewhere.String()
			return in
		}()},
		{"oauth", "UnsupportedOperation", "ProviderId", func() *stsapi.AssumeRoleWithWebIdentityRequest {
			in := web(good)
			in.ProviderId = new("graph.facebook.com")
			return in
		}()},
		{"too_long", "ValidationError", "MaxSessionDuration", func() *stsapi.AssumeRoleWithWebIdentityRequest {
			in := web(good)
			in.DurationSeconds = new(int32(7201))
			return in
		}()},
		{"tag_with_two_values", "InvalidIdentityToken", tagsClaim, with(tagsClaim, map[string]any{"principal_tags": map[string][]string{"team": {"a", "b"}}})},
		{"tag_in_hiding", "InvalidIdentityToken", "is not valid", with(tagsClaim, map[string]any{"principal_tags": map[string][]string{"team": {"a\x00"}}})},
		{"reserved_tag", "ValidationError", "aws:", with(tagsClaim, map[string]any{"principal_tags": map[string][]string{"aws:team": {"a"}}})},
		{"tags_are_no_tags", "InvalidIdentityToken", tagsClaim, with(tagsClaim, "blue")},
		{"source_identity_with_blanks", "InvalidIdentityToken", "Source Identity must match", with(sourceClaim, "a b")},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, err := call(t, s, nobody, &stsapi.AssumeRoleWithWebIdentity, c.in)
			var e *aws.Error
			if out != nil || !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.message) {
				t.Errorf("got %v, want %s: %s", err, c.code, c.message)
			}
		})
	}
	i.Publish()
	w.tokens[i.arn()].Thumbprints = []string{strings.Repeat("0", 40)} // other keys are known than before
	for name, service := range map[string]*Service{"InvalidIdentityToken: Couldn't retrieve verification key": s, "IDPCommunicationError": w.service(t, oidc.New(oidc.Options{}))} {
		if _, _, err := call(t, service, nobody, &stsapi.AssumeRoleWithWebIdentity, web(good)); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
