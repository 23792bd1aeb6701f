package policy

import (
	"cmp"
	"strings"

	"sumun.dev/aws"
)

// lookup returns the value of a condition key: what the request's Context says,
// else what was fixed when the session was made, else what follows from the
// principal. key is in lower case.
func (e *evaluation) lookup(key string) Value {
	if e.req.Context != nil {
		if v := e.req.Context.Lookup(key); v.Present() {
			return v
		}
	}
	p := e.principal
	if p.Session != nil {
		if values, found := p.Session.Facts[key]; found {
			return Texts(values)
		}
	}
	if !strings.HasPrefix(key, "aws:") {
		return Value{}
	}
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
	case "aws:resourceaccount":
		return textIf(cmp.Or(string(e.req.ResourceAccount), string(p.Account)))
	case "aws:principalisawsservice":
		if !e.hasIdentity && p.Kind != aws.Service { // a token signs nothing
			return Value{}
		}
		return Bool(p.Kind == aws.Service)
	case "aws:principalservicename":
		if p.Kind != aws.Service {
			return Value{}
		}
		return textIf(p.Name)
	case "aws:principalservicenameslist":
		if p.Kind != aws.Service {
			return Value{}
		}
		return Texts(e.serviceNames())
	case "aws:federatedprovider":
		if p.Kind == aws.WebIdentity {
			return textIf(p.Name)
		}
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
		if p.Kind != aws.Root || p.Session.TaskPolicy == "" {
			return Value{}
		}
		return Bool(true)
	case "aws:federatedprovider":
		return textIf(p.Session.Provider)
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
