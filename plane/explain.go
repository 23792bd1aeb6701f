package plane

import (
	"context"
	"fmt"
	"time"

	"sumun.dev/aws"
	"sumun.dev/gateway"
)

// explainable is how far back refusals are looked for in the trail, when the gate
// does not remember them: after a restart, or when another node refused.
const explainable = 24 * time.Hour

// Explain says why the call with this request id was allowed or refused; with an
// empty id, the newest refusal. It is nil when nothing is known of such a call.
func (p *Plane) Explain(ctx context.Context, id string) (*gateway.Explanation, error) {
	if x, ok := p.current.Load().gate.Explain(id); ok {
		return x, nil
	}
	var newest *gateway.Explanation
	for e, err := range p.Events(ctx, aws.TrailStream, time.Now().Add(-explainable)) {
		if err != nil {
			return nil, fmt.Errorf("read the trail: %w", err)
		}
		x := gateway.Recorded(e.Attrs)
		if x == nil || id != "" && x.RequestID != id {
			continue
		}
		if newest = x; id != "" {
			break
		}
	}
	return newest, nil
}

// explain is Explain for the admin listener, which knows nothing of the gate.
func (p *Plane) explain(ctx context.Context, id string) (any, error) {
	x, err := p.Explain(ctx, id)
	if x == nil {
		return nil, err
	}
	return x, err
}
