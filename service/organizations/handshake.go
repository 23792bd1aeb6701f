package organizations

import (
	"time"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
)

// A handshake is an agreement between an organisation and an account. It is kept
// in no place, since both sides see it.
type handshake struct {
	ID           string
	Action       organizationsapi.ActionType
	State        organizationsapi.HandshakeState
	Organization string
	Management   aws.Account
	Account      aws.Account `json:",omitempty"` // who is asked; empty: the organisation itself
	Email        string      `json:",omitempty"` // when the account was named by its address
	Notes        string      `json:",omitempty"`
	Tags         []tag       `json:",omitempty"`
	Parent       string      `json:",omitempty"` // of an APPROVE_ALL_FEATURES
	Requested    time.Time
	Expires      time.Time
}

// parties are those in whose lists the handshake stands.
func (h *handshake) parties() []string {
	parties := []string{h.Organization}
	if h.Account != "" {
		parties = append(parties, string(h.Account))
	}
	return parties
}
