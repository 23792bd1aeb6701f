package gateway_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
)

// A service's inner call carries its caller, is authorised and recorded, and is
// committed with the outer call or not at all.
func TestCallsInside(t *testing.T) {
	for _, c := range []struct {
		name, body, allow string
		status            int
		keys              int
		trail             []string
	}{
		{"succeeds", `{"enable":true}`, `["guardduty:*","kms:*"]`, 200, 1, []string{"DescribeKey NotFoundException", "CreateKey", "CreateDetector"}},
		{"fails_afterwards", `{"enable":false}`, `["guardduty:*","kms:*"]`, 400, 0, []string{"DescribeKey NotFoundException", "CreateDetector BadRequestException"}},
		{"inner_not_allowed", `{"enable":true}`, `["guardduty:*"]`, 400, 0, []string{"DescribeKey AccessDenied", "CreateKey AccessDenied", "CreateDetector AccessDenied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, nil)
			alice := h.user("alice", allow(c.allow))
			w := h.send(alice, ask{path: "/detector", body: c.body, service: "guardduty", contentType: "application/json"})
			if w.Code != c.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			events := h.trail()
			got := strings.ReplaceAll(names(events), "AccessDeniedException", "AccessDenied")
			for _, want := range c.trail {
				if !strings.Contains(got, want) {
					t.Errorf("trail %q lacks %q", got, want)
				}
			}
			if len(events) != len(c.trail) {
				t.Errorf("trail %q", got)
			}
			for _, e := range events {
				if strings.Contains(e.Attrs["eventName"], "Key") && !bytes.Contains(e.Data, []byte(`"invokedBy":"guardduty.amazonaws.com"`)) {
					t.Errorf("record %s does not tell who passed the call on", e.Data)
				}
			}
			n := 0
			for range h.keys.Everywhere(context.Background()) {
				n++
			}
			if n != c.keys {
				t.Errorf("%d keys, want %d", n, c.keys)
			}
		})
	}
}

func TestServicesCallOnlyWhatTheyDeclare(t *testing.T) {
	h := newHouse(t, nil)
	ctx := aws.WithCall(context.Background(), &aws.Call{Principal: &aws.Principal{Kind: aws.Service, Name: "guardduty.amazonaws.com"}, Account: account, Region: "eu-central-1"})
	if _, err := stsapi.GetCallerIdentity.Call(ctx, h.inside, &stsapi.GetCallerIdentityRequest{}); err == nil || !strings.Contains(err.Error(), "not declared") {
		t.Errorf("%v", err)
	}
	if _, err := stsapi.GetCallerIdentity.Call(ctx, h.gate.InsideAny("ssm"), &stsapi.GetCallerIdentityRequest{}); err != nil {
		t.Errorf("%v", err)
	}
}
