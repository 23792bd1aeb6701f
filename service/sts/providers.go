package sts

import (
	"context"
	"errors"
	"sync"

	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/engine/saml"
)

// Providers knows the identity providers that accounts trust.
type Providers interface {
	// OIDC returns the OpenID Connect provider with this ARN; ErrNoProvider when there is none.
	OIDC(ctx context.Context, arn aws.ARN) (*oidc.Provider, error)
	// SAML returns the metadata of the SAML provider with this ARN; ErrNoProvider when there is none.
	SAML(ctx context.Context, arn aws.ARN) (string, error)
}

// ErrNoProvider means that no identity provider has this ARN.
var ErrNoProvider = errors.New("sts: no identity provider has this ARN")

// parsed remembers SAML metadata that was read. It is bounded in bytes; a full one
// is begun anew.
type parsed struct {
	mu    sync.Mutex
	known map[string]*saml.Provider
	bytes int
}

const maxParsed = 32 << 20

func (p *parsed) get(metadata string) (*saml.Provider, error) {
	p.mu.Lock()
	known := p.known[metadata]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	// Nobody waits for the reading of another provider's ten megabytes.
	provider, err := saml.Parse(metadata)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.known[metadata]; first != nil {
		return first, nil
	}
	if p.known == nil || p.bytes+len(metadata) > maxParsed {
		p.known, p.bytes = map[string]*saml.Provider{}, 0
	}
	p.known[metadata] = provider
	p.bytes += len(metadata)
	return provider, nil
}
