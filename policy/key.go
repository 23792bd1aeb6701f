package policy

import (
	"strings"

	"sumun.dev/aws"
)

// lookup returns the value of a condition key: what the request's Context says,
// else what follows from the principal. key is in lower case.
func (e *evaluation) lookup(key string) Value {
	if e.req.Context != nil {
		if v := e.req.Context.Lookup(key); v.Present() {
			return v
		}
	}
	if !strings.HasPrefix(key, "aws:") {
		return Value{}
	}
	p := e.principal
	switch key {
	case "aws:principalarn":
		return principalARN(p)
	case "aws:principalaccount":
		if p.IsZero() {
			return Text("anonymous")
		}
		return textIf(string(p.Account))
	case "aws:principaltype":
		return textIf(principalType(p))
	case "aws:userid":
		if p.IsZero() {
			return Text("anonymous")
		}
		return textIf(p.ID)
	case "aws:username":
		if p.Kind != aws.User {
			return Value{}
		}
		return textIf(p.Name)
	case "aws:principalisawsservice":
		if p.IsZero() {
			return Value{}
		}
		return Bool(p.Kind == aws.Service)
	case "aws:principalservicename", "aws:principalservicenameslist":
		if p.Kind != aws.Service {
			return Value{}
		}
		return textIf(p.Name)
	}
	if tag, found := strings.CutPrefix(key, "aws:principaltag/"); found {
		return Tag(p.Tags, tag)
	}
	return sessionKey(p, key)
}

// sessionKey returns what only temporary credentials carry.
func sessionKey(p *aws.Principal, key string) Value {
	if p.Session == nil {
		return Value{}
	}
	switch key {
	case "aws:tokenissuetime":
		if p.Session.Created.IsZero() {
			return Value{}
		}
		return Date(p.Session.Created)
	case "aws:sourceidentity":
		return textIf(p.Session.SourceID)
	case "aws:multifactorauthpresent":
		if p.Kind == aws.FederatedUser {
			return Value{}
		}
		return Bool(p.Session.MFA)
	case "aws:assumedroot":
		if p.Kind != aws.Root {
			return Value{}
		}
		return Bool(true)
	}
	return Value{}
}

// principalARN is aws:PrincipalArn: of a role session the role, not the session.
func principalARN(p *aws.Principal) Value {
	if p.Kind == aws.AssumedRole && p.Session != nil {
		return ARN(&p.Session.Issuer)
	}
	return ARN(&p.ARN)
}

// principalType is aws:PrincipalType. IAM User Guide, "Principal key values".
func principalType(p *aws.Principal) string {
	switch p.Kind {
	case aws.Root:
		return "Account"
	case aws.User:
		return "User"
	case aws.AssumedRole, aws.FederatedUser:
		return string(p.Kind)
	case aws.Anonymous:
		return "Anonymous"
	}
	return ""
}

func textIf(s string) Value {
	if s == "" {
		return Value{}
	}
	return Text(s)
}
