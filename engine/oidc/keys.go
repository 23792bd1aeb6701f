package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// How long keys are remembered. A key that is not known is asked for again, but
// not more often than strangers' tokens may make us.
const (
	lifetime   = time.Hour
	askAgain   = 30 * time.Second // for a key that the provider did not have
	failAgain  = 10 * time.Second // after the provider could not be reached
	maxSets    = 1000
	maxKeys    = 200 // IAM User Guide, "Create an OpenID Connect identity provider": 100 RSA and 100 EC keys
	maxAnswer  = 256 << 10
	maxHeader  = 64 << 10
	answerTime = 5 * time.Second
)

// A keySet is what a provider's keys were when they were last fetched.
type keySet struct {
	turn    chan struct{} // held by who reads or fetches
	keys    []jose.JSONWebKey
	fetched time.Time
	tried   time.Time
	err     error
}

// keys returns those of the provider's keys that fit.
func (v *Verifier) keys(ctx context.Context, p *Provider, fits func(*jose.JSONWebKey) bool) ([]jose.JSONWebKey, error) {
	set := v.set(p)
	select {
	case set.turn <- struct{}{}:
		defer func() { <-set.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
	now := time.Now()
	known := !set.fetched.IsZero() && now.Sub(set.fetched) < lifetime
	if known {
		if found := set.which(fits); len(found) > 0 {
			return found, nil
		}
		if now.Sub(set.tried) < askAgain {
			return nil, ErrNoKey
		}
	}
	if set.err != nil && now.Sub(set.tried) < failAgain {
		return nil, set.err
	}
	set.tried = now
	keys, err := v.fetchKeys(ctx, p)
	if set.err = err; err != nil {
		return nil, err
	}
	set.keys, set.fetched = keys, now
	if found := set.which(fits); len(found) > 0 {
		return found, nil
	}
	return nil, ErrNoKey
}

// set returns the remembered keys of p. Who trusts other certificates has other
// keys: what one account was made to believe must not reach another.
func (v *Verifier) set(p *Provider) *keySet {
	name := p.URL + "\n" + strings.Join(p.Thumbprints, "\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.known[name]
	if s == nil {
		if len(v.known) >= maxSets {
			clear(v.known)
		}
		s = &keySet{turn: make(chan struct{}, 1)}
		v.known[name] = s
	}
	return s
}

func (s *keySet) which(fits func(*jose.JSONWebKey) bool) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for i := range s.keys {
		if fits(&s.keys[i]) {
			found = append(found, s.keys[i])
		}
	}
	return found
}

// fetchKeys asks the provider where its keys are, and for them.
func (v *Verifier) fetchKeys(ctx context.Context, p *Provider) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	issuer, err := secureURL(p.URL)
	if err != nil {
		return nil, err
	}
	issuer.Path = strings.TrimSuffix(issuer.Path, "/") + "/.well-known/openid-configuration"
	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := v.fetch(ctx, issuer, p.Thumbprints, &discovery); err != nil {
		return nil, err
	}
	// OpenID Connect Discovery, 4.3.
	if discovery.Issuer != p.URL {
		return nil, fmt.Errorf("%w: its configuration is that of another issuer", ErrUnreachable)
	}
	where, err := secureURL(discovery.Keys)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := v.fetch(ctx, where, p.Thumbprints, &set); err != nil {
		return nil, err
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		// A key of a kind that is not known here is none; a private or shared one
		// must not be where everybody can read it.
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) == nil && k.Valid() && k.IsPublic() {
			keys = append(keys, k)
		}
	}
	return slices.Clip(keys), nil
}

func secureURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || len(text) > maxText {
		return nil, fmt.Errorf("%w: its address is no https URL", ErrUnreachable)
	}
	return u, nil
}
