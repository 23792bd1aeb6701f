// Package idp is a small SAML identity provider: it signs assertions.
package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// An IdP signs responses.
type IdP struct {
	EntityID string
	key      *ecdsa.PrivateKey
	cert     []byte // DER
}

// New makes a provider with a key and a certificate of its own. Who trusts the
// certificate does so by its bytes, so it is valid for long.
func New(entityID string) (*IdP, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Sumun"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	return &IdP{entityID, key, cert}, err
}

// Load returns the provider that Save has put into bytes.
func Load(entityID string, key, cert []byte) (*IdP, error) {
	k, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	signer, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("idp: the key is not one of an elliptic curve")
	}
	return &IdP{entityID, signer, cert}, nil
}

// Save returns the key in PKCS #8 and the certificate in DER. The key is a secret.
func (i *IdP) Save() (key, cert []byte, err error) {
	key, err = x509.MarshalPKCS8PrivateKey(i.key)
	return key, i.cert, err
}

// Certificate is the signing certificate, DER in base64.
func (i *IdP) Certificate() string { return base64.StdEncoding.EncodeToString(i.cert) }

// Metadata is what a relying party is told.
func (i *IdP) Metadata() string {
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + i.EntityID + `">` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
		`<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + i.Certificate() + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>` +
		`<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="` + i.EntityID + `"/>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="` + i.EntityID + `"/></IDPSSODescriptor></EntityDescriptor>`
}

// Login returns an assertion that subject has logged in, for audience, to be sent
// to recipient, valid for five minutes. It is not signed yet.
func (i *IdP) Login(subject, audience, recipient string, attributes map[string][]string) *saml.Assertion {
	now := time.Now().UTC()
	a := &saml.Assertion{
		ID: NewID(), Version: "2.0", IssueInstant: now, Issuer: saml.Issuer{Value: i.EntityID},
		Subject: &saml.Subject{
			NameID: &saml.NameID{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Value: subject},
			SubjectConfirmations: []saml.SubjectConfirmation{{
				Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer", SubjectConfirmationData: &saml.SubjectConfirmationData{NotOnOrAfter: now.Add(5 * time.Minute), Recipient: recipient},
			}},
		},
		Conditions: &saml.Conditions{
			NotBefore: now, NotOnOrAfter: now.Add(5 * time.Minute),
			AudienceRestrictions: []saml.AudienceRestriction{{Audience: saml.Audience{Value: audience}}},
		},
		AuthnStatements: []saml.AuthnStatement{{AuthnInstant: now, AuthnContext: saml.AuthnContext{
			AuthnContextClassRef: &saml.AuthnContextClassRef{Value: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
		}}},
	}
	var s saml.AttributeStatement
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		at := saml.Attribute{Name: name, NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"}
		for _, v := range attributes[name] {
			at.Values = append(at.Values, saml.AttributeValue{Type: "xs:string", Value: v})
		}
		s.Attributes = append(s.Attributes, at)
	}
	if len(s.Attributes) > 0 {
		a.AttributeStatements = []saml.AttributeStatement{s}
	}
	return a
}

// NewID returns an id for a message.
func NewID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return "id-" + hex.EncodeToString(b)
}

// Sign returns el with an enveloped signature in the place that the schema asks for.
func (i *IdP) Sign(el *etree.Element) (*etree.Element, error) {
	ctx, err := dsig.NewSigningContext(i.key, [][]byte{i.cert})
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(dsig.ECDSASHA256SignatureMethod); err != nil {
		return nil, err
	}
	signature, err := ctx.ConstructSignature(el, true)
	if err != nil {
		return nil, err
	}
	signed := el.Copy()
	// After Issuer. SAML 2.0 Core, 2.3.3 and 3.2.2.
	signed.InsertChildAt(1, signature)
	return signed, nil
}

// Envelope returns a response that carries el, an assertion.
func (i *IdP) Envelope(el *etree.Element) *etree.Element {
	r := saml.Response{
		ID: NewID(), Version: "2.0", IssueInstant: time.Now().UTC(), Issuer: &saml.Issuer{Value: i.EntityID},
		Status: saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}},
	}
	out := r.Element()
	if el != nil {
		out.AddChild(el)
	}
	return out
}

// Respond signs the assertion and returns the response as a browser would post it.
func (i *IdP) Respond(a *saml.Assertion) (string, error) {
	signed, err := i.Sign(a.Element())
	if err != nil {
		return "", err
	}
	return Encode(i.Envelope(signed))
}

// Encode writes a message in base64.
func Encode(el *etree.Element) (string, error) {
	doc := etree.NewDocument()
	doc.SetRoot(el)
	b, err := doc.WriteToBytes()
	if err != nil {
		return "", fmt.Errorf("write the message: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b), nil
}
