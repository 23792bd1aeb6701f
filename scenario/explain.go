package scenario

import (
	"context"
	"errors"

	"sumun.dev/aws"
	"sumun.dev/gateway"
)

// explain [REQUEST-ID]
//
// explain prints why a call was allowed or refused, as the command sumun explain
// does: of the call with this request id, or of the newest refusal.
func (s *step) explain(args []string) error {
	if len(args) > 1 {
		return misused("usage: explain [REQUEST-ID]")
	}
	id := ""
	if len(args) == 1 {
		id = args[0]
	}
	x, err := s.stage.explain(s.ctx, id)
	if err != nil {
		return err
	}
	if x == nil {
		return errors.New("explain: no such call is known")
	}
	x.Write(s.out)
	return nil
}

// explain asks the plane, and what a spine in memory knew before it was started again.
func (s *inside) explain(ctx context.Context, id string) (*gateway.Explanation, error) {
	newest, err := s.plane.Explain(ctx, id)
	if newest != nil || err != nil {
		return newest, err
	}
	for _, e := range s.past[aws.TrailStream] {
		if x := gateway.Recorded(e.Attrs); x != nil && (id == "" || x.RequestID == id) {
			newest = x
		}
	}
	return newest, nil
}
