package xks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// New returns a client.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 250 * time.Millisecond
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Control: o.Networks.Control}).DialContext
	}
	return &Client{o, &http.Client{
		// Redirections are not followed and no other proxy is asked: an endpoint leads
		// to no place that its host does not.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dial,
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost:    64,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 16 << 10,
		},
	}}
}

// Close ends the connections that are kept open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ask sends one signed request and reads its answer; what fails is a *Failure.
func (c *Client) ask(ctx context.Context, p Proxy, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Endpoint+p.Path+path, bytes.NewReader(body))
	if err != nil {
		return &Failure{Kind: Unreachable, cause: err}
	}
	r.GetBody = nil // nothing is sent twice
	r.Header.Set("Content-Type", "application/json")
	sign(r, body, p, time.Now())
	answer, err := c.http.Do(r)
	if err != nil {
		return failureOf(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return failureOf(err)
	}
	if len(text) > maxAnswer {
		return malformed("it answers too much")
	}
	if answer.StatusCode != http.StatusOK {
		var refusal struct {
			Name string `json:"errorName"`
		}
		if json.Unmarshal(text, &refusal) != nil {
			return malformed("its error is not the JSON that was expected")
		}
		return refused(refusal.Name)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return malformed("its answer is not the JSON that was expected")
	}
	return nil
}

// failureOf tells which failure stopped a request on its way.
func failureOf(err error) error {
	var header tls.RecordHeaderError
	var alert tls.AlertError
	var certificate *tls.CertificateVerificationError
	var host x509.HostnameError
	var timeout net.Error
	switch {
	case errors.As(err, &header), errors.As(err, &alert), errors.As(err, &certificate), errors.As(err, &host):
		return &Failure{Kind: Insecure, cause: err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Failure{Kind: TimedOut, cause: err}
	}
	return &Failure{Kind: Unreachable, cause: err}
}

// sign signs r with Signature Version 4. Only the host and the date are signed
// besides the body, as AWS does: specification, Appendix A.
func sign(r *http.Request, body []byte, p Proxy, at time.Time) {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", stamp)
	scope := stamp[:8] + "/" + p.Region + "/kms-xks-proxy/aws4_request"
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n\nhost:" + r.URL.Host + "\nx-amz-date:" + stamp + "\n\nhost;x-amz-date\n" + hash(body)
	key := []byte("AWS4" + p.Secret)
	for _, text := range []string{stamp[:8], p.Region, "kms-xks-proxy", "aws4_request", "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hash([]byte(canonical))} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		key = mac.Sum(nil)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+p.KeyID+"/"+scope+", SignedHeaders=host;x-amz-date, Signature="+hex.EncodeToString(key))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
