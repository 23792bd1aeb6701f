package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"sumun.dev/api/eventsapi"
	"sumun.dev/aws"
	"sumun.dev/policy"
)

// A document is a bus's policy as PutPermission edits it, statement by statement.
type document struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement statements
}

// statements may be written as one without its list.
type statements []json.RawMessage

func (s *statements) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte("{")) {
		*s = statements{bytes.Clone(b)}
		return nil
	}
	return json.Unmarshal(b, (*[]json.RawMessage)(s))
}

func (s *Service) putPermission(ctx context.Context, in *eventsapi.PutPermissionRequest) (*eventsapi.PutPermissionResponse, error) {
	name, err := own(aws.CallOf(ctx), in.EventBusName)
	if err != nil {
		return nil, err
	}
	b, err := s.bus(ctx, name)
	if err != nil {
		return nil, err
	}
	if in.Policy != nil {
		if in.Action != nil || in.Principal != nil || in.StatementId != nil || in.Condition != nil {
			return nil, aws.ValidationException.New("Parameter Policy cannot be combined with Action, Principal, StatementId or Condition.")
		}
		b.Policy = *in.Policy
	} else if b.Policy, err = s.addStatement(ctx, b, in); err != nil {
		return nil, err
	}
	if _, err := policy.Parse([]byte(b.Policy), policy.Resource); err != nil {
		return nil, notAPolicy(err)
	}
	if len(b.Policy) > maxPolicy {
		return nil, eventsapi.PolicyLengthExceededException.New("The policy of event bus %s exceeds the maximum length of %d characters.", name, maxPolicy)
	}
	return &eventsapi.PutPermissionResponse{}, s.putBus(ctx, b)
}

func notAPolicy(err error) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return err
	}
	return aws.ValidationException.New("Parameter Policy is not valid. Reason: %s", e.Message)
}

// addStatement makes the statement that the short form of PutPermission means.
func (s *Service) addStatement(ctx context.Context, b *bus, in *eventsapi.PutPermissionRequest) (string, error) {
	switch {
	case in.Action == nil:
		return "", aws.ValidationException.New("Parameter Action must be specified.")
	case in.Principal == nil:
		return "", aws.ValidationException.New("Parameter Principal must be specified.")
	case in.StatementId == nil:
		return "", aws.ValidationException.New("Parameter StatementId must be specified.")
	}
	if *in.Action != "events:PutEvents" {
		return "", aws.ValidationException.New("Provided value in parameter 'action' is not supported.")
	}
	call := aws.CallOf(ctx)
	st := map[string]any{"Sid": *in.StatementId, "Effect": "Allow", "Action": *in.Action, "Resource": busARN(call, b.Name).String()}
	st["Principal"] = "*"
	if *in.Principal != "*" {
		st["Principal"] = map[string]string{"AWS": "arn:" + call.Partition + ":iam::" + *in.Principal + ":root"}
	}
	if c := in.Condition; c != nil {
		if c.Type != "StringEquals" || c.Key != "aws:PrincipalOrgID" {
			return "", aws.ValidationException.New("Parameter Condition is not valid. Reason: StringEquals on aws:PrincipalOrgID is supported.")
		}
		st["Condition"] = map[string]any{c.Type: map[string]string{c.Key: c.Value}}
	}
	raw, err := json.Marshal(st)
	if err != nil {
		return "", err
	}
	d, err := documentOf(b)
	if err != nil {
		return "", err
	}
	d.Statement = append(without(d.Statement, *in.StatementId), raw)
	return encode(d)
}

func documentOf(b *bus) (document, error) {
	d := document{Version: "2012-10-17"}
	if b.Policy == "" {
		return d, nil
	}
	return d, json.Unmarshal([]byte(b.Policy), &d)
}

func encode(d document) (string, error) {
	if len(d.Statement) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(d)
	return string(raw), err
}

// without returns the statements but the one of that id.
func without(all statements, id string) statements {
	return slices.DeleteFunc(slices.Clone(all), func(raw json.RawMessage) bool {
		var st struct{ Sid string }
		return json.Unmarshal(raw, &st) == nil && st.Sid == id
	})
}

func (s *Service) removePermission(ctx context.Context, in *eventsapi.RemovePermissionRequest) (*eventsapi.RemovePermissionResponse, error) {
	name, err := own(aws.CallOf(ctx), in.EventBusName)
	if err != nil {
		return nil, err
	}
	b, err := s.bus(ctx, name)
	if err != nil {
		return nil, err
	}
	if in.RemoveAllPermissions != nil && *in.RemoveAllPermissions {
		b.Policy = ""
		return &eventsapi.RemovePermissionResponse{}, s.putBus(ctx, b)
	}
	if in.StatementId == nil {
		return nil, aws.ValidationException.New("Parameter StatementId must be specified.")
	}
	if b.Policy == "" {
		return nil, eventsapi.ResourceNotFoundException.New("EventBus does not have a policy.")
	}
	d, err := documentOf(b)
	if err != nil {
		return nil, err
	}
	left := without(d.Statement, *in.StatementId)
	if len(left) == len(d.Statement) {
		return nil, eventsapi.ResourceNotFoundException.New("Statement with the provided id does not exist.")
	}
	d.Statement = left
	if b.Policy, err = encode(d); err != nil {
		return nil, err
	}
	return &eventsapi.RemovePermissionResponse{}, s.putBus(ctx, b)
}
