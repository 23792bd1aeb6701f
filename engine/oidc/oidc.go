// Package oidc verifies tokens of OpenID Connect providers.
//
// Read oidc.go (what is asked and answered), token.go (the checks of one token),
// keys.go (the providers' keys, remembered), fetch.go (how they are fetched).
// OpenID Connect Core 1.0, section 3.1.3.7; OpenID Connect Discovery 1.0; RFC 7515;
// RFC 8725, "JSON Web Token Best Current Practices".
package oidc

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"time"

	"sumun.dev/engine/reach"
)

// What is wrong with a token. Details follow in the error's text, which names no
// secret and may be shown to whoever sent the token.
var (
	ErrToken       = errors.New("oidc: the token is not valid")
	ErrIssuer      = errors.New("oidc: the token is another issuer's")
	ErrAudience    = errors.New("oidc: the token is meant for somebody else")
	ErrNoKey       = errors.New("oidc: the provider has no key that the token could be signed with")
	ErrSignature   = errors.New("oidc: the token's signature is wrong")
	ErrCertificate = errors.New("oidc: the provider's certificate is signed by no known authority and has none of the thumbprints")
	ErrUnreachable = errors.New("oidc: the provider cannot be reached")
)

// ErrExpired means that a token's time is over; errors.As finds *Expired, which says when.
var ErrExpired = errors.New("oidc: the token has expired")

// Expired says since when a token is not valid any more.
type Expired struct{ At time.Time }

func (e *Expired) Error() string { return ErrExpired.Error() + ": at " + e.At.Format(time.RFC3339) }

// Is reports whether target is ErrExpired.
func (e *Expired) Is(target error) bool { return target == ErrExpired }

// A Provider is an identity provider that somebody has decided to trust.
type Provider struct {
	URL         string   // the issuer, as tokens name it: "https://idp.example.com/tenant"
	ClientIDs   []string // audiences that are accepted; none: no token is
	Thumbprints []string // SHA-1 of certificates that are trusted besides the known authorities, in hexadecimal
}

// Options are a verifier's. The zero Options reach public addresses only, by the
// system's authorities.
type Options struct {
	Roots    *x509.CertPool // authorities of the providers' certificates; nil: the system's
	Networks reach.Networks // addresses beyond the public ones where providers may be

	// Dial, when set, makes the connections, and answers for where they lead.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Verifier verifies tokens, and remembers the providers' keys. It is safe for
// concurrent use.
type Verifier struct {
	options Options

	mu    sync.Mutex
	known map[string]*keySet
}

// New returns a verifier that knows no keys yet.
func New(o Options) *Verifier { return &Verifier{options: o, known: map[string]*keySet{}} }

// Claims are what a verified token says.
type Claims struct {
	Issuer, Subject string
	Audience        string // azp when the token has it, else its one aud
	AMR             []string
	Issued, Expires time.Time

	All map[string]json.RawMessage // each claim, as JSON
}

// Verify checks that token was signed by p, for one of its clients, and is valid
// now. It fetches the provider's keys when it does not know the one that is named.
func (v *Verifier) Verify(ctx context.Context, p *Provider, token string) (*Claims, error) {
	t, err := parse(token)
	if err != nil {
		return nil, err
	}
	if err := t.check(p, time.Now()); err != nil {
		return nil, err
	}
	keys, err := v.keys(ctx, p, t.fits)
	if err != nil {
		return nil, err
	}
	if err := t.verify(keys); err != nil {
		return nil, err
	}
	return &t.claims, nil
}

// Issuer returns whom token names as its issuer. Nothing is verified: it serves
// to find the provider that is to verify it.
func Issuer(token string) (string, error) {
	t, err := parse(token)
	if err != nil {
		return "", err
	}
	return t.claims.Issuer, nil
}
