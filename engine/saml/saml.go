// Package saml verifies responses of SAML 2.0 identity providers.
//
// The signature, its canonical form and what it covers are checked by
// github.com/crewjam/saml on github.com/russellhaering/goxmldsig; this package says
// what is accepted. What is read is only what a signature covers, so that an
// assertion wrapped around a signed one is not believed.
// SAML 2.0 Core; SAML 2.0 Profiles, section 4.1.4.3.
package saml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crewjam/saml"
)

// What is wrong with a response. Details follow in the error's text.
var (
	ErrMalformed  = errors.New("saml: the response is not one that can be read")
	ErrSignature  = errors.New("saml: the response is not signed by the provider")
	ErrIssuer     = errors.New("saml: the response is another issuer's")
	ErrAudience   = errors.New("saml: the response is meant for another audience")
	ErrRecipient  = errors.New("saml: the response was sent to somewhere else")
	ErrExpired    = errors.New("saml: the response has expired")
	ErrNotYet     = errors.New("saml: the response is not valid yet")
	ErrRequest    = errors.New("saml: the response answers no request of ours")
	ErrStatus     = errors.New("saml: the provider reports that the login failed")
	ErrIncomplete = errors.New("saml: the response lacks what a login needs")
)

// Bounds.
const (
	MaxResponse = 100_000         // characters of base64. STS API Reference, AssumeRoleWithSAML
	redeemTime  = 5 * time.Minute // after its issue within which a response is accepted. IAM User Guide, "Configure SAML assertions"
	maxValues   = 1000            // of all attributes
)

// Expected is what a response must say about whom it is for.
type Expected struct {
	Audiences  []string // one of which each audience restriction names
	Recipients []string // to one of which it was sent

	// Requests are the ids of the requests that it may answer. Nil: whether it
	// answers one is not asked, as with logins that begin at the provider.
	Requests []string
}

// An Assertion is what the provider has signed.
type Assertion struct {
	ID            string    // to be accepted once
	Until         time.Time // from when on it would not be accepted any more
	Issuer        string
	Subject       string
	SubjectFormat string // "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	Audience      string // the first that the restrictions name
	Recipient     string
	Issued        time.Time
	SessionEnds   time.Time           // SessionNotOnOrAfter; zero when not given
	Attributes    map[string][]string // by Name
}

// Verify decodes a response, as browsers post it, and checks that p has signed it
// for e, and that it is valid now. Whether it was seen before is for the caller to
// know: remember ID until Until.
func (p *Provider) Verify(response string, e Expected) (*Assertion, error) {
	if len(response) > MaxResponse {
		return nil, fmt.Errorf("%w: it is too long", ErrMalformed)
	}
	text, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "", " ", "").Replace(response))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base64", ErrMalformed)
	}
	if err := plain(text); err != nil {
		return nil, err
	}
	recipient, err := recipientOf(text, e.Recipients)
	if err != nil {
		return nil, err
	}
	limits()
	sp := saml.ServiceProvider{
		EntityID: e.Audiences[0], AcsURL: *recipient, IDPMetadata: p.entity,
		AllowIDPInitiated: true, ValidateRequestID: e.answers, ValidateAudienceRestriction: e.meets,
		RejectSHA1Signatures: true, RejectUnknownConditions: true, RejectExpiredIDPMetadata: true,
		// IAM does not look at the expiry of certificates in metadata. IAM User Guide,
		// "Create a SAML identity provider in IAM".
		IgnoreCertificateExpiry: true,
	}
	seen := &once{}
	sp.ReplayCache = seen
	a, err := sp.ParseXMLResponse(text, e.Requests, *recipient)
	if err != nil {
		return nil, reason(err)
	}
	return shown(a, seen.until, recipient.String())
}

// limits sets the library's one bound that is no field of a service provider.
var limits = sync.OnceFunc(func() { saml.MaxIssueDelay = redeemTime })

// once learns until when the library would accept the assertion.
type once struct{ until time.Time }

func (o *once) Consume(_ string, until time.Time) error {
	o.until = until
	return nil
}

// plain refuses what no SAML message holds, and attacks on XML readers do: a
// document type with entities, and text in an encoding that others read differently.
func plain(text []byte) error {
	s := string(text)
	if strings.Contains(s, "<!DOCTYPE") || strings.Contains(s, "<!ENTITY") || strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
		return fmt.Errorf("%w: it declares a document type", ErrMalformed)
	}
	return nil
}

// recipientOf returns the recipient to hold the response to: the one that its text
// mentions. That the signed assertion names it is checked later.
func recipientOf(text []byte, recipients []string) (*url.URL, error) {
	chosen := ""
	for _, r := range recipients {
		if chosen == "" || strings.Contains(string(text), `Recipient="`+r+`"`) {
			chosen = r
		}
	}
	u, err := url.Parse(chosen)
	if err != nil || chosen == "" {
		return nil, fmt.Errorf("saml: the recipient %q is no URL", chosen)
	}
	return u, nil
}

func (e Expected) answers(r saml.Response, _ []string) error {
	if e.Requests == nil {
		return nil
	}
	for _, id := range e.Requests {
		if id != "" && r.InResponseTo == id {
			return nil
		}
	}
	return ErrRequest
}

// meets checks that there are audience restrictions and that each can be met.
func (e Expected) meets(a *saml.Assertion) error {
	if len(a.Conditions.AudienceRestrictions) == 0 {
		return ErrAudience
	}
	for i := range a.Conditions.AudienceRestrictions {
		if e.audience(&a.Conditions.AudienceRestrictions[i]) == "" {
			return ErrAudience
		}
	}
	return nil
}

func (e Expected) audience(r *saml.AudienceRestriction) string {
	for _, a := range r.AllAudiences() {
		for _, want := range e.Audiences {
			if a.Value == want {
				return want
			}
		}
	}
	return ""
}

// reason says in our words what the library found.
func reason(err error) error {
	var invalid *saml.InvalidResponseError
	if errors.As(err, &invalid) {
		err = invalid.PrivateErr
	}
	var status saml.ErrBadStatus
	if errors.As(err, &status) {
		return ErrStatus
	}
	for _, c := range []struct{ theirs, ours error }{
		{ErrRequest, ErrRequest}, {saml.ErrRequestIDMismatch, ErrRequest},
		{saml.ErrInvalidSignature, ErrSignature}, {saml.ErrIssuerMismatch, ErrIssuer}, {saml.ErrAudienceMismatch, ErrAudience},
		{saml.ErrDestinationMismatch, ErrRecipient}, {saml.ErrExpired, ErrExpired}, {saml.ErrNotYetValid, ErrNotYet}, {saml.ErrMissingElement, ErrIncomplete},
	} {
		if errors.Is(err, c.theirs) {
			return fmt.Errorf("%w: %w", c.ours, err)
		}
	}
	if err != nil && err.Error() == "signature element not present" {
		return fmt.Errorf("%w: it has no signature", ErrSignature)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

func shown(a *saml.Assertion, until time.Time, recipient string) (*Assertion, error) {
	out := &Assertion{ID: a.ID, Until: until, Recipient: recipient, Issuer: a.Issuer.Value, Issued: a.IssueInstant, Attributes: map[string][]string{}}
	if a.Subject == nil || a.Subject.NameID == nil || a.Subject.NameID.Value == "" {
		return nil, fmt.Errorf("%w: a subject", ErrIncomplete)
	}
	out.Subject, out.SubjectFormat = strings.TrimSpace(a.Subject.NameID.Value), a.Subject.NameID.Format
	for _, r := range a.Conditions.AudienceRestrictions {
		if all := r.AllAudiences(); out.Audience == "" && len(all) > 0 {
			out.Audience = all[0].Value
		}
	}
	for _, s := range a.AuthnStatements {
		if end := s.SessionNotOnOrAfter; end != nil && (out.SessionEnds.IsZero() || end.Before(out.SessionEnds)) {
			out.SessionEnds = *end
		}
	}
	n := 0
	for _, s := range a.AttributeStatements {
		for _, attribute := range s.Attributes {
			for _, v := range attribute.Values {
				if n++; n > maxValues {
					return nil, fmt.Errorf("%w: it has more than %d attribute values", ErrMalformed, maxValues)
				}
				out.Attributes[attribute.Name] = append(out.Attributes[attribute.Name], strings.TrimSpace(v.Value))
			}
		}
	}
	return out, nil
}
