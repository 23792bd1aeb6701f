package iam

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"io"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
)

// metadataMost is how many bytes of metadata there can be.
// IAM API Reference, CreateSAMLProvider, SAMLMetadataDocument.
const metadataMost = 10_000_000

// metadataKept is how many bytes of them a record can hold, compressed.
const metadataKept = 700 << 10

// metadataForever is how long metadata count that do not say it themselves.
const metadataForever = 100 // years

// metadata is what IAM reads of a provider's metadata: SAML 2.0 Metadata, 2.3.2
// and 2.4.3.
type metadata struct {
	XMLName    xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID   string   `xml:"entityID,attr"`
	ValidUntil string   `xml:"validUntil,attr"`
	IDP        *struct {
		Keys []struct {
			Use          string   `xml:"use,attr"`
			Certificates []string `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo>X509Data>X509Certificate"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		SignOn []struct {
			Location string `xml:"Location,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleSignOnService"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata IDPSSODescriptor"`
}

// readMetadata checks a provider's metadata and returns until when they count.
func readMetadata(document string, at time.Time) (time.Time, error) {
	wrong := iamapi.InvalidInputException.New("Could not parse metadata")
	var m metadata
	d := xml.NewDecoder(strings.NewReader(document))
	if err := d.Decode(&m); err != nil {
		return time.Time{}, wrong
	}
	if !ended(d) {
		return time.Time{}, wrong
	}
	if m.EntityID == "" || m.IDP == nil || len(m.IDP.SignOn) == 0 || !m.signs() {
		return time.Time{}, wrong
	}
	if m.ValidUntil == "" {
		return at.AddDate(metadataForever, 0, 0), nil
	}
	until, err := time.Parse(time.RFC3339, m.ValidUntil)
	if err != nil {
		return time.Time{}, wrong
	}
	if !until.After(at) {
		return time.Time{}, iamapi.InvalidInputException.New("The metadata document has expired.")
	}
	return until.UTC().Truncate(time.Second), nil
}

// ended reports whether nothing but space and comments follows.
func ended(d *xml.Decoder) bool {
	for {
		t, err := d.Token()
		if err != nil {
			return err == io.EOF
		}
		switch t := t.(type) {
		case xml.Comment:
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return false
			}
		default:
			return false
		}
	}
}

// signs reports whether there is a certificate to check signatures with, and no
// certificate that cannot be read.
func (m *metadata) signs() bool {
	some := false
	for _, k := range m.IDP.Keys {
		for _, text := range k.Certificates {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
			if err != nil {
				return false
			}
			if _, err := x509.ParseCertificate(der); err != nil {
				return false
			}
			some = some || k.Use != "encryption"
		}
	}
	return some
}

// packed compresses metadata.
func packed(document string) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, document); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() > metadataKept {
		return nil, iamapi.LimitExceededException.New("The metadata document is too large: compressed it has more than %d bytes.", metadataKept)
	}
	return b.Bytes(), nil
}

func unpacked(b []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	document, err := io.ReadAll(io.LimitReader(r, metadataMost))
	return string(document), err
}
