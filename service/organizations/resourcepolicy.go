package organizations

import (
	"encoding/json"
	"fmt"
)

// A resourcePolicy is the organisation's own: it delegates to member accounts.
type resourcePolicy struct {
	ID, Content string
	Tags        []tag `json:",omitempty"`
}

// statements takes the document apart.
func (p *resourcePolicy) statements() ([]json.RawMessage, error) {
	var doc struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(p.Content), &doc); err != nil {
		return nil, fmt.Errorf("organizations: resource policy: %w", err)
	}
	var many []json.RawMessage
	if err := json.Unmarshal(doc.Statement, &many); err == nil {
		return many, nil
	}
	return []json.RawMessage{doc.Statement}, nil
}
