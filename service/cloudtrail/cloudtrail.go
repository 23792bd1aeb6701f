// Package cloudtrail is AWS CloudTrail.
//
// The gate writes the records (gateway/trail); this service keeps them for 90
// days so that LookupEvents finds them. index.go reads the trail and packs the
// records into segments (segment.go), lookup.go answers from them with the sweep
// in sweep.go, expire.go removes what is too old.
package cloudtrail

import (
	"context"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// history is how far LookupEvents looks back.
// CloudTrail API Reference, LookupEvents.
const history = 90 * 24 * time.Hour

// Service serves CloudTrail.
type Service struct {
	env   service.Env
	codec *codec
	open  *store.Table[open]
	brief shelf // of segments made of records that came together
	long  shelf // of segments made of open records
}

// New returns a CloudTrail.
func New(env service.Env) *Service {
	return &Service{
		env:   env,
		codec: newCodec(),
		open:  store.NewTable[open](env.Store, "cloudtrail.open"),
		brief: newShelf(env.Store, "cloudtrail.brief", 2*time.Second),
		long:  newShelf(env.Store, "cloudtrail.long", 10*time.Minute),
	}
}

// A shelf is a table of segments none of which spans longer than span: so a
// lookup that ends at some time need not look at all that are newer.
type shelf struct {
	*store.Table[segment]
	span time.Duration
}

func newShelf(s *store.Store, name string, span time.Duration) shelf {
	by := store.Index("by", func(s *segment) []string { return s.marks })
	return shelf{store.NewTable(s, name, by), span}
}

// Routes lists what CloudTrail serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		cloudtrailapi.LookupEvents.To(s.lookupEvents, s.everything),
	}
}

// Consumers indexes the trail.
func (s *Service) Consumers() []service.Consumer {
	return []service.Consumer{{Name: "cloudtrail-index", Stream: aws.TrailStream, Handle: s.index, MaxBatch: 2048, Linger: 200 * time.Millisecond}}
}

// Jobs removes what is older than LookupEvents looks back.
func (s *Service) Jobs() []service.Job {
	return []service.Job{{Kind: expireKind, Run: s.expire}}
}

// everything is what LookupEvents touches: its permission knows no resources.
// Service Authorization Reference, "AWS CloudTrail".
func (s *Service) everything(context.Context, *cloudtrailapi.LookupEventsRequest) ([]wire.Touch, error) {
	return []wire.Touch{{Action: "cloudtrail:LookupEvents"}}, nil
}
