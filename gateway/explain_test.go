package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// bind makes account a member of an organisation in which denied is denied.
func bind(t *testing.T, denied string) func(*gateway.Options) {
	scp := func(text, source string) *policy.Attached {
		d, err := policy.Parse([]byte(text), policy.SCP)
		if err != nil {
			t.Fatal(err)
		}
		return &policy.Attached{Document: d, Source: source}
	}
	full := scp(`{"Version":"2012-10-17","Statement":[`+allow(`"*"`)+`]}`, "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess")
	guard := scp(`{"Version":"2012-10-17","Statement":[{"Sid":"Guard","Effect":"Deny","Action":"`+denied+`","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-west-2"}}}]}`,
		"arn:aws:organizations::999988887777:policy/o-1/service_control_policy/p-guard")
	m := &policy.Membership{Organization: "o-1", Path: "o-1/r-1/", SCPs: [][]*policy.Attached{{full}, {full, guard}}}
	return func(o *gateway.Options) {
		o.Membership = func(_ context.Context, a aws.Account) (*policy.Membership, error) {
			if a == account {
				return m, nil
			}
			return nil, nil
		}
	}
}

func TestExplainARefusal(t *testing.T) {
	h := newHouse(t, bind(t, "kms:CreateKey"))
	if _, ok := h.gate.Explain(""); ok {
		t.Error("a refusal is known before there was one")
	}
	alice := h.user("alice", allow(`"*"`))
	w := h.send(alice, kms("CreateKey", `{"Description":"x"}`))
	const says = "with an explicit deny in a service control policy: arn:aws:organizations::999988887777:policy/o-1/service_control_policy/p-guard"
	if w.Code != 400 || !strings.Contains(w.Body.String(), says) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	id := w.Header().Get("X-Amzn-Requestid")
	for range 3000 { // allowed calls do not push a refusal out
		h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15"))
	}
	for _, ask := range []string{"", id} {
		x, ok := h.gate.Explain(ask)
		if !ok || x.RequestID != id || x.Allowed || x.Operation != "kms:CreateKey" || !strings.Contains(x.Message, says) || len(x.Touches) != 1 {
			t.Fatalf("explain %q: %t, %+v", ask, ok, x)
		}
		e := x.Touches[0]
		if e.Outcome != "explicitDeny" || e.By != "scp" || e.Statement != "Guard" || !strings.HasSuffix(e.Source, "p-guard") || len(e.Diagnostic.Policies) != 4 {
			t.Errorf("decided %+v", e)
		}
		guard := e.Diagnostic.Policies[2].Statements[0]
		if !guard.Applies || !strings.HasPrefix(guard.Text, `{"Sid":"Guard"`) || guard.Conditions[0].Got[0] != "eu-central-1" || guard.Conditions[0].Want[0] != "us-west-2" {
			t.Errorf("the statement that decided: %+v", guard)
		}
	}
	// What stands beside the record says the same.
	found := 0
	for _, e := range h.trail() {
		x := gateway.Recorded(e.Attrs)
		if (x != nil) != (e.Attrs["errorCode"] == "AccessDenied" || e.Attrs["errorCode"] == "AccessDeniedException") {
			t.Errorf("%s %s is recorded with %+v", e.Attrs["eventName"], e.Attrs["errorCode"], x)
		}
		if x != nil {
			found++
			if x.RequestID != id || x.Touches[0].Statement != "Guard" {
				t.Errorf("recorded %+v", x)
			}
		}
		if strings.Contains(string(e.Data), "p-FullAWSAccess") {
			t.Error("the diagnosis stands in CloudTrail's record")
		}
	}
	if found != 1 {
		t.Errorf("%d explanations are recorded", found)
	}
}

func TestExplainAnAllowedCall(t *testing.T) {
	h := newHouse(t, nil)
	alice := h.user("alice", allow(`"kms:*"`))
	id := h.send(alice, kms("CreateKey", `{"Description":"x"}`)).Header().Get("X-Amzn-Requestid")
	x, ok := h.gate.Explain(id)
	if !ok || !x.Allowed || x.Touches[0].Outcome != "allowed" || x.Touches[0].Source != "inline:alice/p" {
		t.Errorf("%t, %+v", ok, x)
	}
	id = h.send(alice, sts("Action=GetCallerIdentity&Version=2011-06-15")).Header().Get("X-Amzn-Requestid")
	if x, ok := h.gate.Explain(id); !ok || !x.Allowed || x.Touches[0].Open == "" {
		t.Errorf("an open call: %t, %+v", ok, x)
	}
	if _, ok := h.gate.Explain("unknown"); ok {
		t.Error("a call that was not made is known")
	}
}

// What the policies were when they decided is explained, not what they are.
func TestExplainTellsOfThen(t *testing.T) {
	h := newHouse(t, nil)
	bob := h.user("bob", allow(`"sts:*"`))
	id := h.send(bob, kms("CreateKey", `{"Description":"x"}`)).Header().Get("X-Amzn-Requestid")
	h.user("bob", allow(`"*"`))
	if x, ok := h.gate.Explain(id); !ok || x.Allowed || x.Touches[0].Outcome != "implicitDeny" || x.Touches[0].By != "identity" {
		t.Errorf("%t, %+v", ok, x)
	}
}

// All that a call touches is explained, also what stands behind the refusal.
func TestExplainAllTouches(t *testing.T) {
	h := newHouse(t, nil)
	h.gate.Mount(kmsapi.ReEncrypt.To(func(context.Context, *kmsapi.ReEncryptRequest) (*kmsapi.ReEncryptResponse, error) {
		return &kmsapi.ReEncryptResponse{}, nil
	}, touch[*kmsapi.ReEncryptRequest]("kms:ReEncryptFrom", "kms:ReEncryptTo")))
	bob := h.user("bob", allow(`"kms:ReEncryptTo"`))
	id := h.send(bob, kms("ReEncrypt", `{"CiphertextBlob":"aGk=","DestinationKeyId":"k"}`)).Header().Get("X-Amzn-Requestid")
	x, ok := h.gate.Explain(id)
	if !ok || x.Allowed || len(x.Touches) != 2 || x.Touches[0].Outcome != "implicitDeny" || x.Touches[1].Outcome != "allowed" {
		t.Errorf("%t, %+v", ok, x)
	}
}

func TestExternalIDsAreHidden(t *testing.T) {
	h := newHouse(t, nil)
	h.gate.Mount(kmsapi.EnableKey.To(func(context.Context, *kmsapi.EnableKeyRequest) (*kmsapi.EnableKeyResponse, error) {
		return &kmsapi.EnableKeyResponse{}, nil
	}, func(context.Context, *kmsapi.EnableKeyRequest) ([]wire.Touch, error) {
		return []wire.Touch{{Action: "kms:EnableKey", Conditions: map[string][]string{"sts:ExternalId": {"the-guess"}}}}, nil
	}))
	bob := h.user("bob", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"sts:externalid":"right"}}}`,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"${sts:ExternalId}"}}}`)
	id := h.send(bob, kms("EnableKey", `{"KeyId":"k"}`)).Header().Get("X-Amzn-Requestid")
	x, ok := h.gate.Explain(id)
	if !ok || x.Touches[0].Diagnostic.Policies[0].Statements[0].Conditions[0].Got[0] != "(hidden)" {
		t.Errorf("%t, %+v", ok, x)
	}
	for _, e := range h.trail() {
		if strings.Contains(fmt.Sprint(e.Attrs), "the-guess") {
			t.Errorf("the external id is written down: %v", e.Attrs)
		}
	}
}

// However much there is to say, what is kept beside a record is bounded, and
// still names what decided.
func TestDiagnosesAreBounded(t *testing.T) {
	h := newHouse(t, nil)
	var statements []string
	for i := range 400 {
		statements = append(statements, fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":"kms:CreateKey","Resource":"arn:aws:kms:*:*:key/%s"}`, i, strings.Repeat("x", 200)))
	}
	statements = append(statements, `{"Sid":"No","Effect":"Deny","Action":"kms:*","Resource":"*"}`)
	bob := h.user("bob", statements...)
	h.send(bob, kms("CreateKey", `{"Description":"x"}`))
	for _, e := range h.trail() {
		x := gateway.Recorded(e.Attrs)
		if x == nil || !x.Shortened || x.Touches[0].Statement != "No" || e.Size() > 40<<10 {
			t.Errorf("%d bytes: %+v", e.Size(), x)
		}
	}
}

// AWS's policies have statements of many kilobytes; those that are about other
// actions are explained while the gate remembers the call, and not kept with its record.
func TestDiagnosesHoldWhatIsAboutTheAction(t *testing.T) {
	h := newHouse(t, nil)
	bob := h.user("bob", `{"Sid":"Other","Effect":"Allow","Action":"sts:*","Resource":"*"}`, `{"Sid":"No","Effect":"Deny","Action":"kms:*","Resource":"*"}`)
	id := h.send(bob, kms("CreateKey", `{"Description":"x"}`)).Header().Get("X-Amzn-Requestid")
	if x, ok := h.gate.Explain(id); !ok || len(x.Touches[0].Diagnostic.Policies[0].Statements) != 2 {
		t.Errorf("remembered: %t, %+v", ok, x)
	}
	for _, e := range h.trail() {
		x := gateway.Recorded(e.Attrs)
		if x == nil || x.Shortened || len(x.Touches[0].Diagnostic.Policies[0].Statements) != 1 || x.Touches[0].Diagnostic.Policies[0].Statements[0].Label != "No" {
			t.Errorf("recorded: %+v", x)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	h := newHouse(t, nil)
	bob := h.user("bob", allow(`"sts:*"`))
	first := h.send(bob, kms("CreateKey", `{"Description":"x"}`)).Header().Get("X-Amzn-Requestid")
	for range 1100 {
		h.send(bob, kms("CreateKey", `{"Description":"x"}`))
	}
	if _, ok := h.gate.Explain(first); ok {
		t.Error("the first refusal is still remembered after 1,100 more")
	}
}
