package scenario

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"sumun.dev/engine/oidc/oidctest"
	"sumun.dev/engine/saml/samltest"
)

// providerHost is where the scenario's identity provider is.
const providerHost = "idp.test"

// A provider is the identity provider of a scenario: OpenID Connect at
// https://idp.test, served in memory, and SAML. Nobody trusts it until the
// scenario says so.
type provider struct {
	issuer  oidctest.Issuer
	key     oidctest.Key
	saml    *samltest.IdP
	cert    []byte // DER, of its own making
	network *network
	server  *http.Server
}

func newProvider() (*provider, error) {
	p := &provider{network: newNetwork()}
	p.issuer.URL = "https://" + providerHost
	var err error
	if p.saml, err = samltest.New(p.issuer.URL + "/metadata"); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: providerHost}, DNSNames: []string{providerHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	if p.cert, err = x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key); err != nil {
		return nil, err
	}
	listen := tls.NewListener(p.network, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{p.cert}, PrivateKey: key}}, MinVersion: tls.VersionTLS12})
	p.server = &http.Server{Handler: &p.issuer, ErrorLog: log.New(io.Discard, "", 0)}
	go p.server.Serve(listen) // ends with ErrServerClosed
	return p, p.rotate()
}

// rotate makes a new signing key, and takes the old one back.
func (p *provider) rotate() error {
	key, err := oidctest.NewKey(rand.Text()[:8])
	if err != nil {
		return err
	}
	p.key = key
	p.issuer.Publish(key.Public())
	return nil
}

// dial leads to the provider, and nowhere else: a scenario's plane talks to nobody.
func (s *inside) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	if host != providerHost || s.provider == nil {
		return nil, fmt.Errorf("a scenario's plane does not reach %s", address)
	}
	return s.provider.network.dial(ctx, network, address)
}

// idp token [CLAIM=VALUE…] | idp thumbprint | idp rotate | idp metadata |
// idp assertion SUBJECT [ATTRIBUTE=VALUE…]
//
// idp is an identity provider: it prints signed tokens and assertions, and what
// makes others trust them.
func (s *step) identityProvider(args []string) error {
	in, ok := s.stage.(*inside)
	if !ok {
		return misused("idp: the identity provider is inside the plane's process")
	}
	if in.provider == nil {
		var err error
		if in.provider, err = newProvider(); err != nil {
			return err
		}
	}
	p := in.provider
	switch {
	case len(args) >= 1 && args[0] == "token":
		return s.token(p, args[1:])
	case len(args) == 1 && args[0] == "thumbprint":
		sum := sha1.Sum(p.cert)
		fmt.Fprintln(s.out, hex.EncodeToString(sum[:]))
		return nil
	case len(args) == 1 && args[0] == "rotate":
		return p.rotate()
	case len(args) == 1 && args[0] == "metadata":
		// IAM takes no metadata of under 1,000 characters (CreateSAMLProvider).
		fmt.Fprintln(s.out, p.saml.Metadata()+"<!-- "+strings.Repeat("The metadata of a scenario's identity provider. ", 8)+"-->")
		return nil
	case len(args) >= 2 && args[0] == "assertion":
		return s.assertion(p, args[1], args[2:])
	}
	return misused("usage: idp token [CLAIM=VALUE…], idp thumbprint, idp rotate, idp metadata or idp assertion SUBJECT [ATTRIBUTE=VALUE…]")
}

// token prints a token. Values are JSON where they can be read as such, else texts;
// those of exp, iat and nbf are durations from now.
func (s *step) token(p *provider, args []string) error {
	change := map[string]any{}
	for _, arg := range args {
		name, value, ok := pairOf(arg)
		if !ok {
			return misused("idp token: %q is not CLAIM=VALUE", arg)
		}
		var v any = value
		switch name {
		case "exp", "iat", "nbf":
			d, err := time.ParseDuration(value)
			if err != nil {
				return misused("idp token: %s: %q is no duration", name, value)
			}
			v = time.Now().Add(d).Unix()
		default:
			var parsed any
			if json.Unmarshal([]byte(value), &parsed) == nil {
				v = parsed
			}
		}
		change[name] = v
	}
	text, err := p.key.Token(oidctest.Claims(p.issuer.URL, change))
	if err == nil {
		fmt.Fprintln(s.out, text)
	}
	return err
}

// pairOf takes NAME=VALUE apart.
func pairOf(arg string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(arg, "=")
	return name, value, ok && name != ""
}

// assertion prints a response for AWS's sign-in. Attributes without a scheme are AWS's own.
func (s *step) assertion(p *provider, subject string, args []string) error {
	const signIn, own = "https://signin.aws.amazon.com/saml", "https://aws.amazon.com/SAML/Attributes/"
	attributes := map[string][]string{}
	for _, arg := range args {
		name, value, ok := pairOf(arg)
		if !ok {
			return misused("idp assertion: %q is not ATTRIBUTE=VALUE", arg)
		}
		if !strings.Contains(name, "://") && !strings.HasPrefix(name, "urn:") {
			name = own + name
		}
		attributes[name] = append(attributes[name], value)
	}
	text, err := p.saml.Respond(p.saml.Login(subject, signIn, signIn, attributes))
	if err == nil {
		fmt.Fprintln(s.out, text)
	}
	return err
}
