package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sumun.dev/aws"
)

// A quota is how many calls a second AWS allows, and how many at once.
type quota struct {
	rate  rate.Limit
	burst int
}

// quotaOf returns the request rate that AWS documents for an operation; none when
// it documents none.
func quotaOf(operation, service string) (quota, bool) {
	switch operation {
	case "cloudtrail:LookupEvents": // CloudTrail API Reference, LookupEvents
		return quota{2, 2}, true
	case "events:PutEvents": // EventBridge User Guide, "EventBridge quotas", us-east-1
		return quota{10_000, 10_000}, true
	case "ssm:StartAutomationExecution": // Systems Manager endpoints and quotas
		return quota{10, 10}, true
	case "securityhub:BatchImportFindings", "securityhub:BatchUpdateFindings": // Security Hub API Reference, the operations
		return quota{10, 30}, true
	case "securityhub:GetFindings": // Security Hub API Reference, "Throttling"
		return quota{3, 6}, true
	case "securityhub:UpdateFindings":
		return quota{1, 5}, true
	case "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt", "kms:GenerateRandom", "kms:GenerateMac", "kms:VerifyMac":
		return quota{10_000, 10_000}, true // KMS Developer Guide, "Request quotas"; shared in AWS, counted by operation here
	}
	switch service {
	case "route53resolver": // Route 53 Developer Guide, "Quotas": five requests a second, per account and region
		return quota{5, 5}, true
	case "securityhub":
		return quota{10, 30}, true
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
	operation := c.Service + ":" + c.Operation
	q, ok := quotaOf(operation, c.Service)
	if !ok {
		return true
	}
	key := bucketKey{c.Account, c.Region, operation}
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
	return aws.ThrottlingException.New("Rate exceeded")
}
