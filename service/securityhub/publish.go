package securityhub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// imported is the detail-type of the event for each finding that is new or changed.
const imported = "Security Hub Findings - Imported"

type detail struct {
	Findings []json.RawMessage `json:"findings"`
}

// publish tells EventBridge's default bus of a finding, in the same unit of work.
// User Guide, "EventBridge event types for Security Hub CSPM".
func publish(ctx context.Context, k *kept, now time.Time) error {
	call := aws.CallOf(ctx)
	told, err := aws.NewBusEvent("aws.securityhub", imported, call.Account, call.Region, now, detail{[]json.RawMessage{k.Document}}, k.ProductArn+"/"+k.ID)
	if err != nil {
		return fmt.Errorf("event of finding %s: %w", k.ID, err)
	}
	e, err := told.On("default", now)
	if err != nil {
		return fmt.Errorf("event of finding %s: %w", k.ID, err)
	}
	store.Emit(ctx, e)
	return nil
}
