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
)

// providerHost is where the scenario's identity provider is.
const providerHost = "idp.test"

// A provider is the OpenID Connect provider of a scenario, https://idp.test, served
// in memory. Nobody trusts it until the scenario says so.
type provider struct {
	issuer  oidctest.Issuer
	key     oidctest.Key
	cert    []byte // DER, of its own making
	network *network
	server  *http.Server
}

func newProvider() (*provider, error) {
	p := &provider{network: newNetwork()}
	p.issuer.URL = "https://" + providerHost
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

// idp token [CLAIM=VALUE…] | idp thumbprint | idp rotate
//
// idp is an OpenID Connect provider: it prints signed tokens, and what makes others
// trust them.
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
	}
	return misused("usage: idp token [CLAIM=VALUE…], idp thumbprint or idp rotate")
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
