package iam

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// certified returns a self-signed certificate and its key.
func certified(t testing.TB, name string, from, until time.Time) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// describing returns metadata of an identity provider; more goes into its element.
func describing(t testing.TB, more string) string {
	t.Helper()
	der, _ := certified(t, "idp", time.Now(), time.Now().AddDate(1, 0, 0))
	return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml"` + more + `>
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(der) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>` + strings.Repeat(" ", 300)
}

func TestOIDCProviderURLs(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ url, arn string }{
		{"https://token.example.com", "oidc-provider/token.example.com"},
		{"https://Token.Example.com/Realms/x", "oidc-provider/token.example.com/Realms/x"},
	} {
		out := must(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: c.url})
		if got := *out.OpenIDConnectProviderArn; got != "arn:aws:iam::111122223333:"+c.arn {
			t.Errorf("%s is %s", c.url, got)
		}
	}
	for _, url := range []string{"http://a.example.com", "https://a.example.com:8443", "https://a.example.com?x=1", "https://a.example.com#x", "https://u@a.example.com", "https://", "a.example.com", "HTTPS://a.example.com", "https://*.example.com"} {
		refused(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: url}, "ValidationError", "Invalid Open ID Connect Provider URL")
	}
	refused(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://TOKEN.example.com"}, "EntityAlreadyExists", "Provider with url https://token.example.com already exists.")
	// What is touched is what is made, whatever the case in which it is asked for.
	touch := w.touched(&iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://EVIL.example.com"})[0]
	if touch.Resource.Resource != "oidc-provider/evil.example.com" {
		t.Errorf("touches %s", touch.Resource)
	}
}

func TestOIDCProviderLimits(t *testing.T) {
	w := newWorld(t)
	many := make([]string, clientIDsMost+1)
	for i := range many {
		many[i] = fmt.Sprint("client", i)
	}
	refused(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://a.example.com", ClientIDList: many}, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
	arn := *must(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://a.example.com", ClientIDList: many[1:]}).OpenIDConnectProviderArn
	must(w, &iamapi.AddClientIDToOpenIDConnectProvider, &iamapi.AddClientIDToOpenIDConnectProviderRequest{OpenIDConnectProviderArn: arn, ClientID: many[1]})
	refused(w, &iamapi.AddClientIDToOpenIDConnectProvider, &iamapi.AddClientIDToOpenIDConnectProviderRequest{OpenIDConnectProviderArn: arn, ClientID: "one more"}, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
	must(w, &iamapi.RemoveClientIDFromOpenIDConnectProvider, &iamapi.RemoveClientIDFromOpenIDConnectProviderRequest{OpenIDConnectProviderArn: arn, ClientID: many[1]})
	must(w, &iamapi.RemoveClientIDFromOpenIDConnectProvider, &iamapi.RemoveClientIDFromOpenIDConnectProviderRequest{OpenIDConnectProviderArn: arn, ClientID: "not there"})
	print := strings.Repeat("a0", 20)
	refused(w, &iamapi.UpdateOpenIDConnectProviderThumbprint, &iamapi.UpdateOpenIDConnectProviderThumbprintRequest{OpenIDConnectProviderArn: arn, ThumbprintList: []string{print, print, print, print, print, print}}, "InvalidInput", "Thumbprint list must contain fewer than 5 entries.")
	refused(w, &iamapi.UpdateOpenIDConnectProviderThumbprint, &iamapi.UpdateOpenIDConnectProviderThumbprintRequest{OpenIDConnectProviderArn: arn, ThumbprintList: []string{strings.Repeat("g", 40)}}, "InvalidInput", "Thumbprint must contain only hexadecimal characters.")
	must(w, &iamapi.UpdateOpenIDConnectProviderThumbprint, &iamapi.UpdateOpenIDConnectProviderThumbprintRequest{OpenIDConnectProviderArn: arn, ThumbprintList: []string{print}})
	at, _ := aws.ParseARN(arn)
	p, err := w.service.OIDCProviderOf(t.Context(), at)
	if err != nil || p.URL != "https://a.example.com" || len(p.ClientIDs) != 99 || fmt.Sprint(p.Thumbprints) != "["+print+"]" {
		t.Errorf("STS is told %+v, %v", p, err)
	}
	must(w, &iamapi.DeleteOpenIDConnectProvider, &iamapi.DeleteOpenIDConnectProviderRequest{OpenIDConnectProviderArn: arn})
	must(w, &iamapi.DeleteOpenIDConnectProvider, &iamapi.DeleteOpenIDConnectProviderRequest{OpenIDConnectProviderArn: arn})
	if _, err := w.service.OIDCProviderOf(t.Context(), at); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after its end STS is told %v", err)
	}
}

func TestSAMLMetadataIsRead(t *testing.T) {
	w := newWorld(t)
	good := describing(t, "")
	const wrong = "Could not parse metadata"
	for name, c := range map[string]struct{ document, want string }{
		"no_xml":           {strings.Repeat("x", 1000), wrong},
		"cut_off":          {good[:len(good)-400], wrong},
		"another_element":  {strings.ReplaceAll(good, "EntityDescriptor", "EntitiesDescriptor"), wrong},
		"another_space":    {strings.ReplaceAll(good, "2.0:metadata", "1.1:metadata"), wrong},
		"no_entity":        {strings.Replace(good, ` entityID="https://idp.example.com/saml"`, "", 1), wrong},
		"no_sign_on":       {strings.Replace(good, "SingleSignOnService", "SingleLogoutService", 1), wrong},
		"encrypts_only":    {strings.Replace(good, `use="signing"`, `use="encryption"`, 1), wrong},
		"bad_certificate":  {strings.Replace(good, "X509Certificate>MII", "X509Certificate>AAA", 1), wrong},
		"two_documents":    {good + good, wrong},
		"text_behind":      {good + "x", wrong},
		"expired":          {describing(t, ` validUntil="2020-01-01T00:00:00Z"`), "The metadata document has expired."},
		"bad_date":         {describing(t, ` validUntil="soon"`), wrong},
		"unknown_entities": {strings.Replace(good, "https://idp.example.com/sso", "&xxe;", 1), wrong},
	} {
		t.Run(name, func(t *testing.T) {
			refused(newWorld(t), &iamapi.CreateSAMLProvider, &iamapi.CreateSAMLProviderRequest{Name: "idp", SAMLMetadataDocument: c.document}, "InvalidInput", c.want)
		})
	}
	until := time.Now().UTC().AddDate(1, 0, 0).Truncate(time.Second)
	document := describing(t, ` validUntil="`+until.Format(time.RFC3339)+`"`)
	arn := *must(w, &iamapi.CreateSAMLProvider, &iamapi.CreateSAMLProviderRequest{Name: "idp", SAMLMetadataDocument: document, Tags: []iamapi.Tag{{Key: "a", Value: "b"}}}).SAMLProviderArn
	got := must(w, &iamapi.GetSAMLProvider, &iamapi.GetSAMLProviderRequest{SAMLProviderArn: arn})
	if *got.SAMLMetadataDocument != document || !got.ValidUntil.Equal(until) || len(got.Tags) != 1 {
		t.Errorf("got back %+v", got)
	}
	refused(w, &iamapi.CreateSAMLProvider, &iamapi.CreateSAMLProviderRequest{Name: "idp", SAMLMetadataDocument: good}, "EntityAlreadyExists", "SAMLProvider with name idp already exists.")
	must(w, &iamapi.UpdateSAMLProvider, &iamapi.UpdateSAMLProviderRequest{SAMLProviderArn: arn, SAMLMetadataDocument: &good})
	at, _ := aws.ParseARN(arn)
	if p, err := w.service.SAMLProviderOf(t.Context(), at); err != nil || p.Metadata != good {
		t.Errorf("STS is told %v", err)
	}
	if _, err := call(w, &iamapi.UpdateSAMLProvider, &iamapi.UpdateSAMLProviderRequest{SAMLProviderArn: arn, AddPrivateKey: new("key")}); !aws.UnsupportedOperation.Is(err) {
		t.Errorf("a private key: %v", err)
	}
}

func TestStrangersDoNotFindProviders(t *testing.T) {
	w := newWorld(t)
	oidc := *must(w, &iamapi.CreateOpenIDConnectProvider, &iamapi.CreateOpenIDConnectProviderRequest{Url: "https://a.example.com"}).OpenIDConnectProviderArn
	saml := *must(w, &iamapi.CreateSAMLProvider, &iamapi.CreateSAMLProviderRequest{Name: "idp", SAMLMetadataDocument: describing(t, "")}).SAMLProviderArn
	s := w.as(rootOf(other))
	noOIDC, noSAML := "OpenIDConnect Provider not found for arn "+oidc, "Unable to find SAML provider with ARN "+saml
	refused(s, &iamapi.GetOpenIDConnectProvider, &iamapi.GetOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	refused(s, &iamapi.AddClientIDToOpenIDConnectProvider, &iamapi.AddClientIDToOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	refused(s, &iamapi.RemoveClientIDFromOpenIDConnectProvider, &iamapi.RemoveClientIDFromOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	refused(s, &iamapi.UpdateOpenIDConnectProviderThumbprint, &iamapi.UpdateOpenIDConnectProviderThumbprintRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	refused(s, &iamapi.TagOpenIDConnectProvider, &iamapi.TagOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	refused(s, &iamapi.UntagOpenIDConnectProvider, &iamapi.UntagOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	refused(s, &iamapi.ListOpenIDConnectProviderTags, &iamapi.ListOpenIDConnectProviderTagsRequest{OpenIDConnectProviderArn: oidc}, "NoSuchEntity", noOIDC)
	must(s, &iamapi.DeleteOpenIDConnectProvider, &iamapi.DeleteOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc})
	must(w, &iamapi.GetOpenIDConnectProvider, &iamapi.GetOpenIDConnectProviderRequest{OpenIDConnectProviderArn: oidc})
	refused(s, &iamapi.GetSAMLProvider, &iamapi.GetSAMLProviderRequest{SAMLProviderArn: saml}, "NoSuchEntity", noSAML)
	refused(s, &iamapi.UpdateSAMLProvider, &iamapi.UpdateSAMLProviderRequest{SAMLProviderArn: saml}, "NoSuchEntity", noSAML)
	refused(s, &iamapi.DeleteSAMLProvider, &iamapi.DeleteSAMLProviderRequest{SAMLProviderArn: saml}, "NoSuchEntity", noSAML)
	refused(s, &iamapi.TagSAMLProvider, &iamapi.TagSAMLProviderRequest{SAMLProviderArn: saml}, "NoSuchEntity", noSAML)
	refused(s, &iamapi.UntagSAMLProvider, &iamapi.UntagSAMLProviderRequest{SAMLProviderArn: saml}, "NoSuchEntity", noSAML)
	refused(s, &iamapi.ListSAMLProviderTags, &iamapi.ListSAMLProviderTagsRequest{SAMLProviderArn: saml}, "NoSuchEntity", noSAML)
	if len(must(s, &iamapi.ListOpenIDConnectProviders, &iamapi.ListOpenIDConnectProvidersRequest{}).OpenIDConnectProviderList) != 0 ||
		len(must(s, &iamapi.ListSAMLProviders, &iamapi.ListSAMLProvidersRequest{}).SAMLProviderList) != 0 {
		t.Error("a stranger sees providers")
	}
}

// Whatever metadata strangers send, it is read or refused in AWS's words.
func FuzzMetadata(f *testing.F) {
	f.Add(describing(f, ""))
	f.Add(`<!DOCTYPE x [<!ENTITY a "b">]><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="&a;"/>`)
	f.Fuzz(func(t *testing.T, document string) {
		_, err := readMetadata(document, time.Now())
		if e := (*aws.Error)(nil); err != nil && !errors.As(err, &e) {
			t.Error(err)
		}
	})
}
