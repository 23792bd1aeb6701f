package oidc

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// fetch reads the JSON document at u, over TLS, from nowhere else: redirections are
// not followed and no proxy is asked, so that a provider's URL leads to no place
// that its host does not.
func (v *Verifier) fetch(ctx context.Context, u *url.URL, thumbprints []string, into any) error {
	transport := &http.Transport{
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return v.dial(ctx, network, address, thumbprints)
		},
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		if errors.Is(err, ErrCertificate) {
			return ErrCertificate
		}
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: it answers %d", ErrUnreachable, answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if len(text) > maxAnswer {
		return fmt.Errorf("%w: it answers more than %d bytes", ErrUnreachable, maxAnswer)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: its answer is not the JSON that was expected", ErrUnreachable)
	}
	return nil
}

func (v *Verifier) dial(ctx context.Context, network, address string, thumbprints []string) (net.Conn, error) {
	dial := v.options.Dial
	if dial == nil {
		dial = (&net.Dialer{Control: v.options.Networks.Control}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	secure := tls.Client(conn, &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // trusted verifies, by authorities or thumbprints
		VerifyConnection:   func(s tls.ConnectionState) error { return v.trusted(s.PeerCertificates, host, thumbprints) },
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// trusted checks a server's certificates: by the authorities that are known, else by
// one of the thumbprints, of an authority that has signed it or of itself.
// IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider".
func (v *Verifier) trusted(chain []*x509.Certificate, host string, thumbprints []string) error {
	if len(chain) == 0 {
		return ErrCertificate
	}
	others, pinned := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: v.options.Roots, Intermediates: others, DNSName: host}); err == nil {
		return nil
	}
	for _, c := range chain {
		sum := sha1.Sum(c.Raw)
		if slices.ContainsFunc(thumbprints, func(t string) bool { return strings.EqualFold(t, hex.EncodeToString(sum[:])) }) {
			pinned.AddCert(c)
		}
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: pinned, Intermediates: others, DNSName: host}); err != nil {
		return ErrCertificate
	}
	return nil
}
