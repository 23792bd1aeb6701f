package aws

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// NewServiceEvent returns what the trail keeps of something that a service did of
// its own accord. source is "organizations.amazonaws.com", name
// "CreateAccountResult"; details becomes serviceEventDetails. CloudTrail User
// Guide, "Non-API events captured by CloudTrail".
func NewServiceEvent(source, name string, account Account, region Region, at time.Time, details any) (Event, error) {
	id := UUIDAt(at)
	data, err := json.Marshal(struct {
		Version  string `json:"eventVersion"`
		Identity struct {
			Account   Account `json:"accountId"`
			InvokedBy string  `json:"invokedBy"`
		} `json:"userIdentity"`
		Time      string  `json:"eventTime"`
		Source    string  `json:"eventSource"`
		Name      string  `json:"eventName"`
		Region    Region  `json:"awsRegion"`
		SourceIP  string  `json:"sourceIPAddress"`
		Agent     string  `json:"userAgent"`
		Asked     any     `json:"requestParameters"`
		Answered  any     `json:"responseElements"`
		ID        string  `json:"eventID"`
		ReadOnly  bool    `json:"readOnly"`
		Type      string  `json:"eventType"`
		Managing  bool    `json:"managementEvent"`
		Recipient Account `json:"recipientAccountId"`
		Details   any     `json:"serviceEventDetails"`
		Category  string  `json:"eventCategory"`
	}{
		Version: "1.11", Identity: struct {
			Account   Account `json:"accountId"`
			InvokedBy string  `json:"invokedBy"`
		}{account, "AWS Internal"},
		Time: at.UTC().Format("2006-01-02T15:04:05Z"), Source: source, Name: name, Region: region, SourceIP: "AWS Internal", Agent: "AWS Internal",
		ID: id, Type: "AwsServiceEvent", Managing: true, Recipient: account, Details: details, Category: "Management",
	})
	if err != nil {
		return Event{}, fmt.Errorf("service event %s: %w", name, err)
	}
	return Event{
		Stream: TrailStream, ID: id, Type: "AwsServiceEvent", Account: account, Region: region, Time: at, Data: data,
		Attrs: map[string]string{"eventName": name, "eventSource": source, "readOnly": "false"},
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
