package securityhub

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// imported is the detail-type of the event for each finding that is new or changed.
const imported = "Security Hub Findings - Imported"

// envelope is an EventBridge event.
type envelope struct {
	Version    string      `json:"version"`
	ID         string      `json:"id"`
	DetailType string      `json:"detail-type"`
	Source     string      `json:"source"`
	Account    aws.Account `json:"account"`
	Time       string      `json:"time"`
	Region     aws.Region  `json:"region"`
	Resources  []string    `json:"resources"`
	Detail     detail      `json:"detail"`
}

type detail struct {
	Findings []json.RawMessage `json:"findings"`
}

// publish tells EventBridge's default bus of a finding, in the same unit of work.
// User Guide, "EventBridge event types for Security Hub CSPM".
func publish(ctx context.Context, k *kept, now time.Time) error {
	call := aws.CallOf(ctx)
	id := newUUID()
	b, err := json.Marshal(envelope{
		Version: "0", ID: id, DetailType: imported, Source: "aws.securityhub", Account: call.Account,
		Time: now.UTC().Format("2006-01-02T15:04:05Z"), Region: call.Region,
		Resources: []string{k.ProductArn + "/" + k.ID}, Detail: detail{[]json.RawMessage{k.Document}},
	})
	if err != nil {
		return fmt.Errorf("event of finding %s: %w", k.ID, err)
	}
	store.Emit(ctx, aws.Event{
		Stream: aws.BusStream, ID: id, Type: imported, Account: call.Account, Region: call.Region, Time: now, Data: b,
		Attrs: map[string]string{"bus": "default", "source": "aws.securityhub", "detail-type": imported},
	})
	return nil
}

// newUUID makes a version 4 UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
