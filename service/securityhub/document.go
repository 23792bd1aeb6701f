package securityhub

import (
	"encoding/json"
	"fmt"
	"net/http"

	"sumun.dev/api/securityhubapi"
	"sumun.dev/wire"
)

// encode writes a finding as the API and EventBridge have it.
func encode(f *securityhubapi.AwsSecurityFinding) (json.RawMessage, error) {
	m := wire.Match{Operation: &securityhubapi.GetFindings, Service: &securityhubapi.Service, Protocol: wire.RestJSON}
	r, err := m.Encode(&securityhubapi.GetFindingsResponse{Findings: []securityhubapi.AwsSecurityFinding{*f}}, "")
	if err != nil {
		return nil, fmt.Errorf("encode finding %s: %w", f.Id, err)
	}
	var out struct{ Findings []json.RawMessage }
	if err := json.Unmarshal(r.Body, &out); err != nil || len(out.Findings) != 1 {
		return nil, fmt.Errorf("encode finding %s: %d findings: %w", f.Id, len(out.Findings), err)
	}
	return out.Findings[0], nil
}

// decode reads what encode wrote.
func decode(documents ...json.RawMessage) ([]securityhubapi.AwsSecurityFinding, error) {
	body, err := json.Marshal(map[string]any{"Findings": documents})
	if err != nil {
		return nil, fmt.Errorf("decode findings: %w", err)
	}
	out, err := wire.DecodeResponse(&securityhubapi.GetFindings, &wire.Response{Status: http.StatusOK, Body: body})
	if err != nil {
		return nil, fmt.Errorf("decode findings: %w", err)
	}
	return out.(*securityhubapi.GetFindingsResponse).Findings, nil
}

// finding returns the finding that is kept.
func (k *kept) finding() (*securityhubapi.AwsSecurityFinding, error) {
	all, err := decode(k.Document)
	if err != nil {
		return nil, err
	}
	return &all[0], nil
}
