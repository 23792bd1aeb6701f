package gateway

import (
	"strconv"
	"strings"
	"testing"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

func decidedCall(id string, size int, denied bool) *deed {
	return &deed{call: &aws.Call{RequestID: id}, about: &wire.Meta{}, denied: denied, touches: []wire.Touch{{Policy: strings.Repeat("x", size)}}}
}

func TestMemoryIsBoundedInBytes(t *testing.T) {
	var m memory
	const size = 400 << 10
	for i := range 100 {
		m.note(decidedCall(strconv.Itoa(i), size, true))
		if m.denied.bytes > rememberedBytes {
			t.Fatalf("%d bytes are remembered", m.denied.bytes)
		}
	}
	if _, ok := m.find("99"); !ok {
		t.Error("the newest is forgotten")
	}
	if _, ok := m.find("0"); ok {
		t.Error("the oldest is remembered")
	}
	m.note(decidedCall("small", 1, true))
	m.note(decidedCall("huge", 2*rememberedBytes, true))
	if r, ok := m.find(""); !ok || r.call.RequestID != "small" {
		t.Errorf("the newest is %+v", r.call)
	}
	for i := range 3 * rememberedCalls { // round the ring
		m.note(decidedCall("r"+strconv.Itoa(i), 10, true))
	}
	if r, ok := m.find(""); !ok || r.call.RequestID != "r"+strconv.Itoa(3*rememberedCalls-1) || m.denied.bytes > rememberedCalls*1000 {
		t.Errorf("after three rounds: %+v, %d bytes", r.call, m.denied.bytes)
	}
	m.note(decidedCall("allowed", 1, false))
	if r, ok := m.find("allowed"); !ok || r.call.RequestID != "allowed" {
		t.Error("an allowed call is not found")
	}
	if r, _ := m.find(""); r.call.RequestID == "allowed" {
		t.Error("an allowed call is taken for a refusal")
	}
}

// A service without a code of its own refuses under its protocol's.
func TestRefusalKinds(t *testing.T) {
	for _, c := range []struct {
		endpoint string
		protocol wire.Protocol
		errors   []aws.ErrorKind
		code     string
		status   int
	}{
		{"s3", wire.RestXML, nil, "AccessDenied", 403},
		{"iam", wire.Query, nil, "AccessDenied", 403},
		{"ec2", wire.EC2, nil, "UnauthorizedOperation", 403},
		{"kms", wire.JSON, nil, "AccessDeniedException", 400},
		{"monitoring", wire.CBOR, nil, "AccessDeniedException", 400},
		{"guardduty", wire.RestJSON, nil, "AccessDeniedException", 403},
		{"organizations", wire.JSON, []aws.ErrorKind{{Code: "AccessDeniedException"}}, "AccessDeniedException", 400},
		{"sns", wire.Query, []aws.ErrorKind{{Code: "InvalidParameter"}, {Code: "AuthorizationError", Status: 403}}, "AuthorizationError", 403},
	} {
		got := refusalKind(&wire.Meta{Service: &wire.Service{EndpointPrefix: c.endpoint, Protocols: []wire.Protocol{c.protocol}}, Errors: c.errors})
		if got.Code != c.code || got.Status != c.status {
			t.Errorf("%s: %s %d, want %s %d", c.endpoint, got.Code, got.Status, c.code, c.status)
		}
	}
}
