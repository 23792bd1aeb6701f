package kms

import (
	"context"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// tell says what KMS has done to a key of its own accord: on the event bus and in
// the trail. KMS Developer Guide,
// "Automation with Amazon EventBridge", "Logging AWS KMS API calls with AWS CloudTrail".
func (s *Service) tell(ctx context.Context, k *key, detailType, event string, details map[string]any) error {
	call, now := aws.CallOf(ctx), time.Now().UTC()
	told, err := aws.NewBusEvent("aws.kms", detailType, call.Account, call.Region, now, map[string]string{"key-id": k.ID}, call.ARN("kms", "key/"+k.ID).String())
	if err != nil {
		return err
	}
	onBus, err := told.On("default", now)
	if err != nil {
		return err
	}
	record := aws.ServiceEvent{Source: "kms.amazonaws.com", Name: event, Account: call.Account, Region: call.Region, Time: now, Details: details}
	inTrail, err := record.Event()
	if err != nil {
		return err
	}
	store.Emit(ctx, onBus)
	store.Emit(ctx, inTrail)
	return nil
}
