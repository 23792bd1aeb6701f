package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"io"
	"log"
	"net/http/httptest"
	"net/netip"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"sumun.dev/engine/oidc/oidctest"
)

// An issuer is a small identity provider on loopback.
type issuer struct {
	oidctest.Issuer
	server *httptest.Server
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{}
	i.server = httptest.NewUnstartedServer(&i.Issuer)
	i.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of refused certificates
	i.server.StartTLS()
	i.URL = i.server.URL
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) provider() *Provider { return &Provider{URL: i.URL, ClientIDs: []string{"app"}} }

// verifier knows the issuer's authority, and may go to loopback.
func (i *issuer) verifier() *Verifier {
	roots := x509.NewCertPool()
	roots.AddCert(i.server.Certificate())
	return New(Options{Roots: roots, Networks: loopback})
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return hex.EncodeToString(sum[:])
}

func (i *issuer) claims(change map[string]any) map[string]any { return oidctest.Claims(i.URL, change) }

func rsaKey(t testing.TB, id string) oidctest.Key {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return oidctest.Key{ID: id, Private: k}
}

func ecKey(t testing.TB, id string, curve elliptic.Curve) oidctest.Key {
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return oidctest.Key{ID: id, Private: k}
}

func sign(t testing.TB, k oidctest.Key, alg jose.SignatureAlgorithm, claims any, extra map[string]any) string {
	t.Helper()
	text, err := k.Sign(alg, claims, extra)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func signWith(t testing.TB, s jose.Signer, claims any) string {
	t.Helper()
	text, err := oidctest.SignWith(s, claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
