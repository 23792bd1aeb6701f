package trail

import (
	"time"

	"sumun.dev/aws"
)

// identity is userIdentity. CloudTrail User Guide, "CloudTrail userIdentity element".
type identity struct {
	Type        string   `json:"type"`
	PrincipalID string   `json:"principalId,omitempty"`
	ARN         string   `json:"arn,omitempty"`
	AccountID   string   `json:"accountId,omitempty"`
	AccessKeyID string   `json:"accessKeyId,omitempty"`
	UserName    string   `json:"userName,omitempty"`
	Session     *session `json:"sessionContext,omitempty"`
	InvokedBy   string   `json:"invokedBy,omitempty"`
}

type session struct {
	Issuer     *issuer    `json:"sessionIssuer,omitempty"`
	Attributes attributes `json:"attributes"`
	SourceID   string     `json:"sourceIdentity,omitempty"`
}

type issuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

type attributes struct {
	Created string `json:"creationDate"`
	MFA     string `json:"mfaAuthenticated"`
}

func identityOf(c *aws.Call) identity {
	p := c.Principal
	if p.IsZero() {
		return identity{Type: "Unknown"}
	}
	if p.Kind == aws.Service {
		return identity{Type: string(aws.Service), InvokedBy: p.Name}
	}
	id := identity{
		Type: string(p.Kind), PrincipalID: p.ID, ARN: p.ARN.String(), AccountID: string(p.Account),
		AccessKeyID: p.AccessKeyID, InvokedBy: Invoker(c),
	}
	if p.Kind == aws.User {
		id.UserName = p.Name
	}
	if s := p.Session; s != nil {
		id.Session = &session{Attributes: attributes{s.Created.UTC().Format(time.RFC3339), "false"}, SourceID: s.SourceID}
		if s.MFA {
			id.Session.Attributes.MFA = "true"
		}
		if !s.Issuer.IsZero() && p.Kind != aws.User {
			id.Session.Issuer = &issuer{"Role", s.IssuerID, s.Issuer.String(), string(s.Issuer.Account), s.IssuerName}
		}
	}
	return id
}

// Invoker returns the service that made the call: for its caller (the last that
// passed it on), as itself, or in a session of a role that it assumed. Empty
// means that the call came from outside.
func Invoker(c *aws.Call) string {
	if n := len(c.Via); n > 0 {
		return c.Via[n-1]
	}
	p := c.Principal
	switch {
	case p == nil || c.SourceIP.IsValid():
		return ""
	case p.Kind == aws.Service:
		return p.Name
	case p.Session != nil:
		return p.Session.InvokedBy
	}
	return ""
}

// UserName is how LookupEvents names a caller.
func UserName(p *aws.Principal) string {
	switch {
	case p.IsZero():
		return ""
	case p.Kind == aws.Root:
		return "root"
	case p.Kind == aws.AssumedRole && p.Session != nil:
		return p.Session.Name
	}
	return p.Name
}
