package scenario

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane"
	"sumun.dev/scenario/cli"
	"sumun.dev/wire"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// userAgent stands in the trail.
const userAgent = "sumun-scenario"

// aws SERVICE OPERATION [--options]
//
// aws makes a signed call as the present principal, as the AWS CLI would.
func (s *step) aws(args []string) error {
	if s.stage.external() != nil {
		return s.externalAWS(args)
	}
	cmd, err := s.cli.Parse(args, s.world)
	if err != nil {
		return misused("%v", err)
	}
	if status := cmd.Run(s.ctx, s.world, s.out, s.errs); status != cli.Success {
		return fmt.Errorf("exit status %d", status)
	}
	return nil
}

// refused prints an error of a service as the CLI does.
func (s *step) refused(op wire.AnyOperation, err error) error {
	fmt.Fprintf(s.errs, "\n%s\n", cli.Sentence(op, err))
	return errFailed
}

// Send makes one call over HTTP. Its error is an *aws.Error when the service refused.
func (w *world) Send(ctx context.Context, region string, signed bool, op wire.AnyOperation, in any) (any, error) {
	client, endpoint := w.stage.api()
	r, err := wire.EncodeRequest(op, in, endpoint)
	if err != nil {
		return nil, err
	}
	if r.Stream != nil {
		if r.Body, err = io.ReadAll(r.Stream); err != nil {
			return nil, err
		}
	}
	req, err := request(ctx, endpoint, r)
	if err != nil {
		return nil, err
	}
	if signed && w.current.KeyID != "" {
		w.sign(req, r.Body, op.About().Service, region)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	out, err := wire.DecodeResponse(op, &wire.Response{Status: resp.StatusCode, Header: resp.Header, Body: body})
	if err == nil {
		w.remember(op, out)
	}
	return out, err
}

func request(ctx context.Context, endpoint string, r *wire.Request) (*http.Request, error) {
	u, err := url.Parse(endpoint)
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
	req.Header.Set("User-Agent", userAgent)
	return req, nil
}

// sign signs as the present principal, for the region that the call goes to.
func (w *world) sign(req *http.Request, body []byte, service *wire.Service, region string) {
	if region == "" {
		region = w.region
	}
	if service.Global {
		region = "us-east-1"
	}
	var rules sigv4.Rules
	if service.Name == "s3" {
		rules = sigv4.S3
	}
	sigv4.Sign(req, body, w.current, sigv4.Scope{Region: region, Service: service.SigningName}, rules, time.Now())
}

// newCLI returns the CLI for all operations that the plane knows.
func newCLI() *cli.CLI { return cli.New(plane.Operations()) }

var _ cli.Sender = (*world)(nil)
