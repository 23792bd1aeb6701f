package aws

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// A ServiceEvent is what the trail keeps of something that is no call of an API:
// what a service did of its own accord, or what somebody did on a service's pages.
// CloudTrail User Guide, "Non-API events captured by CloudTrail".
type ServiceEvent struct {
	Source, Name string // "organizations.amazonaws.com", "CreateAccountResult"
	Account      Account
	Region       Region
	Time         time.Time
	Details      any // serviceEventDetails

	// Who did it, and from where; all empty for the service itself.
	Identity            any // userIdentity
	SourceIP, UserAgent string
	Additional          any // additionalEventData
}

// Event writes the record.
func (e *ServiceEvent) Event() (Event, error) {
	r := uncalled{
		Identity: e.Identity, Source: e.Source, Name: e.Name, Region: e.Region, SourceIP: cmp.Or(e.SourceIP, internal), Agent: cmp.Or(e.UserAgent, internal),
		Additional: e.Additional, Type: "AwsServiceEvent", Recipient: e.Account, Details: e.Details,
	}
	if e.Identity == nil {
		r.Identity = struct {
			Account   Account `json:"accountId"`
			InvokedBy string  `json:"invokedBy"`
		}{e.Account, internal}
	}
	return r.event(e.Time)
}

const internal = "AWS Internal"

// uncalled is the record of something that is no call of an API.
type uncalled struct {
	Version    string  `json:"eventVersion"`
	Identity   any     `json:"userIdentity"`
	Time       string  `json:"eventTime"`
	Source     string  `json:"eventSource"`
	Name       string  `json:"eventName"`
	Region     Region  `json:"awsRegion"`
	SourceIP   string  `json:"sourceIPAddress"`
	Agent      string  `json:"userAgent"`
	Message    string  `json:"errorMessage,omitempty"`
	Asked      any     `json:"requestParameters"`
	Answered   any     `json:"responseElements"`
	Additional any     `json:"additionalEventData,omitempty"`
	ID         string  `json:"eventID"`
	ReadOnly   bool    `json:"readOnly"`
	Type       string  `json:"eventType"`
	Managing   bool    `json:"managementEvent"`
	Recipient  Account `json:"recipientAccountId"`
	Details    any     `json:"serviceEventDetails,omitempty"`
	Category   string  `json:"eventCategory"`
	TLS        any     `json:"tlsDetails,omitempty"`
}

func (r *uncalled) event(at time.Time) (Event, error) {
	r.Version, r.Category, r.Managing = "1.11", "Management", true
	r.Time, r.ID = at.UTC().Format("2006-01-02T15:04:05Z"), UUIDAt(at)
	data, err := json.Marshal(r)
	if err != nil {
		return Event{}, fmt.Errorf("event %s of %s: %w", r.Name, r.Source, err)
	}
	return Event{
		Stream: TrailStream, ID: r.ID, Type: r.Type, Account: r.Recipient, Region: r.Region, Time: at, Data: data,
		Attrs: map[string]string{"eventName": r.Name, "eventSource": r.Source, "readOnly": "false"},
	}, nil
}

// UUIDAt returns a UUID of version 7, which begins with a time: LookupEvents finds
// a record by it without an index. RFC 9562, 5.7.
func UUIDAt(at time.Time) string {
	var u [16]byte
	_, _ = rand.Read(u[6:]) // never fails: crypto/rand ends the program first
	ms := uint64(max(at.UnixMilli(), 0))
	u[0], u[1], u[2], u[3], u[4], u[5] = byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms)
	u[6], u[8] = u[6]&0x0f|0x70, u[8]&0x3f|0x80
	return dashed(u)
}

// dashed writes a UUID, by hand since every call has one.
func dashed(u [16]byte) string {
	var s [36]byte
	hex.Encode(s[0:8], u[0:4])
	hex.Encode(s[9:13], u[4:6])
	hex.Encode(s[14:18], u[6:8])
	hex.Encode(s[19:23], u[8:10])
	hex.Encode(s[24:36], u[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
