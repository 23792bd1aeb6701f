package service

import (
	"context"
	"errors"

	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// PassRole is the right to hand a role to a service, "events.amazonaws.com", which
// will use it for the resource that is associated with it. IAM User Guide, "Grant a
// user permissions to pass a role to an AWS service".
func PassRole(role aws.ARN, to string, associated aws.ARN) wire.Touch {
	t := wire.Touch{Action: "iam:PassRole", Resource: role, Conditions: map[string][]string{"iam:PassedToService": {to}}}
	if !associated.IsZero() {
		t.Conditions["iam:AssociatedResourceArn"] = []string{associated.String()}
	}
	return t
}

// Passable reads the ARN of a role that a call hands on. A role can be passed
// within its account only, whoever asks: the service would assume any role that
// trusts it. It reports false for what is no role's ARN.
func Passable(call *aws.Call, role string) (aws.ARN, bool, error) {
	arn, err := aws.ParseARN(role)
	if err != nil || arn.Service != "iam" || len(arn.Resource) <= len("role/") || arn.Resource[:len("role/")] != "role/" {
		return aws.ARN{}, false, nil
	}
	if arn != call.GlobalARN("iam", arn.Resource) {
		return arn, true, aws.AccessDenied.New("Cross-account pass role is not allowed.")
	}
	return arn, true, nil
}

// RoleExists reports whether there is a role with this ARN.
func (e *Env) RoleExists(ctx context.Context, role aws.ARN) (bool, error) {
	if e.Principals == nil {
		return true, nil // nobody knows better
	}
	_, err := e.Principals.UniqueID(ctx, role)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
