package respond

import "testing"

func TestBuiltinRunbooksAreValid(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Builtin() {
		names[r.Name] = true
	}
	if !names["Sumun-BlockDomain"] || !names["Sumun-UnblockDomain"] {
		t.Errorf("runbooks: %v", names)
	}
}
