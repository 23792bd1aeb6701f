package parameters

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// Settings of Parameter Store. API Reference, UpdateServiceSetting.
const (
	defaultTier    = "/ssm/parameter-store/default-parameter-tier"
	highThroughput = "/ssm/parameter-store/high-throughput-enabled"
)

// A setting is one that the account has changed in a region, or AWS's default.
type setting struct {
	Value    string
	Modified time.Time
	By       string
}

var defaults = map[string]string{defaultTier: string(ssmapi.ParameterTierStandard), highThroughput: "false"}

func (s *Service) setting(ctx context.Context, id string) (*setting, error) {
	set, err := s.settings.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return &setting{Value: defaults[id], By: "System"}, nil
	}
	return set, err
}

func (s *Service) getServiceSetting(ctx context.Context, in *ssmapi.GetServiceSettingRequest) (*ssmapi.GetServiceSettingResult, error) {
	id, err := settingID(ctx, in.SettingId)
	if err != nil {
		return nil, err
	}
	set, err := s.setting(ctx, id)
	if err != nil {
		return nil, err
	}
	return &ssmapi.GetServiceSettingResult{ServiceSetting: set.shown(ctx, id)}, nil
}

func (s *Service) updateServiceSetting(ctx context.Context, in *ssmapi.UpdateServiceSettingRequest) (*ssmapi.UpdateServiceSettingResult, error) {
	id, err := settingID(ctx, in.SettingId)
	if err != nil {
		return nil, err
	}
	possible := []string{"true", "false"}
	if id == defaultTier {
		possible = ssmapi.ParameterTier("").Values()
	}
	for _, v := range possible {
		if v == in.SettingValue {
			return &ssmapi.UpdateServiceSettingResult{}, s.settings.Put(ctx, id, &setting{Value: v, Modified: time.Now().UTC(), By: caller(ctx)})
		}
	}
	return nil, aws.ValidationException.New("The value %s is not valid for the service setting %s. Valid values include: [%s].", in.SettingValue, id, strings.Join(possible, ", "))
}

func (s *Service) resetServiceSetting(ctx context.Context, in *ssmapi.ResetServiceSettingRequest) (*ssmapi.ResetServiceSettingResult, error) {
	id, err := settingID(ctx, in.SettingId)
	if err != nil {
		return nil, err
	}
	if err := s.settings.Delete(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	set := &setting{Value: defaults[id], Modified: time.Now().UTC(), By: caller(ctx)}
	out := set.shown(ctx, id)
	out.Status = new("Default")
	return &ssmapi.ResetServiceSettingResult{ServiceSetting: out}, nil
}

// settingID reads a setting's id or ARN.
func settingID(ctx context.Context, text string) (string, error) {
	id := settingName(text)
	if _, known := defaults[id]; !known || strings.HasPrefix(text, "arn:") && text != settingARN(ctx, id).String() {
		return "", ssmapi.ServiceSettingNotFound.New("The specified service setting wasn't found. Either the service name or the setting hasn't been provisioned by the AWS service team.")
	}
	return id, nil
}

func settingName(text string) string {
	if arn, err := aws.ParseARN(text); err == nil {
		text = strings.TrimPrefix(arn.Resource, "servicesetting")
	}
	if !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	return text
}

func settingARN(ctx context.Context, id string) aws.ARN {
	return aws.CallOf(ctx).ARN("ssm", "servicesetting"+id)
}

func (set *setting) shown(ctx context.Context, id string) *ssmapi.ServiceSetting {
	out := &ssmapi.ServiceSetting{
		SettingId: new(id), SettingValue: new(set.Value), LastModifiedUser: new(set.By),
		ARN: new(settingARN(ctx, id).String()), Status: new("Default"),
	}
	if !set.Modified.IsZero() {
		out.LastModifiedDate, out.Status = new(set.Modified), new("Customized")
	}
	return out
}

// Transactions per second of the reading operations together, and with the higher
// throughput of each. Systems Manager endpoints and quotas.
const defaultRate = 40

var higherRates = map[string]rate.Limit{"GetParameter": 10_000, "GetParameters": 1_000, "GetParametersByPath": 100}

// limits is what is remembered of places when AWS's quotas are applied.
type limits struct {
	counts counts

	mu      sync.Mutex
	high    map[store.Place]bool
	changes int // of settings: what was read before one is not remembered
	buckets map[bucket]*rate.Limiter
}

type bucket struct {
	place     store.Place
	operation string // empty: all that share the default
}

// maxBuckets bounds what is remembered; full memory is begun anew.
const maxBuckets = 10_000

// follow forgets a place's throughput when its setting changes.
func (l *limits) follow(st *store.Store, table string) {
	st.Watch(table, func(store.Change) {
		l.mu.Lock()
		defer l.mu.Unlock()
		clear(l.high)
		l.changes++
	})
}

// throughput refuses a call that comes faster than the account's setting lets it.
func (s *Service) throughput(ctx context.Context) error {
	if !s.env.Quotas {
		return nil
	}
	call := aws.CallOf(ctx)
	place := store.Place{Account: call.Account, Region: call.Region}
	l := &s.limits
	l.mu.Lock()
	high, known := l.high[place]
	seen := l.changes
	l.mu.Unlock()
	if !known {
		set, err := s.setting(store.Outside(ctx), highThroughput)
		if err != nil {
			return err
		}
		high = set.Value == "true"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.high == nil || len(l.high) >= maxBuckets {
		l.high = map[store.Place]bool{}
	}
	if l.buckets == nil || len(l.buckets) >= maxBuckets {
		l.buckets = map[bucket]*rate.Limiter{}
	}
	if l.changes == seen {
		l.high[place] = high
	}
	key, limit := bucket{place: place}, rate.Limit(defaultRate)
	if high {
		key.operation, limit = call.Operation, higherRates[call.Operation]
	}
	b := l.buckets[key]
	if b == nil {
		b = rate.NewLimiter(limit, int(limit))
		l.buckets[key] = b
	}
	if !b.AllowN(time.Now(), 1) {
		return aws.ThrottlingException.New("Rate exceeded")
	}
	return nil
}
