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
	const itself = "AWS Internal"
	identity, from, agent := e.Identity, cmp.Or(e.SourceIP, itself), cmp.Or(e.UserAgent, itself)
	if identity == nil {
		identity = struct {
			Account   Account `json:"accountId"`
			InvokedBy string  `json:"invokedBy"`
		}{e.Account, itself}
	}
	id := UUIDAt(e.Time)
	data, err := json.Marshal(struct {
		Version    string  `json:"eventVersion"`
		Identity   any     `json:"userIdentity"`
		Time       string  `json:"eventTime"`
		Source     string  `json:"eventSource"`
		Name       string  `json:"eventName"`
		Region     Region  `json:"awsRegion"`
		SourceIP   string  `json:"sourceIPAddress"`
		Agent      string  `json:"userAgent"`
		Asked      any     `json:"requestParameters"`
		Answered   any     `json:"responseElements"`
		Additional any     `json:"additionalEventData,omitempty"`
		ID         string  `json:"eventID"`
		ReadOnly   bool    `json:"readOnly"`
		Type       string  `json:"eventType"`
		Managing   bool    `json:"managementEvent"`
		Recipient  Account `json:"recipientAccountId"`
		Details    any     `json:"serviceEventDetails"`
		Category   string  `json:"eventCategory"`
	}{
		Version: "1.11", Identity: identity, Time: e.Time.UTC().Format("2006-01-02T15:04:05Z"), Source: e.Source, Name: e.Name, Region: e.Region,
		SourceIP: from, Agent: agent, Additional: e.Additional,
		ID: id, Type: "AwsServiceEvent", Managing: true, Recipient: e.Account, Details: e.Details, Category: "Management",
	})
	if err != nil {
		return Event{}, fmt.Errorf("service event %s: %w", e.Name, err)
	}
	return Event{
		Stream: TrailStream, ID: id, Type: "AwsServiceEvent", Account: e.Account, Region: e.Region, Time: e.Time, Data: data,
		Attrs: map[string]string{"eventName": e.Name, "eventSource": e.Source, "readOnly": "false"},
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
