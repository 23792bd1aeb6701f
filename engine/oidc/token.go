package oidc

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	strict "github.com/go-json-experiment/json"
)

// Bounds of tokens.
const (
	maxToken     = 20_000 // characters. STS API Reference, AssumeRoleWithWebIdentity
	maxText      = 2048   // of a claim that is shown to others
	maxAudiences = 100
	skew         = 5 * time.Minute // by which the provider's clock may be ahead
	minRSA       = 2048            // bits. RFC 7518, 3.3
)

// algorithms are those with a key pair. "none" says that there is no signature; HS256
// and its like would take the public key for a shared secret (RFC 8725, 2.1 and 3.1).
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512,
}

// A token is one taken apart. Until verify has returned nil, everything in it is
// only claimed.
type token struct {
	signed    *jose.JSONWebSignature
	algorithm jose.SignatureAlgorithm
	keyID     string
	audiences []string
	notBefore time.Time
	claims    Claims
}

// header holds the members of a JOSE header that make a difference. A token that
// brings its own key, or says where to get it, is refused: only the provider's keys
// count. So is one whose meaning depends on extensions (RFC 7515, 4.1.11).
type header struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Critical  json.RawMessage `json:"crit"`
	Key       json.RawMessage `json:"jwk"`
	KeyURL    json.RawMessage `json:"jku"`
	CertURL   json.RawMessage `json:"x5u"`
	Zip       json.RawMessage `json:"zip"`
	Unencoded json.RawMessage `json:"b64"`
}

func parse(text string) (*token, error) {
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return nil, wrong("it has not the form of a signed JWT")
	}
	first, _, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(first)
	var h header
	if err != nil || strict.Unmarshal(raw, &h) != nil {
		return nil, wrong("its header is not readable")
	}
	if h.Critical != nil || h.Key != nil || h.KeyURL != nil || h.CertURL != nil || h.Zip != nil || h.Unencoded != nil {
		return nil, wrong("its header has members that are not accepted")
	}
	if !slices.Contains(algorithms, jose.SignatureAlgorithm(h.Algorithm)) {
		return nil, wrong("its algorithm is not accepted")
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return nil, wrong("it has not the form of a signed JWT")
	}
	t := &token{signed: signed, algorithm: jose.SignatureAlgorithm(h.Algorithm), keyID: h.KeyID}
	return t, t.read(signed.UnsafePayloadWithoutVerification())
}

// read takes the claims apart. Duplicate members are errors: two readers could
// believe two of them.
func (t *token) read(payload []byte) error {
	c := &t.claims
	if strict.Unmarshal(payload, &c.All) != nil {
		return wrong("its claims are not readable")
	}
	var authorized string
	for _, member := range []struct {
		name string
		into *string
	}{{"iss", &c.Issuer}, {"sub", &c.Subject}, {"azp", &authorized}} {
		if raw, given := c.All[member.name]; given && json.Unmarshal(raw, member.into) != nil || len(*member.into) > maxText {
			return wrong("its " + member.name + " is not a text")
		}
	}
	var err error
	if t.audiences, err = texts(c.All["aud"]); err != nil {
		return wrong("its aud is neither a text nor a list of them")
	}
	if c.AMR, err = texts(c.All["amr"]); err != nil {
		return wrong("its amr is neither a text nor a list of them")
	}
	for _, member := range []struct {
		name string
		into *time.Time
	}{{"exp", &c.Expires}, {"iat", &c.Issued}, {"nbf", &t.notBefore}} {
		if *member.into, err = date(c.All[member.name]); err != nil {
			return wrong("its " + member.name + " is not a date")
		}
	}
	for name, missing := range map[string]bool{"iss": c.Issuer == "", "sub": c.Subject == "", "aud": len(t.audiences) == 0, "exp": c.Expires.IsZero(), "iat": c.Issued.IsZero()} {
		if missing {
			return wrong("it lacks the claim " + name)
		}
	}
	// OpenID Connect Core, 2: azp is the client to whom the token was issued.
	c.Audience = authorized
	if authorized == "" {
		if len(t.audiences) > 1 {
			return wrong("it has several audiences and no azp")
		}
		c.Audience = t.audiences[0]
	}
	return nil
}

// texts reads a text or a list of texts.
func texts(raw json.RawMessage) ([]string, error) {
	if raw == nil {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return nil, err
	}
	if len(many) > maxAudiences || slices.ContainsFunc(many, func(s string) bool { return len(s) > maxText }) {
		return nil, ErrToken
	}
	return many, nil
}

// date reads seconds since 1970, with or without a fraction.
func date(raw json.RawMessage) (time.Time, error) {
	if raw == nil {
		return time.Time{}, nil
	}
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil {
		return time.Time{}, err
	}
	if math.IsNaN(seconds) || seconds < 0 || seconds > 1e11 {
		return time.Time{}, ErrToken
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC(), nil
}

// check compares what the token claims with what p accepts at now.
func (t *token) check(p *Provider, now time.Time) error {
	c := &t.claims
	switch {
	case c.Issuer != p.URL:
		return fmt.Errorf("%w: %s", ErrIssuer, c.Issuer)
	case !slices.Contains(p.ClientIDs, c.Audience):
		return ErrAudience
	case !now.Before(c.Expires):
		return &Expired{c.Expires}
	case t.notBefore.After(now.Add(skew)):
		return wrong("it is not valid yet")
	case c.Issued.After(now.Add(skew)):
		return wrong("it was issued in the future")
	}
	return nil
}

// fits reports whether k may have signed the token: by its id, its use and its kind.
func (t *token) fits(k *jose.JSONWebKey) bool {
	if t.keyID != "" && k.KeyID != t.keyID || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != string(t.algorithm) {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return t.algorithm[0] != 'E' && key.N.BitLen() >= minRSA
	case *ecdsa.PublicKey:
		return t.algorithm == map[int]jose.SignatureAlgorithm{256: jose.ES256, 384: jose.ES384, 521: jose.ES512}[key.Curve.Params().BitSize]
	}
	return false
}

// verify checks the signature. A token without a key id is only accepted while the
// provider has one key that fits (OpenID Connect Core, 10.1).
func (t *token) verify(keys []jose.JSONWebKey) error {
	if t.keyID == "" && len(keys) > 1 {
		return fmt.Errorf("%w: it names none of them", ErrNoKey)
	}
	for i := range keys {
		if _, err := t.signed.Verify(keys[i].Key); err == nil {
			return nil
		}
	}
	return ErrSignature
}

func wrong(what string) error { return fmt.Errorf("%w: %s", ErrToken, what) }
