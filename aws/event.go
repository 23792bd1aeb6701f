package aws

import "time"

// The streams of the spine.
const (
	TrailStream    = "trail"    // CloudTrail records
	DNSStream      = "dns"      // Resolver query logs
	FindingsStream = "findings" // findings opened, updated or closed by detectors
	IngestStream   = "ingest"   // logs that were sent in from outside
	BusStream      = "bus"      // EventBridge events on their way to rules
)

// An Event is one thing that happened, as the spine keeps it.
type Event struct {
	Stream  string // which stream it belongs to: TrailStream, DNSStream …
	ID      string // unique; the same ID is kept once
	Type    string // what happened, in the stream's own words: "AwsApiCall", "GuardDuty Finding"
	Account Account
	Region  Region
	Time    time.Time
	Attrs   map[string]string // what readers select by without opening Data
	Data    []byte            // JSON
}

// MaxEvent is the largest event that is kept, by its Size. AWS's own largest
// event is 256 KiB.
const MaxEvent = 768 << 10

// Size tells how many bytes e counts for in queues and retention.
func (e *Event) Size() int {
	n := 64 + len(e.ID) + len(e.Type) + len(e.Account) + len(e.Region) + len(e.Data)
	for k, v := range e.Attrs {
		n += len(k) + len(v) + 4
	}
	return n
}
