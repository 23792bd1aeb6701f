package guardduty

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/spine"
	"sumun.dev/store"
)

// What global services record stands in us-east-1, and concerns the account wherever
// GuardDuty is turned on: it is judged once, and found in each of these regions.
// GuardDuty User Guide, "Foundational data sources", on global service events.

const globalRegion = aws.Region("us-east-1")

// globalServices record their events in one region.
var globalServices = []string{"iam", "organizations", "signin", "route53", "cloudfront", "globalaccelerator", "shield", "account"}

// global reports whether an event of the trail concerns all regions.
func global(e *spine.Delivery) bool {
	service, ok := strings.CutSuffix(e.Attrs["eventSource"], ".amazonaws.com")
	return ok && e.Stream == aws.TrailStream && e.Region == globalRegion && slices.Contains(globalServices, service)
}

// A presence is where an account has detectors.
type presence struct{ Regions []aws.Region }

const presenceKey = "detectors"

// present notes that an account has a detector in a region, or has no more.
func (s *Service) present(ctx context.Context, at store.Place, is bool) error {
	table := s.presences.In(store.Place{Account: at.Account})
	p, err := table.Get(ctx, presenceKey)
	if errors.Is(err, store.ErrNotFound) {
		p = &presence{}
	} else if err != nil {
		return err
	}
	if slices.Contains(p.Regions, at.Region) == is {
		return nil
	}
	p.Regions = slices.DeleteFunc(p.Regions, func(r aws.Region) bool { return r == at.Region })
	if is {
		p.Regions = append(p.Regions, at.Region)
		slices.Sort(p.Regions)
	}
	return table.Put(ctx, presenceKey, p)
}

// places are where events are to be judged: by the lists of the first, and found in
// all of them.
type places struct {
	s  *Service
	of map[aws.Account][]store.Place // those of global services
}

func (p *places) at(ctx context.Context, e *spine.Delivery) ([]store.Place, error) {
	own := store.Place{Account: e.Account, Region: e.Region}
	if !global(e) {
		return []store.Place{own}, nil
	}
	if all := p.of[e.Account]; all != nil {
		return all, nil
	}
	all := []store.Place{own}
	is, err := p.s.presences.In(store.Place{Account: e.Account}).Get(ctx, presenceKey)
	if errors.Is(err, store.ErrNotFound) {
		is = &presence{}
	} else if err != nil {
		return nil, err
	}
	for _, r := range is.Regions {
		if r != globalRegion {
			all = append(all, store.Place{Account: e.Account, Region: r})
		}
	}
	p.of[e.Account] = all
	return all, nil
}
