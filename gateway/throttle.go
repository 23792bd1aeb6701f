package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sumun.dev/aws"
)

// A quota is how many calls a second AWS allows, and how many at once. Operations
// that share a rate name it.
type quota struct {
	rate   rate.Limit
	burst  int
	shared string
}

// quotaOf returns the request rate that AWS documents for an operation; none when
// it documents none.
func quotaOf(c *aws.Call) (quota, bool) {
	switch c.Service + ":" + c.Operation {
	case "cloudtrail:LookupEvents": // CloudTrail API Reference, LookupEvents
		return quota{rate: 2, burst: 2}, true
	case "events:PutEvents": // EventBridge User Guide, "EventBridge quotas", us-east-1
		return quota{rate: 10_000, burst: 10_000}, true
	case "ssm:StartAutomationExecution": // Systems Manager endpoints and quotas
		return quota{rate: 10, burst: 10}, true
	case "securityhub:BatchImportFindings", "securityhub:BatchUpdateFindings": // Security Hub API Reference, the operations
		return quota{rate: 10, burst: 30}, true
	case "securityhub:GetFindings": // Security Hub API Reference, "Throttling"
		return quota{rate: 3, burst: 6}, true
	case "securityhub:UpdateFindings":
		return quota{rate: 1, burst: 5}, true
	}
	switch c.Service {
	case "kms":
		return keyQuota(c.Operation, c.Region)
	case "secretsmanager":
		return secretQuota(c.Operation)
	case "route53resolver": // Route 53 Developer Guide, "Quotas": five requests a second, per account and region
		return quota{rate: 5, burst: 5}, true
	case "securityhub":
		return quota{rate: 10, burst: 30}, true
	}
	return quota{}, false
}

// maxBuckets bounds what is remembered of callers; full memory is begun anew.
const maxBuckets = 10_000

type bucketKey struct {
	account   aws.Account
	region    aws.Region
	operation string
}

// throttle keeps callers to AWS's request rates. It exists only with quotas: aws.
type throttle struct {
	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
}

func newThrottle() *throttle { return &throttle{buckets: map[bucketKey]*rate.Limiter{}} }

func (t *throttle) allow(c *aws.Call, now time.Time) bool {
	q, ok := quotaOf(c)
	if !ok {
		return true
	}
	key := bucketKey{c.Account, c.Region, c.Service + ":" + c.Operation}
	if q.shared != "" {
		key.operation = c.Service + " " + q.shared
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets[key]
	if b == nil {
		if len(t.buckets) >= maxBuckets {
			clear(t.buckets)
		}
		b = rate.NewLimiter(q.rate, q.burst)
		t.buckets[key] = b
	}
	return b.AllowN(now, 1)
}

// limit refuses a call that comes faster than AWS would take it.
func (g *Gateway) limit(v *visit) error {
	if g.throttle == nil || g.throttle.allow(v.call, v.began) {
		return nil
	}
	if v.call.Service == "kms" {
		return aws.ThrottlingException.New("You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	}
	return aws.ThrottlingException.New("Rate exceeded")
}
