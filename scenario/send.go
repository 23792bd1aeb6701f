package scenario

import (
	"context"
	"fmt"

	"sumun.dev/plane"
	"sumun.dev/plane/client"
	"sumun.dev/scenario/cli"
	"sumun.dev/wire"
)

// userAgent stands in the trail.
const userAgent = "sumun-scenario"

// aws SERVICE OPERATION [--options]
//
// aws makes a signed call as the present principal, as the AWS CLI would.
func (s *step) aws(args []string) error {
	if s.stage.external() != nil {
		return s.externalAWS(args)
	}
	return s.ownAWS(args)
}

func (s *step) ownAWS(args []string) error {
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
	c := client.Client{Region: region, UserAgent: userAgent}
	c.HTTP, c.Endpoint = w.api()
	if region == "" {
		c.Region = w.region
	}
	if signed {
		c.Key = w.current
	}
	out, err := c.Invoke(ctx, op, in)
	if err == nil {
		w.remember(op, out)
	}
	return out, err
}

// newCLI returns the CLI for all operations that the plane knows.
func newCLI() *cli.CLI { return cli.New(plane.Operations()) }

var _ cli.Sender = (*world)(nil)
