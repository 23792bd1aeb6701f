package trail

import (
	"encoding/json"
	"strings"

	"sumun.dev/aws"
)

// Identity writes userIdentity of somebody who acts by themselves: who has signed in
// to the console.
func Identity(p *aws.Principal) json.RawMessage {
	return appendIdentity(nil, &aws.Call{Principal: p}, "")
}

// appendIdentity writes userIdentity. service is who makes the call for the caller.
// CloudTrail User Guide, "CloudTrail userIdentity element".
func appendIdentity(b []byte, call *aws.Call, service string) []byte {
	p := call.Principal
	if p.IsZero() {
		// S3's form for callers that did not sign.
		return append(b, `{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`...)
	}
	if p.Kind == aws.Service {
		b = append(b, `{"type":"AWSService","invokedBy":`...)
		return append(appendString(b, p.Name), '}')
	}
	if p.Kind == aws.WebIdentity || p.Kind == aws.SAML {
		return appendFederated(b, p)
	}
	if p.Kind == aws.IdentityCenterUser {
		b = append(b, `{"type":"IdentityCenterUser","accountId":`...)
		b = appendString(b, string(p.Account))
		b = append(b, `,"onBehalfOf":{"userId":`...)
		b = appendString(b, p.ID)
		b = append(b, `,"identityStoreArn":`...)
		return append(appendARN(b, p.ARN), `}}`...)
	}
	b = append(b, `{"type":`...)
	b = appendString(b, string(p.Kind))
	b = append(b, `,"principalId":`...)
	b = appendString(b, p.ID)
	b = append(b, `,"arn":`...)
	b = appendARN(b, p.ARN)
	b = append(b, `,"accountId":`...)
	b = appendString(b, string(p.Account))
	if p.AccessKeyID != "" {
		b = append(b, `,"accessKeyId":`...)
		b = appendString(b, p.AccessKeyID)
	}
	if p.Kind == aws.User && p.Name != "" {
		b = append(b, `,"userName":`...)
		b = appendString(b, p.Name)
	}
	if p.Session != nil {
		b = appendSession(b, p)
	}
	if service != "" {
		b = append(b, `,"invokedBy":`...)
		b = appendString(b, service)
	}
	return append(b, '}')
}

// appendFederated writes who asks STS with a token or an assertion. CloudTrail User
// Guide, "userIdentity examples for SAML and web identity federation".
func appendFederated(b []byte, p *aws.Principal) []byte {
	b = append(b, `{"type":`...)
	b = appendString(b, string(p.Kind))
	b = append(b, `,"principalId":`...)
	b = appendString(b, p.ID)
	b = append(b, `,"userName":`...)
	b = appendString(b, p.Subject)
	b = append(b, `,"identityProvider":`...)
	if p.Kind == aws.SAML {
		qualifier, _, _ := strings.Cut(p.ID, ":")
		return append(appendString(b, qualifier), '}')
	}
	return append(appendString(b, p.Name), '}')
}

// appendSession writes sessionContext. A user's or root's own session has no issuer.
func appendSession(b []byte, p *aws.Principal) []byte {
	s := p.Session
	b = append(b, `,"sessionContext":{`...)
	if !s.Issuer.IsZero() && (p.Kind == aws.AssumedRole || p.Kind == aws.FederatedUser) {
		kind := "Role"
		if p.Kind == aws.FederatedUser {
			kind = "IAMUser"
			if s.IssuerName == "" {
				kind = "Root"
			}
		}
		b = append(b, `"sessionIssuer":{"type":"`...)
		b = append(b, kind...)
		b = append(b, `","principalId":`...)
		b = appendString(b, s.IssuerID)
		b = append(b, `,"arn":`...)
		b = appendARN(b, s.Issuer)
		b = append(b, `,"accountId":`...)
		b = appendString(b, string(s.Issuer.Account))
		if s.IssuerName != "" {
			b = append(b, `,"userName":`...)
			b = appendString(b, s.IssuerName)
		}
		b = append(b, `},`...)
	}
	if strings.Contains(s.Provider, ":oidc-provider/") {
		b = append(b, `"webIdFederationData":{"federatedProvider":`...)
		b = appendString(b, s.Provider)
		b = append(b, `,"attributes":{}},`...)
	}
	b = append(b, `"attributes":{"creationDate":"`...)
	b = appendTime(b, s.Created)
	b = append(b, `","mfaAuthenticated":"`...)
	b = appendBool(b, s.MFA)
	b = append(b, `"}`...)
	if s.InvokedBy == "ec2.amazonaws.com" {
		b = append(b, `,"ec2RoleDelivery":"2.0"`...) // by the metadata service, of which there is only version 2
	}
	if s.SourceID != "" {
		b = append(b, `,"sourceIdentity":`...)
		b = appendString(b, s.SourceID)
	}
	if s.TaskPolicy != "" {
		b = append(b, `,"assumedRoot":"true"`...)
	}
	return append(b, '}')
}

// appendARN writes an ARN without making its string first.
func appendARN(b []byte, a aws.ARN) []byte {
	if a.IsZero() {
		return append(b, `""`...)
	}
	b = append(b, `"arn:`...)
	b = append(b, a.Partition...)
	b = append(b, ':')
	b = append(b, a.Service...)
	b = append(b, ':')
	b = append(b, a.Region...)
	b = append(b, ':')
	b = append(b, a.Account...)
	b = append(b, ':')
	rest := appendString(nil, a.Resource)
	return append(b, rest[1:]...)
}
