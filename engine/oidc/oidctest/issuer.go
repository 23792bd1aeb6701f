// Package oidctest is a small OpenID Connect provider, for tests and rehearsals.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// An Issuer serves its configuration and public keys, and signs tokens. Its fields
// are set before it is served.
type Issuer struct {
	URL     string                    // as tokens name it
	KeysURL string                    // where the configuration says that the keys are; empty: below URL
	Named   string                    // the issuer in the configuration; empty: URL
	Answer  func(http.ResponseWriter) // instead of the keys

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	asked int
}

// Publish replaces the public keys.
func (i *Issuer) Publish(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// Asked returns how often the keys were asked for.
func (i *Issuer) Asked() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

// ServeHTTP serves what OpenID Connect Discovery 1.0 asks of a provider.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": first(i.Named, i.URL), "jwks_uri": first(i.KeysURL, i.URL+"/keys")})
	case strings.HasSuffix(r.URL.Path, "/keys"):
		i.asked++
		if i.Answer != nil {
			i.Answer(w)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": i.keys})
	default:
		http.NotFound(w, r)
	}
}

func first(s ...string) string {
	for _, s := range s {
		if s != "" {
			return s
		}
	}
	return ""
}

// A Key signs tokens under an id.
type Key struct {
	ID      string
	Private crypto.Signer
}

// NewKey makes a key for ES256.
func NewKey(id string) (Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return Key{id, k}, err
}

// Public is what the provider publishes of the key.
func (k Key) Public() jose.JSONWebKey { return jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID} }

// Claims returns those of a good token of url but for change; a nil takes one away.
func Claims(url string, change map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": url, "sub": "alice", "aud": "app", "iat": now, "exp": now + 600}
	maps.Copy(c, change)
	for name, v := range c {
		if v == nil {
			delete(c, name)
		}
	}
	return c
}

// Token makes a token in the usual form.
func (k Key) Token(claims any) (string, error) { return k.Sign(jose.ES256, claims, nil) }

// Sign makes a token: claims are a JSON text or what becomes one; extra are further
// members of its header.
func (k Key) Sign(alg jose.SignatureAlgorithm, claims any, extra map[string]any) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if k.ID != "" {
		options.WithHeader("kid", k.ID)
	}
	for name, v := range extra {
		options.WithHeader(jose.HeaderKey(name), v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k.Private}, options)
	if err != nil {
		return "", err
	}
	return SignWith(s, claims)
}

// SignWith makes a token with any signer.
func SignWith(s jose.Signer, claims any) (string, error) {
	payload, isText := claims.(string)
	if !isText {
		b, err := json.Marshal(claims)
		if err != nil {
			return "", err
		}
		payload = string(b)
	}
	signed, err := s.Sign([]byte(payload))
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
