package oidc

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"sumun.dev/engine/oidc/oidctest"
)

func TestTokensAreAccepted(t *testing.T) {
	i := newIssuer(t)
	r, e256, e384, e521 := rsaKey(t, "r"), ecKey(t, "e256", elliptic.P256()), ecKey(t, "e384", elliptic.P384()), ecKey(t, "e521", elliptic.P521())
	i.Publish(r.Public(), e256.Public(), e384.Public(), e521.Public())
	v := i.verifier()
	for _, c := range []struct {
		key oidctest.Key
		alg jose.SignatureAlgorithm
	}{
		{r, jose.RS256}, {r, jose.RS384}, {r, jose.RS512}, {r, jose.PS256}, {r, jose.PS384}, {r, jose.PS512},
		{e256, jose.ES256}, {e384, jose.ES384}, {e521, jose.ES512},
	} {
		claims, err := v.Verify(t.Context(), i.provider(), sign(t, c.key, c.alg, i.claims(map[string]any{"amr": []string{"mfa", "pwd"}}), nil))
		if err != nil || claims.Subject != "alice" || claims.Audience != "app" || claims.Issuer != i.URL || fmt.Sprint(claims.AMR) != "[mfa pwd]" {
			t.Errorf("%s: %+v, %v", c.alg, claims, err)
		}
	}
	if n := i.Asked(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
	// azp says for whom the token is, whatever else may read it.
	claims, err := v.Verify(t.Context(), i.provider(), sign(t, r, jose.RS256, i.claims(map[string]any{"aud": []string{"api", "app"}, "azp": "app"}), nil))
	if err != nil || claims.Audience != "app" {
		t.Errorf("with azp: %+v, %v", claims, err)
	}
	// A single key needs no id.
	i.Publish(oidctest.Key{Private: e256.Private}.Public())
	if _, err := i.verifier().Verify(t.Context(), i.provider(), sign(t, oidctest.Key{Private: e256.Private}, jose.ES256, i.claims(nil), nil)); err != nil {
		t.Errorf("a single key without an id: %v", err)
	}
}

func TestTokensAreRefused(t *testing.T) {
	i := newIssuer(t)
	good, evil, also := rsaKey(t, "r"), rsaKey(t, "r"), rsaKey(t, "also")
	ec := ecKey(t, "e", elliptic.P256())
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := oidctest.Key{ID: "weak", Private: small}
	encrypting := rsaKey(t, "enc")
	forEncryption := encrypting.Public()
	forEncryption.Use = "enc"
	other := rsaKey(t, "pinned")
	pinned := other.Public()
	pinned.Algorithm = "RS512"
	shared := jose.JSONWebKey{Key: []byte("a shared secret that somebody published"), KeyID: "shared"}
	i.Publish(good.Public(), also.Public(), ec.Public(), weak.Public(), forEncryption, pinned, shared)
	token := sign(t, good, jose.RS256, i.claims(nil), nil)
	part := strings.Split(token, ".")
	hmac := func(secret []byte, id string) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, (&jose.SignerOptions{}).WithHeader("kid", id))
		if err != nil {
			t.Fatal(err)
		}
		return signWith(t, s, i.claims(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(good.Private.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(good.Public())
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := json.Marshal(i.claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	with := func(name string, value any) string {
		return sign(t, good, jose.RS256, i.claims(map[string]any{name: value}), nil)
	}
	header := func(name string, value any) string {
		return sign(t, good, jose.RS256, i.claims(nil), map[string]any{name: value})
	}
	for _, c := range []struct {
		name, token string
		want        error
	}{
		{"empty", "", ErrToken},
		{"no_token", "abc", ErrToken},
		{"too_long", strings.Repeat("a", maxToken) + ".b.c", ErrToken},
		{"alg_none", b64(`{"alg":"none"}`) + "." + part[1] + ".", ErrToken},
		{"alg_None", b64(`{"alg":"None","kid":"r"}`) + "." + part[1] + ".", ErrToken},
		{"alg_none_with_a_signature", b64(`{"alg":"none"}`) + "." + part[1] + "." + part[2], ErrToken},
		{"no_alg", b64(`{"kid":"r"}`) + "." + part[1] + "." + part[2], ErrToken},
		{"alg_twice", b64(`{"alg":"none","alg":"RS256","kid":"r"}`) + "." + part[1] + "." + part[2], ErrToken},
		{"public_key_as_shared_secret_der", hmac(der, "r"), ErrToken},
		{"public_key_as_shared_secret_pem", hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "r"), ErrToken},
		{"public_key_as_shared_secret_jwk", hmac(jwk, "r"), ErrToken},
		{"published_shared_secret", hmac(shared.Key.([]byte), "shared"), ErrToken},
		{"no_signature", part[0] + "." + part[1] + ".", ErrSignature},
		{"another's_signature", part[0] + "." + part[1] + "." + strings.Split(sign(t, good, jose.RS256, i.claims(map[string]any{"sub": "bob"}), nil), ".")[2], ErrSignature},
		{"changed_claims", part[0] + "." + b64(strings.Replace(string(claimed), "alice", "admin", 1)) + "." + part[2], ErrSignature},
		{"changed_algorithm", b64(`{"alg":"RS512","kid":"r"}`) + "." + part[1] + "." + part[2], ErrSignature},
		{"algorithm_of_another_kind_of_key", b64(`{"alg":"ES256","kid":"r"}`) + "." + part[1] + "." + part[2], ErrNoKey},
		{"curve_of_another_algorithm", b64(`{"alg":"ES384","kid":"e"}`) + "." + part[1] + "." + part[2], ErrNoKey},
		{"another's_key_by_the_same_id", sign(t, evil, jose.RS256, i.claims(nil), nil), ErrSignature},
		{"unknown_key", sign(t, rsaKey(t, "unknown"), jose.RS256, i.claims(nil), nil), ErrNoKey},
		{"no_key_id_among_several", sign(t, oidctest.Key{Private: good.Private}, jose.RS256, i.claims(nil), nil), ErrNoKey},
		{"weak_key", b64(`{"alg":"RS256","kid":"weak"}`) + "." + part[1] + "." + part[2], ErrNoKey},
		{"key_for_encryption", sign(t, encrypting, jose.RS256, i.claims(nil), nil), ErrNoKey},
		{"key_for_another_algorithm", sign(t, other, jose.RS256, i.claims(nil), nil), ErrNoKey},
		{"embedded_key", header("jwk", evil.Public()), ErrToken},
		{"key_from_elsewhere", header("jku", "https://evil.example.com/keys"), ErrToken},
		{"certificate_from_elsewhere", header("x5u", "https://evil.example.com/cert"), ErrToken},
		{"critical_extension", header("crit", []string{"exp"}), ErrToken},
		{"unencoded_payload", header("b64", false), ErrToken},
		{"expired", with("exp", now.Add(-time.Second).Unix()), ErrExpired},
		{"expires_now", with("exp", now.Unix()), ErrExpired},
		{"no_expiry", with("exp", nil), ErrToken},
		{"expiry_as_text", with("exp", "never"), ErrToken},
		{"expiry_beyond_dates", with("exp", 1e300), ErrToken},
		{"not_yet", with("nbf", now.Add(10*time.Minute).Unix()), ErrToken},
		{"issued_in_the_future", with("iat", now.Add(10*time.Minute).Unix()), ErrToken},
		{"no_issue_time", with("iat", nil), ErrToken},
		{"another_issuer", with("iss", "https://evil.example.com"), ErrIssuer},
		{"issuer_with_a_slash_more", with("iss", i.URL+"/"), ErrIssuer},
		{"no_issuer", with("iss", nil), ErrToken},
		{"another_audience", with("aud", "other"), ErrAudience},
		{"audience_in_another_case", with("aud", "APP"), ErrAudience},
		{"issued_to_somebody_else", with("azp", "other"), ErrAudience},
		{"several_audiences", with("aud", []string{"app", "other"}), ErrToken},
		{"no_audience", with("aud", nil), ErrToken},
		{"empty_audience", with("aud", []string{}), ErrToken},
		{"no_subject", with("sub", nil), ErrToken},
		{"subject_is_no_text", with("sub", 7), ErrToken},
		{"subject_twice", sign(t, good, jose.RS256, strings.Replace(string(claimed), `"sub"`, `"sub":"admin","sub"`, 1), nil), ErrToken},
		{"no_claims", sign(t, good, jose.RS256, `[]`, nil), ErrToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims, err := i.verifier().Verify(t.Context(), i.provider(), c.token)
			if !errors.Is(err, c.want) || claims != nil {
				t.Errorf("got %+v, %v; want %v", claims, err, c.want)
			}
		})
	}
	if _, err := i.verifier().Verify(t.Context(), &Provider{URL: i.URL}, token); !errors.Is(err, ErrAudience) {
		t.Errorf("a provider without clients: %v", err)
	}
	if got, err := Issuer(token); err != nil || got != i.URL {
		t.Errorf("the issuer is %s, %v", got, err)
	}
}

// A token is good as long as it says, and no longer, whoever shows it again.
func TestReplayAfterExpiry(t *testing.T) {
	k := ecKey(t, "k", elliptic.P256())
	synctest.Test(t, func(t *testing.T) {
		text := sign(t, k, jose.ES256, oidctest.Claims("https://idp.example.com", nil), nil)
		p := &Provider{URL: "https://idp.example.com", ClientIDs: []string{"app"}}
		v := New(Options{})
		v.set(p).keys, v.set(p).fetched = []jose.JSONWebKey{k.Public()}, time.Now()
		for range 2 {
			if _, err := v.Verify(t.Context(), p, text); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(10 * time.Minute)
		if _, err := v.Verify(t.Context(), p, text); !errors.Is(err, ErrExpired) {
			t.Errorf("after its time: %v", err)
		}
	})
}

func TestKeysRotate(t *testing.T) {
	i := newIssuer(t)
	first, second := ecKey(t, "1", elliptic.P256()), ecKey(t, "2", elliptic.P256())
	v, p := i.verifier(), i.provider()
	i.Publish(first.Public())
	if _, err := v.Verify(t.Context(), p, sign(t, first, jose.ES256, i.claims(nil), nil)); err != nil {
		t.Fatal(err)
	}
	// A new key is asked for, but strangers cannot make us ask without end.
	i.Publish(second.Public())
	next := sign(t, second, jose.ES256, i.claims(nil), nil)
	for range 3 {
		if _, err := v.Verify(t.Context(), p, next); !errors.Is(err, ErrNoKey) {
			t.Errorf("a moment later: %v", err)
		}
	}
	if n := i.Asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	v.set(p).tried = time.Now().Add(-askAgain)
	if _, err := v.Verify(t.Context(), p, next); err != nil {
		t.Errorf("later: %v", err)
	}
	if _, err := v.Verify(t.Context(), p, sign(t, first, jose.ES256, i.claims(nil), nil)); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key that the provider took back: %v", err)
	}
	// Keys are not believed for ever.
	v.set(p).fetched, v.set(p).tried = time.Now().Add(-lifetime), time.Now().Add(-lifetime)
	i.Publish()
	if _, err := v.Verify(t.Context(), p, next); !errors.Is(err, ErrNoKey) {
		t.Errorf("an hour later: %v", err)
	}
}

func TestProvidersThatCannotBeAsked(t *testing.T) {
	k := ecKey(t, "k", elliptic.P256())
	for _, c := range []struct {
		name   string
		change func(*issuer)
		want   error
	}{
		{"configuration_of_another", func(i *issuer) { i.Named = "https://other.example.com" }, ErrUnreachable},
		{"keys_without_tls", func(i *issuer) { i.KeysURL = "http://127.0.0.1/keys" }, ErrUnreachable},
		{"keys_in_a_file", func(i *issuer) { i.KeysURL = "file:///etc/passwd" }, ErrUnreachable},
		{"keys_with_a_password", func(i *issuer) { i.KeysURL = "https://user:secret@127.0.0.1/keys" }, ErrUnreachable},
		{"redirection", func(i *issuer) {
			i.Answer = func(w http.ResponseWriter) { w.Header().Set("Location", i.URL+"/keys"); w.WriteHeader(302) }
		}, ErrUnreachable},
		{"error", func(i *issuer) { i.Answer = func(w http.ResponseWriter) { w.WriteHeader(500) } }, ErrUnreachable},
		{"no_json", func(i *issuer) { i.Answer = func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") } }, ErrUnreachable},
		{"without_end", func(i *issuer) {
			i.Answer = func(w http.ResponseWriter) { fmt.Fprint(w, `{"keys":[],"pad":"`+strings.Repeat("a", maxAnswer)+`"}`) }
		}, ErrUnreachable},
		{"header_without_end", func(i *issuer) {
			i.Answer = func(w http.ResponseWriter) {
				for n := range 100 {
					w.Header().Set(fmt.Sprint("X-Pad-", n), strings.Repeat("a", 1000))
				}
				fmt.Fprint(w, `{"issuer":"`+i.URL+`","jwks_uri":"`+i.URL+`/keys"}`)
			}
		}, ErrUnreachable},
		{"no_keys", func(i *issuer) { i.Publish() }, ErrNoKey},
		{"private_keys", func(i *issuer) { i.Publish(jose.JSONWebKey{Key: k.Private, KeyID: k.ID}) }, ErrNoKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newIssuer(t)
			i.Publish(k.Public())
			c.change(i)
			v, text := i.verifier(), sign(t, k, jose.ES256, i.claims(nil), nil)
			for range 2 {
				if _, err := v.Verify(t.Context(), i.provider(), text); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			}
			if n := i.Asked(); n > 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// Only authorities that are known and certificates that were named are trusted.
func TestCertificates(t *testing.T) {
	i := newIssuer(t)
	k := ecKey(t, "k", elliptic.P256())
	i.Publish(k.Public())
	text := sign(t, k, jose.ES256, i.claims(nil), nil)
	unknown := New(Options{Roots: x509.NewCertPool(), Networks: loopback})
	if _, err := unknown.Verify(t.Context(), i.provider(), text); !errors.Is(err, ErrCertificate) {
		t.Errorf("an unknown authority: %v", err)
	}
	p := i.provider()
	p.Thumbprints = []string{strings.Repeat("0", 40), strings.ToUpper(thumbprint(i.server.Certificate()))}
	if _, err := unknown.Verify(t.Context(), p, text); err != nil {
		t.Errorf("its thumbprint: %v", err)
	}
	// What p was made to believe does not reach who has not named the thumbprint.
	if _, err := unknown.Verify(t.Context(), i.provider(), text); !errors.Is(err, ErrCertificate) {
		t.Errorf("afterwards, without the thumbprint: %v", err)
	}
	// A thumbprint vouches for a certificate, not for another host.
	if err := unknown.trusted([]*x509.Certificate{i.server.Certificate()}, "idp.test", p.Thumbprints); !errors.Is(err, ErrCertificate) {
		t.Errorf("another host: %v", err)
	}
	if err := unknown.trusted(nil, "127.0.0.1", p.Thumbprints); !errors.Is(err, ErrCertificate) {
		t.Errorf("no certificate: %v", err)
	}
}

// A provider's URL must not lead to the machines around the plane.
func TestPrivateAddressesAreNotAsked(t *testing.T) {
	i := newIssuer(t)
	k := ecKey(t, "k", elliptic.P256())
	i.Publish(k.Public())
	roots := x509.NewCertPool()
	roots.AddCert(i.server.Certificate())
	if _, err := New(Options{Roots: roots}).Verify(t.Context(), i.provider(), sign(t, k, jose.ES256, i.claims(nil), nil)); !errors.Is(err, ErrUnreachable) || i.Asked() != 0 {
		t.Errorf("loopback: %v", err)
	}
	v := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}})
	for address, allowed := range map[string]bool{
		"93.184.216.34:443": true, "[2606:2800::1]:443": true, "10.1.2.3:443": true,
		"10.2.0.1:443": false, "127.0.0.1:443": false, "169.254.169.254:80": false, "192.168.0.1:443": false, "100.64.0.1:443": false, "0.0.0.0:443": false,
		"[::1]:443": false, "[fd00::1]:443": false, "[fe80::1%eth0]:443": false, "[::ffff:169.254.169.254]:80": false, "[64:ff9b::a9fe:a9fe]:80": false,
		"224.0.0.1:443": false, "255.255.255.255:443": false, "nonsense": false,
	} {
		if err := v.options.Networks.Control("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func FuzzToken(f *testing.F) {
	k := ecKey(f, "k", elliptic.P256())
	p := &Provider{URL: "https://idp.example.com", ClientIDs: []string{"app"}}
	v := New(Options{})
	good := sign(f, k, jose.ES256, oidctest.Claims(p.URL, map[string]any{"exp": 1e10}), nil)
	f.Add(good)
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{"iss":"https://idp.example.com"}`) + ".")
	f.Fuzz(func(t *testing.T, text string) {
		set := v.set(p)
		set.keys, set.fetched, set.tried = []jose.JSONWebKey{k.Public()}, time.Now(), time.Now()
		if c, err := v.Verify(t.Context(), p, text); err == nil && (text != good || c.Subject != "alice") {
			t.Errorf("%q is believed: %+v", text, c)
		}
	})
}
