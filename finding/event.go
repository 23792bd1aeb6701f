package finding

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"sumun.dev/aws"
)

// What befell a finding, as FindingsStream's attribute "action" says.
const (
	Created    = "created"
	Updated    = "updated"
	Archived   = "archived"
	Unarchived = "unarchived"
)

// Told returns the event by which other services hear of the finding. Its id is
// left to the outbox: archiving may come and go within a millisecond.
func (f *Finding) Told(action string) (aws.Event, error) {
	b, err := Encode(f.GuardDuty())
	if err != nil {
		return aws.Event{}, err
	}
	return aws.Event{
		Stream: aws.FindingsStream, Type: "guardduty",
		Account: f.Account, Region: f.Region, Data: b,
		Attrs: map[string]string{"id": f.ID, "action": action},
	}, nil
}

// Published returns the event "GuardDuty Finding" for EventBridge's default bus in an
// account: the finding's own or that of its administrator. User Guide, "Processing
// GuardDuty findings with Amazon EventBridge".
func (f *Finding) Published(to aws.Account, now time.Time) (aws.Event, error) {
	detail, err := Encode(f.GuardDuty())
	if err != nil {
		return aws.Event{}, err
	}
	told, err := aws.NewBusEvent("aws.guardduty", "GuardDuty Finding", to, f.Region, now, json.RawMessage(detail))
	if err != nil {
		return aws.Event{}, err
	}
	name := fmt.Sprintf("%s/%s/%d", f.ID, stamp(now), f.Count)
	if to != f.Account {
		name += "/" + string(to)
	}
	told.ID = uuidOf(name)
	return told.On("default", now)
}

// uuidOf makes a version 8 UUID of what it names (RFC 9562, 5.8).
func uuidOf(name string) string {
	h := sha256.Sum256([]byte(name))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
