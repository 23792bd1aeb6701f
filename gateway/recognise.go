package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

// welcome begins a visit.
func (g *Gateway) welcome(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{w: w, r: r, ctx: r.Context(), id: aws.UUID(), began: time.Now()}
}

// admit refuses what there is no room for, and what is not a request to an API.
func (g *Gateway) admit(v *visit) error {
	if !g.calls.enter() {
		return unavailable("The service is busy or shutting down. Please try again.")
	}
	v.admitted = true
	return nil
}

// recognise finds out what is asked. The signature is only taken apart here: its
// scope names the service, and the protocol decides how a refusal is worded.
func (g *Gateway) recognise(v *visit) error {
	raw, targetErr := sigv4.Received(v.r)
	if targetErr != nil {
		v.match = &wire.Match{Protocol: wire.RestJSON}
		return targetErr
	}
	v.signature, v.unsigned = sigv4.Parse(raw, departures)
	v.request = wire.Request{Method: raw.Method, RawPath: raw.Path, RawQuery: raw.Query, Header: oneValueEach(raw.Header), Host: raw.Host}
	if v.signature != nil {
		// What is served is what the signature vouches for.
		v.request.RawPath, v.request.Scope = v.signature.Path(), v.signature.Service
	}
	bodyErr := g.readBody(v)
	match, err := wire.Recognise(&v.request, g.operations().index)
	v.match = match
	if bodyErr != nil {
		return bodyErr
	}
	if err != nil && v.signature == nil && !isUnsigned(v.unsigned) {
		// Without a scope the service may not have been found: what is wrong with
		// the signature says more than that.
		return v.unsigned
	}
	return err
}

// oneValueEach joins the values of headers that came more than once, as they were
// signed. Were they left apart, a reader of the first value would obey half of
// what the signature covers, and one header could be split into two on the way.
func oneValueEach(h http.Header) http.Header {
	var joined http.Header
	for name, values := range h {
		if len(values) < 2 {
			continue
		}
		if joined == nil {
			joined = maps.Clone(h)
		}
		joined[name] = []string{strings.Join(values, ",")}
	}
	if joined == nil {
		return h
	}
	return joined
}

// isUnsigned reports whether a request carries no signature at all.
func isUnsigned(err error) bool {
	var e *sigv4.Error
	return errors.As(err, &e) && e.Reason == sigv4.NoSignature
}

// departures are how the services of the scopes depart from the common way to sign.
func departures(service string) sigv4.Rules {
	switch service {
	case "s3", "s3express", "s3-object-lambda", "s3-outposts":
		return sigv4.S3
	}
	return 0
}

// Bounds of bodies, in bytes.
const (
	bodyMemory     = 256 << 20 // of all bodies of known access keys at a time
	strangerMemory = 16 << 20  // of all bodies of nobody in particular
	freeBody       = 64 << 10  // bodies up to this size are not counted
	maxBody        = 8 << 20
	maxUpload      = 70 << 20 // Lambda takes 50 MB of code in base64. Lambda Developer Guide, "Lambda quotas"
	maxAnonymous   = 1 << 20  // what nobody has signed is small
)

// bodyBound returns the size of the largest body that a request may have. Only
// services that are served here get room for uploads: the scope is a claim.
func (g *Gateway) bodyBound(s *sigv4.Signature) int64 {
	switch {
	case s == nil:
		return maxAnonymous
	case (s.Service == "lambda" || s.Service == "s3") && g.operations().signs[s.Service]:
		return maxUpload
	}
	return maxBody
}

// readBody reads the whole body, since its hash is part of the signature.
func (g *Gateway) readBody(v *visit) error {
	if v.r.Body == nil || v.r.Body == http.NoBody {
		return nil
	}
	bound := g.bodyBound(v.signature)
	if v.r.ContentLength > bound {
		return tooLarge(bound)
	}
	expected := v.r.ContentLength
	if expected < 0 {
		expected = bound
	}
	if expected > freeBody {
		if err := g.reserve(v, expected); err != nil {
			return err
		}
	}
	body, err := readAll(http.MaxBytesReader(v.w, v.r.Body, bound), v.r.ContentLength)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge(bound)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &aws.Error{Code: "RequestTimeout", Status: http.StatusRequestTimeout, Message: "The request's body did not arrive in time."}
	case err != nil:
		return &aws.Error{Code: "IncompleteBody", Status: http.StatusBadRequest, Message: "The request's body could not be read to its end."}
	}
	v.request.Body = body
	return nil
}

// reserve waits for memory for n bytes of body. Nothing is proven yet: whoever
// names no key that could sign shares a small room, so that strangers cannot take
// the memory of those who are known.
func (g *Gateway) reserve(v *visit, n int64) error {
	room := g.strangers
	if v.signature != nil {
		if _, err := g.Identities.Credential(v.ctx, v.signature.KeyID, v.signature.Token); err != nil {
			return wrongCredential(err)
		}
		room = g.bodies
	}
	ctx, cancel := context.WithTimeout(v.ctx, 10*time.Second)
	defer cancel()
	if err := room.Acquire(ctx, n); err != nil {
		return unavailable("Too many large requests at once. Please try again.")
	}
	v.release = func() { room.Release(n) }
	return nil
}

func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}
