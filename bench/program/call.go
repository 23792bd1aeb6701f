package program

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

// Credentials are root's.
func (p *Program) Credentials() sigv4.Credentials {
	return sigv4.Credentials{KeyID: p.id, Secret: p.secret}
}

// Call makes a signed call over HTTP as root.
func Call[In, Out any](ctx context.Context, p *Program, op *wire.Operation[In, Out], in In) (Out, error) {
	var none Out
	out, err := p.send(ctx, op, in)
	if err != nil {
		return none, err
	}
	return out.(Out), nil
}

func (p *Program) send(ctx context.Context, op wire.AnyOperation, in any) (any, error) {
	w, err := wire.EncodeRequest(op, in, p.API)
	if err != nil {
		return nil, err
	}
	target := p.API + w.RawPath
	if w.RawQuery != "" {
		target += "?" + w.RawQuery
	}
	r, err := http.NewRequestWithContext(ctx, w.Method, target, bytes.NewReader(w.Body))
	if err != nil {
		return nil, err
	}
	r.Header = w.Header.Clone()
	sigv4.Sign(r, w.Body, p.Credentials(), sigv4.Scope{Region: Region, Service: op.About().Service.SigningName}, 0, time.Now())
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return wire.DecodeResponse(op, &wire.Response{Status: resp.StatusCode, Header: resp.Header, Body: body})
}
