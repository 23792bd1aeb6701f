package parameters

import (
	"context"
	"sync"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// Parameters per account and region. Systems Manager endpoints and quotas.
const (
	maxStandards = 10_000
	maxAdvanceds = 100_000
)

// setTier decides between the tiers. An advanced parameter stays one: going back
// would lose what only it has. User Guide, "Managing parameter tiers".
func (s *Service) setTier(ctx context.Context, in *ssmapi.PutParameterRequest, old *parameter, v *version) error {
	tier, err := s.askedTier(ctx, in, old)
	if err != nil {
		return err
	}
	needs := len(in.Value) > maxStandard || len(v.Policies) > 0
	switch tier {
	case ssmapi.ParameterTierAdvanced:
		v.Advanced = true
	case ssmapi.ParameterTierIntelligentTiering:
		v.Advanced = needs || old != nil && old.Advanced
		if !v.Advanced && old == nil && s.full(ctx, false) {
			v.Advanced = true
		}
	default:
		if old != nil && old.Advanced {
			return aws.ValidationException.New("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. " +
				"If necessary, delete the advanced parameter and recreate it as a standard parameter.")
		}
		if len(v.Policies) > 0 {
			return aws.ValidationException.New("Standard tier parameters don't support parameter policies. To assign a policy, upgrade the parameter to use the advanced-parameter tier.")
		}
	}
	if (old == nil || v.Advanced != old.Advanced) && s.full(ctx, v.Advanced) {
		return ssmapi.ParameterLimitExceeded.New("You have exceeded the number of parameters for this AWS account. Delete one or more parameters and try again.")
	}
	return nil
}

// askedTier is the tier that the caller names, or else the one that the parameter
// has, or else the account's default.
func (s *Service) askedTier(ctx context.Context, in *ssmapi.PutParameterRequest, old *parameter) (ssmapi.ParameterTier, error) {
	if in.Tier != nil {
		return *in.Tier, nil
	}
	if old != nil && old.Advanced {
		return ssmapi.ParameterTierAdvanced, nil
	}
	set, err := s.setting(ctx, defaultTier)
	if err != nil {
		return "", err
	}
	return ssmapi.ParameterTier(set.Value), nil
}

// counts are how many parameters there are in a place, by tier. They are kept
// only when AWS's quotas are: counting is a scan, made once and when a limit seems
// to be reached.
type counts struct {
	mu    sync.Mutex
	known map[store.Place]*[2]int // standard, advanced
}

func tierIndex(advanced bool) int {
	if advanced {
		return 1
	}
	return 0
}

// full reports whether there is no room for another parameter of the tier.
func (s *Service) full(ctx context.Context, advanced bool) bool {
	if !s.env.Quotas {
		return false
	}
	limit := maxStandards
	if advanced {
		limit = maxAdvanceds
	}
	call := aws.CallOf(ctx)
	place := store.Place{Account: call.Account, Region: call.Region}
	c := &s.limits.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.known[place]; n != nil && n[tierIndex(advanced)] < limit {
		return false
	}
	n := &[2]int{}
	for row, err := range s.parameters.All(store.Outside(ctx), "") {
		if err != nil {
			return false // the write will meet the same trouble, and say so
		}
		n[tierIndex(row.Value.Advanced)]++
	}
	if c.known == nil {
		c.known = map[store.Place]*[2]int{}
	}
	c.known[place] = n
	return n[tierIndex(advanced)] >= limit
}

// counted remembers, once it is committed, that there is one more or less.
func (s *Service) counted(ctx context.Context, advanced bool, more int) {
	if !s.env.Quotas {
		return
	}
	call := aws.CallOf(ctx)
	place := store.Place{Account: call.Account, Region: call.Region}
	store.AfterCommit(ctx, func() {
		c := &s.limits.counts
		c.mu.Lock()
		defer c.mu.Unlock()
		if n := c.known[place]; n != nil {
			n[tierIndex(advanced)] += more
		}
	})
}
