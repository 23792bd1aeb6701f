package parameters

import (
	"context"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// Detail types and members are those of the Systems Manager User Guide, "Amazon
// EventBridge event examples for Systems Manager". Events are committed with the
// change that they tell of.
const (
	changed  = "Parameter Store Change"
	enforced = "Parameter Store Policy Action"
)

type changeDetail struct {
	Exception   string `json:"exception,omitempty"`
	DataType    string `json:"dataType,omitempty"`
	Operation   string `json:"operation"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description"`
}

type policyDetail struct {
	Name    string `json:"parameter-name"`
	Policy  string `json:"policy-type"`
	Type    string `json:"parameter-type"`
	Status  string `json:"action-status"`
	Reason  string `json:"action-reason"`
	Content string `json:"policy-content"`
}

// tellChange puts what was done to a parameter on the event bus.
func tellChange(ctx context.Context, p *parameter, operation string) error {
	d := changeDetail{Operation: operation, Name: p.Name, Type: string(p.Type), Description: p.Description}
	if p.DataType != "" {
		d.DataType = p.DataType
	}
	return tell(ctx, changed, p.Name, d)
}

// tellPolicy puts what a policy did on the event bus.
func tellPolicy(ctx context.Context, p *parameter, one *policy, reason string) error {
	return tell(ctx, enforced, p.Name, policyDetail{
		Name: p.Name, Policy: one.Type, Type: string(p.Type), Status: "Success", Reason: reason, Content: one.Text,
	})
}

func tell(ctx context.Context, detailType, name string, detail any) error {
	call := aws.CallOf(ctx)
	now := time.Now()
	told, err := aws.NewBusEvent("aws.ssm", detailType, call.Account, call.Region, now, detail, arnOf(call, name).String())
	if err != nil {
		return err
	}
	event, err := told.On("default", now)
	if err != nil {
		return err
	}
	store.Emit(ctx, event)
	return nil
}
