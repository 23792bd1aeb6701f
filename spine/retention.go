package spine

import (
	"time"

	"sumun.dev/aws"
)

// A Retention says how long a stream keeps its events: the first bound that is
// reached removes the oldest.
type Retention struct {
	Age   time.Duration
	Bytes int64 // as stored, so compressed where the spine compresses
}

// DefaultRetention is what a stream keeps unless configured otherwise.
func DefaultRetention(stream string) Retention {
	const day, gib = 24 * time.Hour, 1 << 30
	switch stream {
	case aws.TrailStream: // as long as LookupEvents looks back, so that its index can be rebuilt
		return Retention{90 * day, 8 * gib}
	case aws.FindingsStream: // as long as GuardDuty keeps findings
		return Retention{90 * day, 1 * gib}
	case aws.BusStream: // as long as EventBridge retries a delivery
		return Retention{1 * day, 1 * gib}
	default:
		return Retention{7 * day, 4 * gib}
	}
}
