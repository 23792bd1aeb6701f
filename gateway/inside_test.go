package gateway_test

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/wire"
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

// A service that has assumed a role acts in that role's session: nobody's rights
// but the role's count, and the trail shows the session.
func TestCallsInASessionOfARole(t *testing.T) {
	role := aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/responder"}
	session := &aws.Principal{
		Kind: aws.AssumedRole, Account: account, Name: "responder", ID: "AROA1:run", AccessKeyID: "ASIARUN",
		ARN:     aws.ARN{Partition: "aws", Service: "sts", Account: account, Resource: "assumed-role/responder/run"},
		Session: &aws.Session{Issuer: role, IssuerID: "AROA1", IssuerName: "responder", Name: "run", Created: time.Now(), Expires: time.Now().Add(time.Hour)},
	}
	var asked *aws.Call
	h := newHouse(t, func(o *gateway.Options) {
		o.Assume = func(ctx context.Context, arn aws.ARN, name string) (*aws.Principal, error) {
			asked = aws.CallOf(ctx)
			if arn != role || name != "run" {
				t.Errorf("asked for %s, %s", arn, name)
			}
			return session, nil
		}
	})
	key := h.user("responder", allow(`"kms:CreateKey"`))
	h.users[key.KeyID].principal = session
	alice := &aws.Principal{Kind: aws.User, Account: account, Name: "alice", ARN: aws.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/alice"}}
	ctx := aws.WithCall(context.Background(), &aws.Call{Principal: alice, Partition: "aws", Account: account, Region: "eu-central-1", SourceIP: netip.MustParseAddr("192.0.2.7"), Time: time.Now()})
	ssm := h.gate.InsideAny("ssm")
	execution := aws.ARN{Partition: "aws", Service: "ssm", Region: "eu-central-1", Account: account, Resource: "automation-execution/e"}
	as, err := ssm.As(wire.OnBehalf(ctx, execution), role, "run")
	if err != nil {
		t.Fatal(err)
	}
	if asked.Source != execution {
		t.Errorf("the role was asked for on behalf of %s", asked.Source)
	}
	h.during = func(ctx context.Context) { // a service that is called acts for nothing of the caller's
		if _, err := h.gate.InsideAny("kms").As(ctx, role, "run"); err != nil || !asked.Source.IsZero() {
			t.Errorf("on behalf of %s: %v", asked.Source, err)
		}
	}
	defer func() { h.during = nil }()
	if asked.Principal.Kind != aws.Service || asked.Principal.Name != "ssm.amazonaws.com" {
		t.Errorf("the role was asked for by %+v", asked.Principal)
	}
	if _, err := kmsapi.CreateKey.Call(as, ssm, &kmsapi.CreateKeyRequest{Description: new("x")}); err != nil {
		t.Error(err)
	}
	if _, err := kmsapi.DescribeKey.Call(as, ssm, &kmsapi.DescribeKeyRequest{KeyId: "k0"}); err == nil || !strings.Contains(err.Error(), "User: arn:aws:sts::111122223333:assumed-role/responder/run is not authorized to perform: kms:DescribeKey") {
		t.Errorf("%v", err)
	}
	events := h.trail()
	if len(events) != 2 {
		t.Fatalf("trail %q", names(events))
	}
	for _, e := range events {
		for _, want := range []string{`"type":"AssumedRole"`, `"invokedBy":"ssm.amazonaws.com"`, `"sourceIPAddress":"ssm.amazonaws.com"`, `"userName":"responder"`} {
			if !bytes.Contains(e.Data, []byte(want)) {
				t.Errorf("record %s lacks %s", e.Data, want)
			}
		}
	}
}

func TestCallsWithoutEndAreStopped(t *testing.T) {
	h := newHouse(t, nil)
	loops := h.gate.Inside("sts", &kmsapi.CreateKey)
	n := 0
	h.during = func(ctx context.Context) {
		n++
		_, _ = kmsapi.CreateKey.Call(ctx, loops, &kmsapi.CreateKeyRequest{Description: new("again")})
	}
	alice := h.user("alice", allow(`"*"`))
	h.send(alice, kms("CreateKey", `{"Description":"x"}`))
	if n > 10 {
		t.Errorf("went round %d times", n)
	}
}

// Jobs and readers of the spine may still call when the gate is drained already:
// their records reach the spine all the same.
func TestRecordsAfterDrain(t *testing.T) {
	h := newHouse(t, nil)
	if err := h.gate.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: &aws.Principal{Kind: aws.Service, Account: account, Name: "guardduty.amazonaws.com"},
		Partition: "aws", Account: account, Region: "eu-central-1", Time: time.Now(),
	})
	const calls = 50
	for range calls {
		_, _ = kmsapi.DescribeKey.Call(ctx, h.inside, &kmsapi.DescribeKeyRequest{KeyId: "missing"})
	}
	n := 0
	for _, err := range h.spine.Replay(t.Context(), aws.TrailStream, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != calls {
		t.Errorf("%d of %d calls after the drain are recorded", n, calls)
	}
}
