// Package client sends signed calls to a plane over HTTP, as an AWS client would.
package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// A Client makes calls with one key, in one region.
type Client struct {
	HTTP      *http.Client
	Endpoint  string            // URL of the plane's API
	Key       sigv4.Credentials // empty: calls are not signed
	Region    string
	UserAgent string // stands in the trail
}

// Invoke makes one call. Its error is an *aws.Error when the service refused.
func (c *Client) Invoke(ctx context.Context, op wire.AnyOperation, in any) (any, error) {
	r, err := wire.EncodeRequest(op, in, c.Endpoint)
	if err != nil {
		return nil, err
	}
	if r.Stream != nil {
		if r.Body, err = io.ReadAll(r.Stream); err != nil {
			return nil, err
		}
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	if c.Key.KeyID != "" {
		c.sign(req, r.Body, op.About().Service)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	return wire.DecodeResponse(op, &wire.Response{Status: resp.StatusCode, Header: resp.Header, Body: body})
}

// As is not for clients: they call sts:AssumeRole themselves.
func (c *Client) As(context.Context, aws.ARN, string) (context.Context, error) {
	return nil, errors.New("client: a client assumes roles by calling sts:AssumeRole")
}

func (c *Client) request(ctx context.Context, r *wire.Request) (*http.Request, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, err
	}
	if u.Path, err = url.PathUnescape(r.RawPath); err != nil {
		return nil, err
	}
	u.RawPath, u.RawQuery = r.RawPath, r.RawQuery
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	req.URL = u // as it is: parsing again could change the escapes
	req.Header = r.Header.Clone()
	req.Header.Set("User-Agent", c.UserAgent)
	return req, nil
}

// sign signs for the region that the call goes to.
func (c *Client) sign(req *http.Request, body []byte, service *wire.Service) {
	region := c.Region
	if service.Global {
		region = "us-east-1"
	}
	var rules sigv4.Rules
	if service.Name == "s3" {
		rules = sigv4.S3
	}
	sigv4.Sign(req, body, c.Key, sigv4.Scope{Region: region, Service: service.SigningName}, rules, time.Now())
}

var _ wire.Caller = (*Client)(nil)
