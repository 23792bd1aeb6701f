package aws

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// A BusEvent is an EventBridge event as rules see it. EventBridge User Guide,
// "Events reference", "Event structure".
type BusEvent struct {
	Version    string          `json:"version"` // "0"
	ID         string          `json:"id"`      // a UUID
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"` // "aws.guardduty"
	Account    Account         `json:"account"`
	Time       string          `json:"time"` // to the second
	Region     Region          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// NewBusEvent returns an event of a service, with a random id.
func NewBusEvent(source, detailType string, account Account, region Region, at time.Time, detail any, resources ...string) (*BusEvent, error) {
	text, err := json.Marshal(detail)
	if err != nil {
		return nil, fmt.Errorf("detail of %q: %w", detailType, err)
	}
	if resources == nil {
		resources = []string{}
	}
	return &BusEvent{
		Version: "0", ID: UUID(), DetailType: detailType, Source: source, Account: account,
		Time: at.UTC().Format("2006-01-02T15:04:05Z"), Region: region, Resources: resources, Detail: text,
	}, nil
}

// On returns the event on its way to the rules of a bus.
func (b *BusEvent) On(bus string, at time.Time) (Event, error) {
	data, err := json.Marshal(b)
	if err != nil {
		return Event{}, fmt.Errorf("event %q: %w", b.DetailType, err)
	}
	return Event{
		Stream: BusStream, ID: b.ID, Type: b.DetailType, Account: b.Account, Region: b.Region, Time: at, Data: data,
		Attrs: map[string]string{"bus": bus, "source": b.Source, "detail-type": b.DetailType},
	}, nil
}

// UUID returns a random UUID (version 4, RFC 9562).
func UUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails: crypto/rand ends the program first
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return dashed(u)
}
