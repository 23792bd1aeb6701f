package saml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"time"

	"github.com/crewjam/saml"
)

// MaxMetadata bounds metadata in bytes. IAM API Reference, CreateSAMLProvider.
const MaxMetadata = 10_000_000

// ErrMetadata means that a text is not the metadata of an identity provider.
var ErrMetadata = errors.New("saml: not the metadata of an identity provider with a signing certificate")

// A Provider is an identity provider that somebody has decided to trust. It is
// immutable.
type Provider struct{ entity *saml.EntityDescriptor }

// Parse reads the metadata of an identity provider.
func Parse(metadata string) (*Provider, error) {
	if len(metadata) > MaxMetadata {
		return nil, fmt.Errorf("%w: it is too long", ErrMetadata)
	}
	if plain([]byte(metadata)) != nil {
		return nil, fmt.Errorf("%w: it declares a document type", ErrMetadata)
	}
	e := &saml.EntityDescriptor{}
	if err := xml.Unmarshal([]byte(metadata), e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if e.EntityID == "" || !signs(e) {
		return nil, ErrMetadata
	}
	return &Provider{e}, nil
}

func signs(e *saml.EntityDescriptor) bool {
	for _, d := range e.IDPSSODescriptors {
		for _, k := range d.KeyDescriptors {
			if (k.Use == "" || k.Use == "signing") && len(k.KeyInfo.X509Data.X509Certificates) > 0 {
				return true
			}
		}
	}
	return false
}

// EntityID names the provider: the issuer of its responses.
func (p *Provider) EntityID() string { return p.entity.EntityID }

// ValidUntil is when the metadata expires; zero: never.
func (p *Provider) ValidUntil() time.Time { return p.entity.ValidUntil }
