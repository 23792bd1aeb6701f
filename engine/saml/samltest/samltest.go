// Package samltest is a SAML identity provider for tests.
package samltest

import (
	"github.com/beevik/etree"

	"sumun.dev/engine/saml/idp"
)

// An IdP signs responses.
type IdP = idp.IdP

// New makes a provider with a key and a certificate of its own.
func New(entityID string) (*IdP, error) { return idp.New(entityID) }

// NewID returns an id for a message.
func NewID() string { return idp.NewID() }

// Encode writes a message in base64.
func Encode(el *etree.Element) (string, error) { return idp.Encode(el) }
